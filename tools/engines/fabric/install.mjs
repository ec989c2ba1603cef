// Brings Hyperledger Fabric's programs into this user's cache: built from Fabric's Go module, whose sources Go compares with go.sum, with
// the changes of patches/ to the library by which its orderers agree.
//
//   node tools/engines/fabric/install.mjs
//
// Progress goes to stderr. The last line of stdout is {"bin": folder of programs, "config": folder of Fabric's sample configuration,
// "version": Fabric's}. Ends with 3 where Go is absent, with 1 where something else failed; both say what to do.
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
} from 'node:fs';
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { exclusively } from '../../bootstrap/lock.mjs';
import { BootstrapError, cacheFolder } from '../../bootstrap/places.mjs';
import { Absent, answer, tryRun } from '../installer.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const VERSION = '3.1.1';
const MODULE = 'github.com/hyperledger/fabric';
/** A library of Fabric's, and what we change in it; the patch says why. */
const PATCHED = { module: 'github.com/hyperledger-labs/SmartBFT', patch: join(here, 'patches/smartbft.patch') };
const PROGRAMS = ['peer', 'orderer', 'configtxgen', 'configtxlator', 'osnadmin', 'discover'];
const SAMPLES = ['core.yaml', 'orderer.yaml'];
const SUMS = 'sha256.json';
/** Go's own download of a matching toolchain needs a version that knows how. */
const GO_MIN = [1, 21];
const exe = platform() === 'win32' ? '.exe' : '';

const say = (text) => process.stderr.write(`fabric: ${text}\n`);

/** Of the person's own Go settings the proxy and checksum database are kept; what would alter the programs is not. */
const goEnvironment = { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false -trimpath', GOWORK: 'off', CGO_ENABLED: '0' };

/** In this folder, its module's. */
const tryGo = (go, args, options = {}) => tryRun(go, args, { cwd: here, env: goEnvironment, ...options });

/** @returns {Promise<{ go: string, version: string } | undefined>} the command, and the version that builds in this module */
async function findGo() {
  const named = process.env.GOROOT && join(process.env.GOROOT, `bin/go${exe}`);
  for (const go of [named, 'go', '/usr/local/go/bin/go'].filter(Boolean)) {
    const { code, output } = await tryGo(go, ['env', 'GOVERSION']);
    const version = output.trim().split('\n').at(-1);
    if (code === 0 && fits(version)) return { go, version };
  }
  return undefined;
}

function fits(version) {
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  return major > GO_MIN[0] || (major === GO_MIN[0] && minor >= GO_MIN[1]);
}

/** One version of the project and one of Go have one folder, which appears whole or not at all. */
function homeOf(goVersion) {
  const hash = createHash('sha256').update(`${platform()}-${arch()}\n`);
  for (const file of [join(here, 'go.mod'), join(here, 'go.sum'), PATCHED.patch]) hash.update(readFileSync(file));
  return join(cacheFolder(), 'fabric', `${VERSION}-${hash.digest('hex').slice(0, 12)}-${goVersion}`);
}

/** What was built here before Go was taken from the machine. */
function findBuilt() {
  const any = homeOf('');
  if (!existsSync(dirname(any))) return undefined;
  const name = readdirSync(dirname(any)).find((entry) => entry.startsWith(basename(any)));
  return name && join(dirname(any), name);
}

async function ensureHome() {
  const found = await findGo();
  if (found === undefined) {
    const built = findBuilt();
    if (built !== undefined) return built;
    throw new Absent(
      `Fabric is built from its Go module, and there is no Go ≥ ${GO_MIN.join('.')} on this machine`,
      'install Go (https://go.dev/dl, Debian: golang-go), put it on PATH or name it in GOROOT, and run the command again',
    );
  }
  const home = homeOf(found.version);
  if (!existsSync(home))
    await exclusively('install-fabric', async (own) => existsSync(home) || build(home, found, own), {
      waiting: () => say('another process is building Fabric; waiting for it …'),
      patienceMs: 30 * 60_000,
    });
  return home;
}

async function build(home, { go, version }, own) {
  mkdirSync(dirname(home), { recursive: true });
  // What a killed build left behind; the lock is held, so none of it is in use. What it compiled is in Go's own cache.
  for (const name of readdirSync(dirname(home))) if (name.startsWith('build-')) rmSync(join(dirname(home), name), { recursive: true });
  const work = mkdtempSync(join(dirname(home), 'build-'));
  try {
    say(`fetching the sources of Fabric ${VERSION}, once for this user …`);
    const { Dir: sources } = JSON.parse((await mustRun(go, ['mod', 'download', '-json', MODULE], own)).output);
    const modFile = await patchedModFile(go, join(work, 'sources'), own);
    mkdirSync(join(work, 'bin'));
    for (const [i, program] of PROGRAMS.entries()) {
      say(`building ${program} with ${version} (${i + 1} of ${PROGRAMS.length}) …`);
      const args = [
        'build',
        `-modfile=${modFile}`,
        '-ldflags=-s -w',
        '-o',
        join(work, 'bin', `${program}${exe}`),
        `${MODULE}/cmd/${program}`,
      ];
      await mustRun(go, args, own);
    }
    rmSync(join(work, 'sources'), { recursive: true });
    copySamples(join(sources, 'sampleconfig'), join(work, 'config'));
    writeFileSync(join(work, SUMS), JSON.stringify(await sumsOf(work), null, 2));
    chmodSync(work, 0o755);
    renameSync(work, home);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say('built');
}

/** Our go.mod, but for the patched library, which is a copy of its sources in `folder`. */
async function patchedModFile(go, folder, own) {
  const { Dir: original } = JSON.parse((await mustRun(go, ['mod', 'download', '-json', PATCHED.module], own)).output);
  const copy = join(folder, 'patched');
  cpSync(original, copy, { recursive: true });
  writable(copy);
  const patch = ['apply', '--whitespace=nowarn', PATCHED.patch];
  // Not as a part of a repository that the cache may lie in.
  const { code, output } = await tryRun('git', patch, { cwd: copy, env: { ...process.env, GIT_CEILING_DIRECTORIES: folder } });
  if (code !== 0) {
    throw new BootstrapError(
      `git could not change the sources of ${PATCHED.module}: ${output.trim().slice(-2_000)}`,
      'install git and run the command again',
    );
  }
  const modFile = join(folder, 'go.mod');
  copyFileSync(join(here, 'go.mod'), modFile);
  copyFileSync(join(here, 'go.sum'), join(folder, 'go.sum'));
  appendFileSync(modFile, `\nreplace ${PATCHED.module} => ${JSON.stringify(copy)}\n`);
  return modFile;
}

/** What is in Go's module cache is read-only, folders too, and a copy of it is at first. */
function writable(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) writable(path);
    else chmodSync(path, 0o644);
  }
}

