// Makes a fresh clone ready, with nothing but Node >= 20 and git on the machine: the right Node, the locked packages,
// a current build. Then it runs the rest of its command line under that Node.
//
//   node tools/bootstrap.mjs [--quiet] [--no-build] COMMAND [ARG …]
//
// No dependency may be imported here or in tools/bootstrap/: these files run before there are any.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, buildIsCurrent } from './bootstrap/build.mjs';
import { endLike, runChild } from './bootstrap/child.mjs';
import { exclusively } from './bootstrap/lock.mjs';
import { childEnvironment, ensureNode } from './bootstrap/node-release.mjs';
import { installPackages, packagesAreCurrent } from './bootstrap/packages.mjs';
import { BootstrapError, root } from './bootstrap/places.mjs';

const usage = 'node tools/bootstrap.mjs [--quiet] [--no-build] COMMAND [ARG …]';

/**
 * Readies the clone.
 * @param {{ quiet?: boolean, wantBuild?: boolean }} [options]
 * @returns the Node to use, and the environment for children
 */
export async function ready({ quiet = false, wantBuild = true } = {}) {
  const say = quiet ? () => undefined : (text) => process.stderr.write(`portolan: ${text}\n`);
  const node = await ensureNode(say);
  if (!packagesAreCurrent() || (wantBuild && !buildIsCurrent())) {
    const clone = `clone-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`;
    const waiting = () => say('waiting for another command that readies this clone …');
    await exclusively(
      clone,
      async (started) => {
        await installPackages(node, say, started);
        if (wantBuild) await build(node, say, started);
      },
      { waiting },
    );
  }
  return { node, env: childEnvironment(node) };
}

/** Runs `args` under the readied Node and ends as it ends. What a person has to mend is printed, with exit code 1. */
export async function run(args, options) {
  try {
    const { node, env } = await ready(options);
    const [command, ...rest] = args[0] === 'node' ? [node.bin, ...args.slice(1)] : args;
    endLike(await runChild(command, rest, { env, stdio: 'inherit' }));
  } catch (error) {
    if (error.syscall?.startsWith('spawn')) stop(`cannot start ${args[0]} (${error.code})\n  next: check the command line`);
    if (!(error instanceof BootstrapError)) throw error;
    stop(error.message);
  }
}

function stop(message) {
  process.stderr.write(`portolan bootstrap: ${message}\n`);
  process.exit(1);
}

async function main(args) {
  const options = {};
  while (args[0]?.startsWith('--')) {
    const flag = args.shift();
    if (flag === '--quiet') options.quiet = true;
    else if (flag === '--no-build') options.wantBuild = false;
    else stop(`unknown option ${flag}\n  next: ${usage}`);
  }
  if (args.length === 0) stop(`no command given\n  next: ${usage}`);
  await run(args, options);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
