import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runHere } from '../test-support/run-here.js';

const vectors = fileURLToPath(new URL('../../../../libs/contracts/vectors/', import.meta.url));
const trust = join(vectors, 'valid/trust-file/demo.json');
/** What is pinned for a vector, by its name. */
const trustFor = (name: string): string => {
  if (!name.includes('fabric-')) return trust;
  return join(vectors, 'valid/trust-file', name.startsWith('fabric-real-') ? 'fabric-real.json' : 'fabric-demo.json');
};
const names = (folder: string): string[] => readdirSync(join(vectors, folder));
/** One vector for each ledger and step: libs/verify tries all of them, and here is tried how they are told. */
const oneEach = (folder: string): string[] => {
  const kinds = new Map(
    names(folder).map((name) => [`${name.includes('fabric')}${name.split('.')[0]?.replace(/^fabric-/, '') ?? ''}`, name]),
  );
  return [...kinds.values()];
};
const released = readFileSync(join(vectors, 'valid/receipt/released-disclosed.json'));

let work: string;
beforeAll(() => (work = mkdtempSync(join(tmpdir(), 'portolan-verify-'))));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const kept = (name: string, content: string | Uint8Array): string => {
  const file = join(work, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
};

describe('a receipt that holds', () => {
  it.each(names('valid/receipt'))('%s ends with 0, each step ok', async (name) => {
    const { exit, out } = await runHere(['verify', join(vectors, 'valid/receipt', name), '--trust', trustFor(name)]);
    const lines = out.split('\n');
    expect(exit).toBe(0);
    expect(lines[0]).toBe(`trust: ${trustFor(name)}`);
    expect(lines.slice(1, -1).every((line) => line.startsWith('ok '))).toBe(true);
    expect(lines.at(-1)).toMatch(/^verified: transfer [0-9a-f-]{36} from EE to PT, (released|received|refused), as anchored by (EE|PT)$/);
  });
  it('is told as JSON for scripts', async () => {
    const receipt = join(vectors, 'valid/receipt/released-disclosed.json');
    const { exit, out } = await runHere(['verify', receipt, '--trust', trust, '--json']);
    const report = JSON.parse(out) as { steps: unknown[] };
    expect(exit).toBe(0);
    expect(report).toMatchObject({ ok: true, trust, receipt, leaf: { step: 'released' } });
    expect(report).not.toHaveProperty('failed');
    expect(report.steps).toHaveLength(14);
  });
});

describe('a receipt that does not hold ends with 1 and names the step', () => {
  it.each(oneEach('refused/receipt'))('%s', async (name) => {
    const { exit, out } = await runHere(['verify', join(vectors, 'refused/receipt', name), '--trust', trustFor(name)]);
    const [step = ''] = name.split('.');
    expect(exit).toBe(1);
    expect(out).toMatch(new RegExp(`^failed  ${step} `, 'm'));
    expect(out.split('\n').at(-1)).toBe(`refused: the step ${step} failed`);
  });
  it.each(names('invalid/receipt'))('%s, which fits no schema', async (name) => {
    const { exit, out } = await runHere(['verify', join(vectors, 'invalid/receipt', name), '--trust', trustFor(name), '--json']);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, failed: expect.stringMatching(/^(form|schema|trust)$/) });
  });

  const places = Array.from({ length: 16 }, (_, i) => Math.floor(((i + 0.5) * released.length) / 16));
  it.each(places)('with the byte at %i flipped', async (place) => {
    for (const bit of [0x01, 0x80]) {
      const copy = Uint8Array.from(released);
      copy[place] = (copy[place] ?? 0) ^ bit;
      const { exit, out } = await runHere(['verify', kept('flipped.json', copy), '--trust', trust]);
      expect(exit).toBe(1);
      expect(out).toMatch(/^failed {2}[a-z-]+ /m);
    }
  });
  it.each([
    ['a line feed behind it', Buffer.concat([released, Buffer.from('\n')])],
    ['a byte order mark before it', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), released])],
    ['bytes that are no UTF-8', Buffer.concat([released.subarray(0, 50), Buffer.from([0xff]), released.subarray(51)])],
    ['its end cut off', released.subarray(0, -1)],
    ['the same JSON with spaces', Buffer.from(JSON.stringify(JSON.parse(released.toString()), null, 1))],
    ['nothing in it', Buffer.alloc(0)],
  ])('with %s', async (_, bytes) => {
    const { exit, out } = await runHere(['verify', kept('other.json', bytes), '--trust', trust, '--json']);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, failed: 'form' });
  });
});