async function mustRun(go, args, own) {
  const done = await tryGo(go, args, { started: own });
  if (done.code === 0) return done;
  throw new BootstrapError(
    `"go ${args[0]}" failed: ${done.output.trim().slice(-2_000)}`,
    'check the network, GOPROXY and the free disk space (it takes 2 GB), and run the command again: it goes on where it was',
  );
}

/** Files of Go's module cache are read-only; copies of ours may be removed. */
function copySamples(from, to) {
  mkdirSync(to);
  for (const name of SAMPLES) {
    copyFileSync(join(from, name), join(to, name));
    chmodSync(join(to, name), 0o644);
  }
}

/** @returns {Promise<Record<string, string>>} sha256 of each program by its path */
async function sumsOf(home) {
  const sums = {};
  for (const folder of ['bin', 'config']) {
    for (const name of readdirSync(join(home, folder)).sort()) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(join(home, folder, name), { highWaterMark: 1 << 20 }), hash);
      sums[`${folder}/${name}`] = hash.digest('hex');
    }
  }
  return sums;
}

/** A program that was altered, cut off or added after it was built is never run. */
async function verify(home) {
  const next = 'remove that folder and run the command again';
  const wanted = existsSync(join(home, SUMS)) ? JSON.parse(readFileSync(join(home, SUMS), 'utf8')) : {};
  const found = await sumsOf(home);
  const names = new Set([...Object.keys(wanted), ...Object.keys(found), ...PROGRAMS.map((program) => `bin/${program}${exe}`)]);
  for (const name of names)
    if (wanted[name] === undefined || wanted[name] !== found[name])
      throw new BootstrapError(`Fabric in ${home} was changed: ${name} is not what was built`, next);
  for (const program of PROGRAMS)
    if (platform() !== 'win32' && (statSync(join(home, 'bin', program)).mode & 0o100) === 0)
      throw new BootstrapError(`Fabric in ${home} was changed: ${program} cannot be run`, next);
}

await answer(say, async () => {
  const home = await ensureHome();
  await verify(home);
  return { bin: join(home, 'bin'), config: join(home, 'config'), version: VERSION };
});
