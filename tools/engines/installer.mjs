// What all installers share: what a machine lacks and what fails in words, the answer as JSON, and archives from npm compared with their pins.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { runChild } from '../bootstrap/child.mjs';
import { npm } from '../bootstrap/node-release.mjs';
import { BootstrapError } from '../bootstrap/places.mjs';

const ABSENT = 3;

/** Something of the machine that we cannot bring ourselves. */
export class Absent extends BootstrapError {}

/** As `runChild`, and a command that cannot be started ends with 127. */
export function tryRun(command, args, options = {}) {
  return runChild(command, args, { keep: true, ...options }).catch(() => ({ code: 127, signal: null, output: '' }));
}

/** Runs an installer: its last line of output is JSON; what a machine lacks ends with 3, what failed otherwise with 1, both in words. */
export async function answer(say, install) {
  try {
    process.stdout.write(`${JSON.stringify(await install())}\n`);
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    say(error.message);
    process.exitCode = error instanceof Absent ? ABSENT : 1;
  }
}

/**
 * Fetches a package's archive into an empty folder, and answers with its path.
 *
 * @param {{ name: string, version: string, sha512: string }} wanted the SHA-512 in base64
 */
export async function npmArchive({ name, version, sha512 }, folder, own) {
  const { output } = await npm(process.execPath, ['pack', `${name}@${version}`, '--silent'], { cwd: folder, keep: true, started: own });
  const file = readdirSync(folder).find((one) => one.endsWith('.tgz'));
  if (!file)
    throw new BootstrapError(`npm could not fetch ${name} ${version}: ${output.trim().slice(0, 2_000)}`, 'check the network and npm');
  const found = createHash('sha512')
    .update(readFileSync(join(folder, file)))
    .digest('base64');
  if (found !== sha512)
    throw new BootstrapError(
      `the checksum of ${name} ${version} is ${found}, not the pinned one`,
      'do not use this download; report it (SECURITY.md)',
    );
  return join(folder, file);
}

/** Environment in which node-gyp finds Node's headers where they lie beside this Node; it would fetch them else. */
export function nodeHeaders() {
  const home = resolve(dirname(process.execPath), '..');
  return existsSync(join(home, 'include/node/node.h')) ? { npm_config_nodedir: home } : {};
}
