// The bootstrap on its bad days: two at once, a killed one, a child that ends by a signal, a machine with nothing on it.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshClone } from './fresh-clone.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const bootstrap = join(root, 'tools/bootstrap.mjs');
const lockModule = pathToFileURL(join(root, 'tools/bootstrap/lock.mjs')).href;

let work: string;
beforeEach(() => (work = mkdtempSync(join(tmpdir(), 'portolan-bootstrap-'))));
afterEach(() => rmSync(work, { recursive: true, force: true }));

/** A process that holds the lock `clone` while it runs `body`, with the cache of this test. */
function holder(body: string): ChildProcess {
  const script = `import { exclusively } from '${lockModule}';
    import { appendFileSync } from 'node:fs';
    import { spawn } from 'node:child_process';
    import { setTimeout as sleep } from 'node:timers/promises';
    const say = (word) => appendFileSync(${JSON.stringify(join(work, 'log'))}, word + '\\n');
    await exclusively('clone', async (started) => { ${body} });`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, PORTOLAN_CACHE: work },
    stdio: 'inherit',
  });
}

const ended = async (child: ChildProcess): Promise<number | null> => new Promise((done) => child.once('exit', (code) => done(code)));
const log = (): string[] => (existsSync(join(work, 'log')) ? readFileSync(join(work, 'log'), 'utf8').trim().split('\n') : []);
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i += 1) await sleep(20);
  expect(holds()).toBe(true);
}

describe('the lock', () => {
  it('lets one process in at a time', async () => {
    const five = Array.from({ length: 5 }, () => holder(`say('in'); await sleep(60); say('out');`));
    expect(await Promise.all(five.map(ended))).toEqual([0, 0, 0, 0, 0]);
    expect(log()).toEqual(Array.from({ length: 5 }, () => ['in', 'out']).flat());
    expect(readdirSync(join(work, 'locks'))).toEqual([]);
  });

  it('of a killed owner goes to exactly one of those who wait', async () => {
    const dead = holder(`say('dead'); await sleep(60_000);`);
    await until(() => log().includes('dead'));
    dead.kill('SIGKILL');
    const four = Array.from({ length: 4 }, () => holder(`say('in'); await sleep(40); say('out');`));
    expect(await Promise.all(four.map(ended))).toEqual([0, 0, 0, 0]);
    expect(log()).toEqual(['dead', ...Array.from({ length: 4 }, () => ['in', 'out']).flat()]);
  });

  it('is held on by a child that outlives its killed parent', async () => {
    const gate = join(work, 'gate');
    const child = `const t = setInterval(() => { if (require('fs').existsSync(${JSON.stringify(gate)})) { require('fs').appendFileSync(${JSON.stringify(join(work, 'log'))}, 'child done\\n'); clearInterval(t); } }, 20);`;
    const parent = holder(
      `const c = spawn(process.execPath, ['-e', ${JSON.stringify(child)}]); started(c.pid); say('started'); await sleep(60_000);`,
    );
    await until(() => log().includes('started'));
    parent.kill('SIGKILL');
    const next = holder(`say('in');`);
    await sleep(400);
    expect(log()).toEqual(['started']);
    appendFileSync(gate, '');
    expect(await ended(next)).toBe(0);
    expect(log()).toEqual(['started', 'child done', 'in']);
  });
});

describe('a command under the bootstrap', () => {
  const run = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [bootstrap, '--no-build', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });

  it.each([0, 1, 7])('that ends with %i ends the bootstrap so', async (code) => {
    expect(await ended(run('node', '-e', `process.exit(${code})`))).toBe(code);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('gets %s, may tidy up, and its exit code counts', async (signal) => {
    const child = run('node', '-e', `process.on('${signal}', () => process.exit(9)); console.log('up'); setInterval(() => 0, 1000)`);
    await new Promise((up) => child.stdout?.once('data', up));
    child.kill(signal);
    expect(await ended(child)).toBe(9);
  });

  it('that a signal ends, ends the bootstrap by that signal', async () => {
    const child = run('node', '-e', `console.log('up'); setInterval(() => 0, 1000)`);
    await new Promise((up) => child.stdout?.once('data', up));
    child.kill('SIGTERM');
    const signal = await new Promise((done) => child.once('exit', (_, name) => done(name)));
    expect(signal).toBe('SIGTERM');
  });

  it.each([[['--wat']], [[]], [['no-such-command-anywhere']]])('%j is refused with what to do', (args) => {
    const done = spawnSync(process.execPath, [bootstrap, ...(args[0]?.startsWith('--') === false ? ['--no-build'] : []), ...args], {
      encoding: 'utf8',
    });
    expect(done.status).toBe(1);
    expect(done.stderr).toMatch(/^portolan bootstrap: .*\n {2}next: /);
  });
});

describe('on a machine with nothing but Node and npm', () => {
  it('npx portolan installs, builds and answers, from a folder that only its owner may enter', () => {
    const clone = freshClone(root, { packages: false });
    try {
      chmodSync(clone.folder, 0o700);
      // What an interrupted install leaves is not used.
      spawnSync('mkdir', ['-p', join(clone.folder, 'node_modules/typescript')]);
      writeFileSync(join(clone.folder, 'node_modules/typescript/package.json'), '{}');
      // The npm that runs this test leaves no trace, and a foreign package of that name would be an error, not an answer.
      const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/i.test(name)));
      const env = { ...clean, npm_config_yes: 'false' };
      const done = spawnSync('npx', ['portolan', '--help'], { cwd: clone.folder, env, encoding: 'utf8', timeout: 580_000 });
      expect({ status: done.status, stderr: done.status === 0 ? '' : done.stderr }).toEqual({ status: 0, stderr: '' });
      expect(done.stdout).toMatch(/portolan/i);
    } finally {
      clone.remove();
    }
  }, 600_000);
});
