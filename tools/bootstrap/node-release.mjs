// The Node that this clone runs under: the machine's own where it fits, else one fetched from npm and checked.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { runChild } from './child.mjs';
import { exclusively } from './lock.mjs';
import { BootstrapError, cacheFolder, root } from './places.mjs';

export const release = JSON.parse(readFileSync(join(root, 'tools/bootstrap/node-release.json'), 'utf8'));

/** @typedef {{ bin: string, home: string }} Node the executable and the folder it was unpacked to */

/** @returns {Promise<Node>} a Node within `release.accepts` */
export async function ensureNode(say) {
  if (fits(process.versions.node)) return { bin: process.execPath, home: resolve(dirname(process.execPath), '..') };
  const home = join(cacheFolder(), 'node', release.version, `${process.platform}-${process.arch}`);
  const bin = join(home, process.platform === 'win32' ? 'bin/node.exe' : 'bin/node');
  if (!existsSync(bin)) {
    await exclusively('fetch-node', async () => {
      if (!existsSync(bin)) await fetchNode(home, say);
    });
  }
  return { bin, home };
}

function fits(version) {
  return compare(version, release.accepts.min) >= 0 && compare(version, release.accepts.below) < 0;
}

function compare(a, b) {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i += 1) if (x[i] !== y[i]) return x[i] - y[i];
  return 0;
}

async function fetchNode(home, say) {
  const platform = `${process.platform}-${process.arch}`;
  const pack = release.platforms[platform];
  if (!pack)
    throw new BootstrapError(
      `Node ${process.versions.node} is outside ${release.accepts.min} ≤ v < ${release.accepts.below}, and no Node package is known for ${platform}`,
      `install Node ${release.version} and run the command again`,
    );
  say(`fetching Node ${release.version} (${pack.package}) from npm, once for this user …`);
  forgetBrokenFetches();
  const work = mkdtempSync(join(cacheFolder(), 'fetch-'));
  try {
    const file = await download(pack, work);
    verify(pack, file);
    const unpacked = await unpack(pack, file, work);
    mkdirSync(dirname(home), { recursive: true });
    rmSync(home, { recursive: true, force: true });
    renameSync(unpacked, home);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What a killed fetch left behind; the lock is held, so none of it is in use. */
function forgetBrokenFetches() {
  for (const name of readdirSync(cacheFolder())) if (name.startsWith('fetch-')) rmSync(join(cacheFolder(), name), { recursive: true });
}

async function download(pack, work) {
  const packed = await npm(process.execPath, ['pack', `${pack.package}@${release.version}`, '--pack-destination', work, '--silent'], {
    cwd: work,
    keep: true,
  });
  const file = readdirSync(work).find((name) => name.endsWith('.tgz'));
  if (!file)
    throw new BootstrapError(
      `npm could not fetch ${pack.package}@${release.version}: ${packed.output.trim()}`,
      `check the network and the npm registry setting, or install Node ${release.version} by hand`,
    );
  return join(work, file);
}

function verify(pack, file) {
  const sha512 = createHash('sha512').update(readFileSync(file)).digest('base64');
  if (sha512 !== pack.sha512)
    throw new BootstrapError(
      `the checksum of ${pack.package}@${release.version} is ${sha512}, not the pinned one`,
      'do not use this download; report it (SECURITY.md)',
    );
}

async function unpack(pack, file, work) {
  const options = ['--prefix', work, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', '--engine-strict=false'];
  const installed = await npm(process.execPath, ['install', ...options, file], { cwd: work, keep: true });
  const unpacked = join(work, 'node_modules', pack.package);
  if (!existsSync(unpacked))
    throw new BootstrapError(`npm could not unpack ${basename(file)}: ${installed.output.trim()}`, 'run the command again');
  return unpacked;
}

/** Runs npm under the given Node: the npm that started us, else the one beside our Node, else the one on the PATH. */
export function npm(nodeBin, args, options) {
  const cli = [npmOf(process.env.npm_execpath), join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js')].find(
    (path) => path && existsSync(path),
  );
  if (cli) return runChild(nodeBin, [cli, ...args], options);
  return runChild(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { shell: process.platform === 'win32', ...options });
}

/** npm's own script; under npx the variable may name npx's, which lies beside it, and other managers set it too. */
function npmOf(execpath) {
  if (!execpath || !['npm-cli.js', 'npx-cli.js'].includes(basename(execpath))) return undefined;
  return join(dirname(execpath), 'npm-cli.js');
}

/** What every child gets: the right Node first on the PATH, its headers for native builds, and nothing that phones home. */
export function childEnvironment(node) {
  const headers = existsSync(join(node.home, 'include/node/node.h')) ? { npm_config_nodedir: node.home } : {};
  const pathKey = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const path = [dirname(node.bin), join(root, 'node_modules/.bin'), process.env[pathKey] ?? ''];
  return {
    ...process.env,
    ...headers,
    [pathKey]: path.join(process.platform === 'win32' ? ';' : ':'),
    NX_DAEMON: 'false',
    NX_NO_CLOUD: 'true',
    // Compiled code is kept beside the packages that it was made from, and goes with them: each later start is quicker.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules/.cache/portolan-compile'),
  };
}
