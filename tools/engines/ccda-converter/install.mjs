// Brings Medplum's converter of C-CDA to FHIR R4 into this user's cache, for benchmarks to be measured against: npm compares each package with
// the lock beside this file.
//
//   node tools/engines/ccda-converter/install.mjs
//
// Progress goes to stderr. The last line of stdout is {"module": file to import}. Ends with 1 where it failed, in words.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exclusively } from '../../bootstrap/lock.mjs';
import { npm } from '../../bootstrap/node-release.mjs';
import { BootstrapError, cacheFolder } from '../../bootstrap/places.mjs';
import { answer } from '../installer.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const say = (text) => process.stderr.write(`ccda-converter: ${text}\n`);

await answer(say, async () => {
  const print = createHash('sha256')
    .update(readFileSync(join(here, 'package-lock.json')))
    .digest('hex');
  const home = join(cacheFolder(), 'ccda-converter', print.slice(0, 12));
  const module = join(home, 'node_modules/@medplum/ccda/dist/esm/index.mjs');
  if (!existsSync(module)) await exclusively('install-ccda-converter', async (own) => existsSync(module) || fetch(home, module, own));
  return { module };
});

async function fetch(home, module, own) {
  say('fetching Medplum’s converter of C-CDA from npm, once for this user (8 MB) …');
  mkdirSync(dirname(home), { recursive: true });
  const work = mkdtempSync(join(dirname(home), 'fetch-'));
  try {
    for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(here, name), join(work, name));
    const { code, output } = await npm(process.execPath, ['ci', '--ignore-scripts', '--silent'], { cwd: work, keep: true, started: own });
    if (code !== 0) throw new BootstrapError(`npm could not fetch it: ${output.trim().slice(0, 2_000)}`, 'check the network and npm');
    rmSync(home, { recursive: true, force: true });
    renameSync(work, home);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
