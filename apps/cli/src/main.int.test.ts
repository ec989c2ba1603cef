// The command as a process, as users and scripts start it. It is the built one: npm test builds first.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

it('a reader that stops listening ends the command without a stack', () => {
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', `"${process.execPath}" "${main}" verify "${join(vectors, 'valid/receipt/released.json')}" --trust "${trust}" | head -n 1`],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
