// No file imports itself round a corner: a cycle of modules has no first file to read, and under ES modules one of them
// sees the other half-made. `import type` vanishes and counts for nothing.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { projects, root } from './projects.mjs';

const mistakes = projects().flatMap(({ folder }) => cycles(importsWithin(join(root, folder, 'src'))));
for (const cycle of mistakes)
  process.stderr.write(`modules import each other (cycles): ${cycle.map((file) => relative(root, file)).join(' -> ')}\n`);
process.exit(mistakes.length > 0 ? 1 : 0);

/** @returns {Map<string, string[]>} each source file with the files of the same project that it loads */
function importsWithin(src) {
  const files = readdirSync(src, { recursive: true })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(src, name));
  return new Map(files.map((file) => [file, loadedBy(file)]));
}

function loadedBy(file) {
  return ts
    .createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023)
    .statements.filter((statement) => ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))
    .filter((statement) => !(statement.isTypeOnly || statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword))
    .map((statement) => statement.moduleSpecifier?.text)
    .filter((specifier) => specifier?.startsWith('.'))
    .map((specifier) => resolve(dirname(file), specifier.replace(/\.js$/, '.ts')));
}

/** One cycle for each edge that leads back to a file still being visited (depth first). */
function cycles(graph) {
  const found = [];
  const state = new Map();
  const path = [];
  const visit = (file) => {
    state.set(file, 'open');
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      if (state.get(next) === 'open') found.push([...path.slice(path.indexOf(next)), next]);
      else if (!state.has(next)) visit(next);
    }
    path.pop();
    state.set(file, 'done');
  };
  for (const file of graph.keys()) if (!state.has(file)) visit(file);
  return found;
}
