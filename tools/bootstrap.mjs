// Makes a fresh clone ready, with nothing but Node >= 20 and git on the machine: the right Node, the locked packages,
// a current build. Then it runs the rest of its command line under that Node.
//
//   node tools/bootstrap.mjs [--quiet] [--no-build] COMMAND [ARG …]
//
// No dependency may be imported here: this file runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const release = JSON.parse(readFileSync(join(root, 'tools/node-release.json'), 'utf8'));

/** Where downloads live that all clones of one user share. */
export function cacheFolder() {
  const base = process.env.PORTOLAN_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'portolan');
  mkdirSync(base, { recursive: true });
  return base;
}

function fail(what, next) {
  process.stderr.write(`portolan bootstrap: ${what}\n  next: ${next}\n`);
  process.exit(1);
}

function compare(a, b) {
  const [x, y] = [a, b].map((v) => v.split('.').map(Number));
  for (let i = 0; i < 3; i += 1) if (x[i] !== y[i]) return x[i] - y[i];
  return 0;
}

const fits = (version) => compare(version, release.accepts.min) >= 0 && compare(version, release.accepts.below) < 0;

function npmCommand(nodeBin) {
  const own = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  const cli = process.env.npm_execpath?.endsWith('.js') ? process.env.npm_execpath : existsSync(own) ? own : undefined;
  return cli ? [nodeBin, [cli]] : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
}

function npm(nodeBin, args, options) {
  const [command, first] = npmCommand(nodeBin);
  return spawnSync(command, [...first, ...args], { encoding: 'utf8', ...options });
}

function fetchNode(target, say) {
  const platform = `${process.platform}-${process.arch}`;
  const pack = release.platforms[platform];
  if (!pack)
    fail(
      `Node ${process.versions.node} is outside ${release.accepts.min} ≤ v < ${release.accepts.below}, and no Node package is known for ${platform}`,
      `install Node ${release.version} and run the command again`,
    );
  say(`fetching Node ${release.version} (${pack.package}) from npm, once for this user …`);
  const work = mkdtempSync(join(cacheFolder(), 'fetch-'));
  try {
    const packed = npm(process.execPath, ['pack', `${pack.package}@${release.version}`, '--pack-destination', work, '--silent'], {
      cwd: work,
    });
    const file = readdirSync(work).find((name) => name.endsWith('.tgz'));
    if (!file)
      fail(
        `npm could not fetch ${pack.package}@${release.version}: ${packed.stderr?.trim()}`,
        `check the network and the npm registry setting, or install Node ${release.version} by hand`,
      );
    const sha512 = createHash('sha512')
      .update(readFileSync(join(work, file)))
      .digest('base64');
    if (sha512 !== pack.sha512)
      fail(
        `the checksum of ${pack.package}@${release.version} is ${sha512}, not the pinned one`,
        'do not use this download; report it (SECURITY.md)',
      );
    const installed = npm(
      process.execPath,
      ['install', '--prefix', work, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', join(work, file)],
      { cwd: work },
    );
    const unpacked = join(work, 'node_modules', pack.package);
    if (!existsSync(unpacked)) fail(`npm could not unpack ${file}: ${installed.stderr?.trim()}`, 'run the command again');
    mkdirSync(dirname(target), { recursive: true });
    // Another clone may have been faster: a rename onto a full folder fails, and what lies there is as good.
    try {
      renameSync(unpacked, target);
    } catch {
      if (!existsSync(target)) throw new Error(`cannot write ${target}`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The folder of a Node that fits: the running one, or one fetched into the cache. */
function ensureNode(say) {
  if (fits(process.versions.node)) return { bin: process.execPath, home: resolve(dirname(process.execPath), '..') };
  const home = join(cacheFolder(), 'node', release.version, `${process.platform}-${process.arch}`);
  const bin = join(home, process.platform === 'win32' ? 'bin/node.exe' : 'bin/node');
  if (!existsSync(bin)) fetchNode(home, say);
  return { bin, home };
}

function childEnvironment(node) {
  return {
    ...process.env,
    PATH: dirname(node.bin) + delimiter + (process.env.PATH ?? ''),
    npm_config_nodedir: node.home,
    NX_DAEMON: 'false',
    NX_NO_CLOUD: 'true',
  };
}

/** `npm ci`, once for each lock file and Node. */
function ensurePackages(node, say) {
  const stampFile = join(root, 'node_modules/.portolan-stamp');
  const stamp = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(release.version)
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('installing the locked packages (npm ci), once …');
  const done = npm(node.bin, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env: childEnvironment(node),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (done.status !== 0)
    fail(
      'npm ci did not succeed (its message stands above)',
      'mend what it names and run the command again; nothing half-installed is used',
    );
  writeFileSync(stampFile, stamp);
}

function newest(folder, latest = 0) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    const path = join(folder, entry.name);
    latest = entry.isDirectory() ? newest(path, latest) : Math.max(latest, statSync(path).mtimeMs);
  }
  return latest;
}

/** Builds when a source is newer than the last build. */
function ensureBuild(node, say) {
  const stampFile = join(root, 'node_modules/.portolan-build');
  const sources = Math.max(newest(join(root, 'libs')), newest(join(root, 'apps')), statSync(join(root, 'tsconfig.base.json')).mtimeMs);
  if (existsSync(stampFile) && Number(readFileSync(stampFile, 'utf8')) === sources) return;
  say('building …');
  const done = spawnSync(node.bin, [join(root, 'tools/build.mjs')], {
    cwd: root,
    env: childEnvironment(node),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (done.status !== 0) fail('the build failed (its message stands above)', 'mend what it names and run the command again');
  writeFileSync(stampFile, String(sources));
}

/** Readies the clone and answers with the Node to use and the environment for children. */
export function ready({ quiet = false, build = true } = {}) {
  const say = quiet ? () => undefined : (text) => process.stderr.write(`portolan: ${text}\n`);
  const node = ensureNode(say);
  ensurePackages(node, say);
  if (build) ensureBuild(node, say);
  return { node, env: childEnvironment(node) };
}

/** Runs `args` under the readied Node, passing signals and the exit code through. */
export async function run(args, options) {
  const { node, env } = ready(options);
  const { spawn } = await import('node:child_process');
  const [command, ...rest] = args[0] === 'node' ? [node.bin, ...args.slice(1)] : args;
  const child = spawn(command, rest, { env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot start ${command}: ${error.message}`, 'check the command line'));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + 15 : (code ?? 1)));
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const options = {};
  while (args[0]?.startsWith('--')) {
    const flag = args.shift();
    if (flag === '--quiet') options.quiet = true;
    else if (flag === '--no-build') options.build = false;
    else fail(`unknown option ${flag}`, 'node tools/bootstrap.mjs [--quiet] [--no-build] COMMAND [ARG …]');
  }
  if (args.length === 0) fail('no command given', 'node tools/bootstrap.mjs [--quiet] [--no-build] COMMAND [ARG …]');
  await run(args, options);
}
