// Brings the second client of Kafka, @confluentinc/kafka-javascript over librdkafka, into this user's cache: fetched from npm by the lock beside
// this file, and compiled here. It is no package of the house, since it is compiled for minutes and not needed by default.
//
//   node tools/engines/confluent/install.mjs
//
// Progress goes to stderr. The last line of stdout is {"package": folder to be loaded, "version": its version}. Ends with 3 where the machine lacks
// what it is compiled with, with 1 where something else failed; both say what to do.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exclusively } from '../../bootstrap/lock.mjs';
import { npm } from '../../bootstrap/node-release.mjs';
import { BootstrapError, cacheFolder } from '../../bootstrap/places.mjs';
import { Absent, answer, nodeHeaders, tryRun } from '../installer.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const NAME = '@confluentinc/kafka-javascript';
const VERSION = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')).dependencies[NAME];

const say = (text) => process.stderr.write(`confluent: ${text}\n`);

/** The folder is named after its lock and what it was compiled for, and appears whole or not at all. */
async function ensurePackage() {
  const lock = createHash('sha256')
    .update(readFileSync(join(here, 'package-lock.json')))
    .digest('hex');
  const home = join(
    cacheFolder(),
    'kafka-confluent',
    `${VERSION}-${lock.slice(0, 12)}-${process.platform}-${process.arch}-${process.versions.modules}`,
  );
  const waiting = () => say('another process is installing; waiting for it …');
  if (!existsSync(home)) await exclusively('install-confluent', async (own) => existsSync(home) || compile(home, own), { waiting });
  return join(home, 'node_modules', NAME);
}

async function compile(home, own) {
  say(`fetching ${NAME} ${VERSION} from npm and compiling it, once for this user (some minutes, 300 MB meanwhile) …`);
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(cacheFolder(), 'confluent-'));
  try {
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(here, file), join(work, file));
    const options = { cwd: work, keep: true, started: own, env: { ...process.env, ...compilation() } };
    const fetched = await npm(process.execPath, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], options);
    const made = join(work, 'node_modules', NAME);
    if (!existsSync(join(made, 'package.json')))
      throw new BootstrapError(`npm could not fetch ${NAME} ${VERSION}: ${tail(fetched.output)}`, 'check the network and npm');
    const built = await npm(process.execPath, ['rebuild', '--foreground-scripts', NAME], options);
    if (!(await loads(made, own))) throw notCompiled(built.output);
    keepWhatRuns(made);
    if (!(await loads(made, own))) throw new BootstrapError(`${NAME} ${VERSION} does not load`, 'report this');
    mkdirSync(dirname(home), { recursive: true });
    renameSync(work, home);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say('it is there');
}

/**
 * Always from the source that npm's checksums vouch for: the ready binaries that its own script would fetch bear none. Linked to a librdkafka.so of its
 * own, which needs fewer libraries of the machine than a static one.
 */
function compilation() {
  return { CKJS_LINKING: 'dynamic', npm_config_build_from_source: 'true', ...nodeHeaders() };
}

/** Sources and what lay between are five sixths of it. */
function keepWhatRuns(made) {
  rmSync(join(made, 'deps'), { recursive: true });
  const build = join(made, 'build');
  for (const name of readdirSync(build)) if (!['Release', 'deps'].includes(name)) rmSync(join(build, name), { recursive: true });
  const release = join(build, 'Release');
  for (const name of readdirSync(release)) if (!name.endsWith('.node')) rmSync(join(release, name), { recursive: true });
  const libraries = join(build, 'deps');
  for (const name of readdirSync(libraries)) if (!/\.(so|dylib)(\.|$)/.test(name)) rmSync(join(libraries, name), { recursive: true });
}

async function loads(made, own) {
  const code = `process.exit(require(${JSON.stringify(made)}).features.includes('ssl') ? 0 : 1)`;
  const tried = await tryRun(process.execPath, ['-e', code], { started: own });
  return tried.code === 0;
}

const tail = (output) => output.trim().slice(-1_500);

const notCompiled = (output) =>
  new Absent(
    `${NAME} ${VERSION} could not be compiled with TLS: ${tail(output)}`,
    'install a C++ compiler, make, Python 3 and the headers of OpenSSL and zlib (Debian: build-essential python3 libssl-dev zlib1g-dev), and run the command again',
  );

await answer(say, async () => ({ package: await ensurePackage(), version: VERSION }));
