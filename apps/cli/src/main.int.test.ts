// The command as a process, as users and scripts start it. It is the built one: npm test builds first.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const main = join(root, 'apps/cli/dist/main.js');
const vectors = join(root, 'libs/contracts/vectors');
const trust = join(vectors, 'valid/trust-file/demo.json');

let work: string;
beforeAll(() => (work = mkdtempSync(join(tmpdir(), 'portolan-cli-'))));
afterAll(() => rmSync(work, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without the user's own trust file, wherever the tests run. */
function portolan(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
  const { PORTOLAN_TRUST: _, ...rest } = process.env;
  return spawnSync(process.execPath, [main, ...args], {
    cwd: work,
    encoding: 'utf8',
    env: { ...rest, HOME: work, USERPROFILE: work, ...env },
    timeout: 30_000,
  });
}

it('helps within 300 ms: no command’s work is loaded', () => {
  const times = Array.from({ length: 5 }, () => {
    const begun = performance.now();
    expect(portolan(['--help'])).toMatchObject({ status: 0, stderr: '' });
    return performance.now() - begun;
  });
  expect(Math.min(...times)).toBeLessThan(300);
});

it('keeps help of a wrong command line off standard output', () => {
  expect(portolan([])).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('Usage: portolan') });
  expect(portolan(['verfy'])).toMatchObject({ status: 2, stdout: '', stderr: "error: unknown command 'verfy'\n(Did you mean verify?)\n" });
});

describe('portolan verify', () => {
  const receipt = join(vectors, 'valid/receipt/received.json');
  it('verifies with nothing but two files, the configured trust file being one', () => {
    expect(portolan(['verify', receipt])).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('cli.trust-missing') });
    const { status, stdout, stderr } = portolan(['verify', receipt], { PORTOLAN_TRUST: trust });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/\nverified: transfer .*, received, as anchored by PT\n$/);
  });
  it('refuses a copy with one byte changed and names the step', () => {
    const copy = Uint8Array.from(readFileSync(receipt));
    copy[1000] = (copy[1000] ?? 0) ^ 1;
    writeFileSync(join(work, 'copy.json'), copy);
    const { status, stdout } = portolan(['verify', 'copy.json', '--trust', trust]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/\nrefused: the step [a-z-]+ failed\n$/);
  });
});

it('portolan translate writes beside the caller', () => {
  cpSync(join(root, 'libs/formats/fixtures/kmehr/be-jan-voorbeeld-sumehr.xml'), join(work, 'x.xml'));
  expect(portolan(['translate', '--country', 'BE', 'x.xml'])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('x.xml.fhir.json'),
  });
  expect(existsSync(join(work, 'x.xml.fhir.json'))).toBe(true);
  expect(existsSync(join(work, 'x.xml.report.json'))).toBe(true);
});

describe('portolan translate that is asked to stop', () => {
  const message = readFileSync(join(root, 'libs/formats/fixtures/hl7v2/ee-oru-r01-chemistry.hl7'), 'utf8');
  it.each([
    ['SIGINT', 130, []],
    ['SIGTERM', 143, ['--jobs', '2']],
  ] as const)(
    'by %s ends with %i, what it began being whole',
    async (signal, status, jobs) => {
      const out = join(work, `out-${signal}`);
      writeFileSync(join(work, 'many.hl7'), message.repeat(20_000));
      const child = spawn(process.execPath, [main, 'translate', '--country', 'EE', '--out', out, ...jobs, 'many.hl7'], { cwd: work });
      const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
      let [told, notes] = ['', ''];
      child.stderr.on('data', (data: Buffer) => (notes += data.toString()));
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (data: Buffer) => {
          told += data.toString();
          resolve();
        });
      });
      child.kill(signal);
      setTimeout(() => child.kill(signal), 5);
      expect(await ended).toBe(status);
      expect(notes).toContain('stopped by a signal: what follows is not begun\n');
      const files = readdirSync(out).map((name) => join(out, name));
      expect(files.length).toBeGreaterThan(1);
      expect(files.length).toBeLessThan(20_000);
      expect(told.trimEnd().split('\n').toSorted()).toEqual(files.toSorted());
      for (const file of files) expect(() => JSON.parse(readFileSync(file, 'utf8')) as unknown).not.toThrow();
    },
    60_000,
  );
});

it('a reader that stops listening ends the command without a stack', () => {
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', `"${process.execPath}" "${main}" verify "${join(vectors, 'valid/receipt/released.json')}" --trust "${trust}" | head -n 1`],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