describe('what it verifies against', () => {
  let folder: string;
  let home: string;
  beforeEach(() => {
    folder = mkdtempSync(join(work, 'folder-'));
    home = mkdtempSync(join(work, 'home-'));
    cpSync(join(vectors, 'valid/receipt/released.json'), join(folder, 'receipt.json'));
  });
  const run = (trustFile?: string, ...more: string[]): ReturnType<typeof runHere> =>
    runHere(['verify', 'receipt.json', ...more], { folder, home, ...(trustFile === undefined ? {} : { trustFile }) });
  const put = (file: string): string => {
    mkdirSync(dirname(file), { recursive: true });
    cpSync(trust, file);
    return file;
  };

  it('is nothing where nobody pinned anything, and says how to get a trust file', async () => {
    const { exit, out, notes } = await run();
    expect({ exit, out }).toEqual({ exit: 1, out: '' });
    expect(notes).toMatch(/^portolan: cli\.trust-missing: .*Next: Get the channel's trust file .*--trust FILE or PORTOLAN_TRUST/);
  });
  it('is the kept one in the order: named, configured, in the current folder, in the own folder', async () => {
    const used = async (...args: Parameters<typeof run>): Promise<string> => (await run(...args)).out.split('\n')[0] ?? '';
    const own = put(join(home, '.config/portolan/trust.json'));
    expect(await used()).toBe(`trust: ${own}`);
    const here = put(join(folder, 'portolan-trust.json'));
    expect(await used()).toBe(`trust: ${here}`);
    const configured = put(join(folder, 'configured.json'));
    expect(await used('configured.json')).toBe(`trust: ${configured}`);
    expect(await used('')).toBe(`trust: ${here}`);
    const named = put(join(folder, 'named.json'));
    expect(await used('configured.json', '--trust', 'named.json')).toBe(`trust: ${named}`);
  });
  it.each([
    ['that is missing', undefined, 'cli.file-unreadable'],
    ['that is no JSON', 'trust me', 'cli.trust-invalid'],
    ['that is the receipt itself', released.toString(), 'cli.trust-invalid'],
  ])('is not another file instead of a named one %s', async (_, content, code) => {
    put(join(home, '.config/portolan/trust.json'));
    if (content !== undefined) writeFileSync(join(folder, 'named.json'), content);
    for (const outcome of [await run(undefined, '--trust', 'named.json'), await run('named.json')]) {
      expect(outcome).toMatchObject({ exit: 1, out: '', notes: expect.stringContaining(code) });
    }
  });
  it('is another channel than the receipt’s', async () => {
    const other = JSON.stringify({ ...(JSON.parse(readFileSync(trust, 'utf8')) as object), channel: 'another-channel' });
    expect((await run(undefined, '--trust', kept('other-channel.json', other))).out).toMatch(/^failed {2}trust /m);
  });
});

it.each([
  ['is not there', '/nonexistent/receipt.json', 'cli.file-unreadable'],
  ['is a folder', tmpdir(), 'cli.folder-given'],
])('a receipt that %s ends with 1', async (_, receipt, code) => {
  expect(await runHere(['verify', receipt, '--trust', trust])).toMatchObject({ exit: 1, out: '', notes: expect.stringContaining(code) });
});
