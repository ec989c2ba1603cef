// ESLint, once over the whole house, after the project graph: `node tools/lint.mjs [FILE …]`.
import { join } from 'node:path';
import { runChild } from './bootstrap/child.mjs';
import { root } from './projects.mjs';

const files = process.argv.slice(2);
const eslint = join(root, 'node_modules/eslint/bin/eslint.js');
const graph = await runChild(process.execPath, [join(root, 'tools/graph.mjs')], { cwd: root, stdio: 'inherit' });
const lint = await runChild(process.execPath, [eslint, '--max-warnings=0', ...(files.length > 0 ? files : ['.'])], {
  cwd: root,
  keep: true,
});
process.stdout.write(lint.output);
// Without a graph the boundary rule is skipped and ESLint still ends with 0.
const skipped = lint.output.includes('No cached ProjectGraph');
if (skipped) process.stderr.write('the boundary rule was skipped: no project graph (node tools/graph.mjs makes it)\n');
process.exit(graph.code === 0 && lint.code === 0 && !skipped ? 0 : 1);
