// Brings what a key in a PKCS#11 token needs into this user's cache: the binding (npm's pkcs11js, compiled here), and for trials a token in
// software, SoftHSM: the machine's own, else Debian's package unpacked, without root.
//
//   node tools/engines/pkcs11/install.mjs [--binding-only]
//
// Progress goes to stderr. The last line of stdout is {"binding": folder of pkcs11js, "module": libsofthsm2.so, "util": softhsm2-util}, the last
// two without --binding-only. Ends with 3 where the machine lacks a compiler or SoftHSM cannot be had, with 1 where something else failed.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exclusively } from '../../bootstrap/lock.mjs';
import { npm } from '../../bootstrap/node-release.mjs';
import { cacheFolder } from '../../bootstrap/places.mjs';
import { Absent, answer, nodeHeaders, npmArchive, tryRun } from '../installer.mjs';

const VERSION = '2.1.7';
const SHA512 = 'hstUuhkFoISF8BmTVRtaZzbF09WjE39K3gzZzUrI8WtRu4cYl4gakkd06I4Kq36kR/mkwVw2T2y3kHXk6JvuHQ==';
const PACKAGES = ['libsofthsm2', 'softhsm2', 'softhsm2-common'];

const say = (text) => process.stderr.write(`pkcs11: ${text}\n`);

/** The folder is named after what it was compiled for, and appears whole or not at all. */
async function ensureBinding() {
  const home = join(cacheFolder(), 'pkcs11js', `${VERSION}-${process.platform}-${process.arch}-${process.versions.modules}`);
  if (!existsSync(home)) await exclusively('install-pkcs11js', async (own) => existsSync(home) || compile(home, own), waiting);
  return home;
}

const waiting = { waiting: () => say('another process is installing; waiting for it …') };

async function compile(home, own) {
  say(`fetching pkcs11js ${VERSION} from npm and compiling it, once for this user …`);
  await inWork(async (work) => {
    const env = { ...process.env, ...nodeHeaders() };
    const options = { cwd: work, keep: true, started: own, env };
    const archive = await npmArchive({ name: 'pkcs11js', version: VERSION, sha512: SHA512 }, work, own);
    const quiet = ['--prefix', work, '--no-save', '--no-audit', '--no-fund', '--silent'];
    await npm(process.execPath, ['install', ...quiet, '--ignore-scripts', archive], options);
    const built = await npm(process.execPath, ['rebuild', '--prefix', work, '--foreground-scripts', 'pkcs11js'], options);
    const made = join(work, 'node_modules/pkcs11js');
    if (!existsSync(join(made, 'build/Release/pkcs11.node'))) throw notCompiled(built.output);
    mkdirSync(dirname(home), { recursive: true });
    renameSync(made, home);
  });
  say('the binding is there');
}

const notCompiled = (output) =>
  new Absent(
    `pkcs11js could not be compiled: ${output.trim().slice(-1_500)}`,
    'install a C++ compiler, make and Python 3 (Debian: build-essential python3), and run the command again',
  );

async function inWork(act) {
  const work = mkdtempSync(join(cacheFolder(), 'pkcs11-'));
  try {
    return await act(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where packages of the common systems put it. */
function findSoftHsm(root = '/') {
  const triplets = ['x86_64-linux-gnu', 'aarch64-linux-gnu'];
  const folders = [
    ...triplets.map((name) => `usr/lib/${name}/softhsm`),
    'usr/lib/softhsm',
    'usr/lib64/softhsm',
    'usr/lib64',
    'opt/homebrew/lib/softhsm',
    'usr/local/lib/softhsm',
  ];
  const bins = ['usr/bin', 'usr/local/bin', 'opt/homebrew/bin'];
  const module = folders.map((folder) => join(root, folder, 'libsofthsm2.so')).find(existsSync);
  const util = bins.map((folder) => join(root, folder, 'softhsm2-util')).find(existsSync);
  return module && util ? { module, util } : undefined;
}

async function ensureSoftHsm() {
  const home = join(cacheFolder(), 'softhsm', `${process.platform}-${process.arch}`);
  const there = () => findSoftHsm() ?? findSoftHsm(home);
  if (there() === undefined) await exclusively('install-softhsm', async (own) => there() ?? unpackDebian(home, own), waiting);
  const found = there();
  if (found === undefined) throw noSoftHsm('its packages do not hold what is expected');
  return found;
}

/** Debian's own package, compared by apt with the signed list of its archive; nothing is installed on the machine. */
async function unpackDebian(home, own) {
  if ((await tryRun('apt-get', ['--version'])).code !== 0) throw noSoftHsm('this machine has no apt-get to fetch it with');
  say("fetching SoftHSM, Debian's package, once for this user (0.4 MB) …");
  await inWork(async (work) => {
    const options = { cwd: work, started: own };
    let fetched = await tryRun('apt-get', ['download', ...PACKAGES], options);
    // A fresh machine has no lists; ours are kept in the work folder, which needs no root.
    if (fetched.code !== 0) {
      const own = ownLists(work);
      await tryRun('apt-get', [...own, 'update'], options);
      fetched = await tryRun('apt-get', [...own, 'download', ...PACKAGES], options);
    }
    const files = readdirSync(work).filter((name) => name.endsWith('.deb'));
    if (files.length !== PACKAGES.length) throw noSoftHsm(fetched.output.trim().slice(0, 500));
    for (const file of files) await tryRun('dpkg-deb', ['-x', join(work, file), join(work, 'root')], options);
    if (findSoftHsm(join(work, 'root')) === undefined) throw noSoftHsm('its packages do not hold what is expected');
    mkdirSync(dirname(home), { recursive: true });
    rmSync(home, { recursive: true, force: true });
    renameSync(join(work, 'root'), home);
  });
  say('SoftHSM is there');
}

function ownLists(work) {
  const [state, cache] = [join(work, 'state'), join(work, 'cache')];
  for (const folder of [join(state, 'lists/partial'), join(cache, 'archives/partial')]) mkdirSync(folder, { recursive: true });
  return ['-o', `Dir::State=${state}`, '-o', `Dir::Cache=${cache}`, '-o', 'Debug::NoLocking=1', '-o', 'APT::Sandbox::User='];
}

const noSoftHsm = (why) =>
  new Absent(
    `SoftHSM is not on this machine: ${why}`,
    'install SoftHSM 2 (Debian: softhsm2, Fedora: softhsm, Homebrew: softhsm) and run the command again',
  );

await answer(say, async () => {
  const binding = await ensureBinding();
  const softhsm = process.argv.includes('--binding-only') ? {} : await ensureSoftHsm();
  return { binding, ...softhsm };
});
