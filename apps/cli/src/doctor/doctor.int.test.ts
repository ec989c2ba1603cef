import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeConfig } from '@portolan/contracts';
import { FileKeyVault, SystemClock } from '@portolan/nest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepConfig, nodeConfig, portOf, stranger } from '../test-support/node-config.js';
import { runHere } from '../test-support/run-here.js';
import type { Finding } from './finding.js';
import { folderFindings } from './folder.checks.js';
import { keyFindings } from './key.checks.js';

let work: string;
/** Holds a port that is not ours. */
let other: Server;
beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'portolan-doctor-'));
  other = await stranger();
});
afterAll(async () => {
  rmSync(work, { recursive: true, force: true });
  await new Promise((resolve) => other.close(resolve));
});

const configFile = (name: string, more: Partial<NodeConfig> = {}): Promise<string> => keepConfig(join(work, name), more);
const findings = async (...args: string[]): Promise<readonly Finding[]> => {
  const { exit, out } = await runHere(['doctor', '--json', ...args], { folder: work });
  const report = JSON.parse(out) as { ok: boolean; findings: Finding[] };
  expect(report.ok).toBe(report.findings.every(({ ok }) => ok));
  expect(exit).toBe(report.ok ? 0 : 1);
  return report.findings;
};
const about = (found: readonly Finding[], check: string): Finding =>
  found.find((one) => one.check === check) ?? expect.fail(`no finding about ${check}: ${found.map((one) => one.check).join(', ')}`);

describe('doctor', () => {
  it('where there is no node says how to get one', async () => {
    const { exit, out } = await runHere(['doctor'], { folder: work });
    expect(exit).toBe(1);
    expect(out).toMatch(/^ok {5}machine +Node 24\./m);
    expect(out).toMatch(/^WRONG {2}configuration +none under .*\n +next: Start portolan demo once/m);
    expect(out).toMatch(/2 checks, 1 wrong$/);
  });
  it('looks at everything where nothing is there, and says of each thing how to mend it', async () => {
    const found = await findings('--config', await configFile('nothing'));
    const wrong = [
      ...['edge', 'exchange', 'notary'].flatMap((role) => [`EE folder ${role}`, `EE master key ${role}`, `EE database ${role}`]),
      ...['exchange/sign', 'exchange/seal', 'exchange/tls', 'notary/ledger', 'notary/tls'].map((key) => `EE key ${key}`),
      ...['inbox', 'at PT', 'at the orderer'].map((certificate) => `EE certificate ${certificate}`),
      ...['EE node', 'EE orderer', 'EE inbox at PT'],
    ];
    expect(
      found
        .filter(({ ok }) => !ok)
        .map(({ check }) => check)
        .sort(),
    ).toEqual(wrong.sort());
    for (const { ok, what, next } of found) expect({ what: what !== '', next: next !== '' }).toEqual({ what: true, next: !ok });
    expect(about(found, 'EE country folder').ok).toBe(true);
  });
  it('looks at every country of the data folder', async () => {
    for (const [folder, country] of [
      ['data/ee', 'EE'],
      ['data/pt', 'PT'],
    ] as const)
      await configFile(folder, { country });
    mkdirSync(join(work, 'data/postgres'));
    const found = await findings('--folder', 'data');
    expect(found.filter(({ check }) => check.endsWith('configuration')).map(({ check }) => check)).toEqual([
      'EE configuration',
      'PT configuration',
    ]);
    expect((await findings('--folder', 'data', '--country', 'pt')).some(({ check }) => check.startsWith('EE'))).toBe(false);
  });
  it.each([
    ['no JSON', '{', /config\.invalid: .*\(not JSON\)/],
    [
      'a field too many',
      JSON.stringify({ v: 1, extra: true }),
      /config\.invalid: .*(must have required property|must NOT have additional)/,
    ],
  ])('names what is wrong with a configuration: %s', async (_, text, what) => {
    const file = join(work, 'broken.json');
    writeFileSync(file, text);
    const found = await findings('--config', file);
    expect(found).toHaveLength(2);
    expect(found[1]).toMatchObject({ ok: false, what: expect.stringMatching(what) });
  });
  it('names the demonstration’s settings in a product', async () => {
    const demoOpenid = { door: { host: '127.0.0.1', port: 0 }, file: 'x' };
    const found = await findings('--config', await configFile('product', { mode: 'production', demoOpenid }));
    expect(found[1]).toMatchObject({ ok: false, what: expect.stringContaining('config.demo-only') });
  });
  it('names a port that another program holds', async () => {
    const found = await findings('--config', await configFile('ports', { mllp: { host: '127.0.0.1', port: portOf(other) } }));
    expect(about(found, 'EE port mllp')).toMatchObject({ ok: false, what: `another program holds 127.0.0.1:${portOf(other)}` });
  });
  it('tells roles apart that are not up', async () => {
    const transport = { kind: 'tcp', host: '127.0.0.1', edge: 0, exchange: 0, notary: portOf(other) } as const;
    const found = await findings('--config', await configFile('apart', { transport, inbox: { host: '127.0.0.1', port: 9 } }));
    expect(about(found, 'EE node')).toMatchObject({ ok: false, next: 'portolan node --country EE --role edge' });
    expect(about(found, 'EE port inbox')).toMatchObject({ ok: false, what: 'nothing answers at 127.0.0.1:9' });
    expect(found.some(({ check }) => check === 'EE port notary')).toBe(false);
    expect(about(found, 'EE certificate internal notary').ok).toBe(false);
  });
  it('names a country that has no folder', async () => {
    const found = await findings('--config', await configFile('country', { countries: join(work, 'nothing') }));
    expect(about(found, 'EE country folder')).toMatchObject({ ok: false, what: expect.stringContaining('config.unreadable') });
  });
});

describe.skipIf(process.platform === 'win32')('folders', () => {
  const made = async (name: string, more: Partial<NodeConfig> = {}): Promise<NodeConfig> => {
    const home = join(work, name);
    for (const folder of ['edge', 'exchange/keys', 'notary']) mkdirSync(join(home, folder), { recursive: true, mode: 0o700 });
    return nodeConfig(home, more);
  };
  it('for their owner alone are well', async () => {
    expect((await folderFindings(await made('well'))).every(({ ok }) => ok)).toBe(true);
  });
  it('that everybody may look into are named, also deep inside', async () => {
    const open = await made('open');
    chmodSync(join(open.home, 'edge'), 0o755);
    writeFileSync(join(open.home, 'exchange/keys/x.key.pem'), '');
    chmodSync(join(open.home, 'exchange/keys/x.key.pem'), 0o644);
    const found = await folderFindings(open);
    expect(about(found, 'EE folder edge')).toMatchObject({ ok: false, next: expect.stringContaining('chmod') });
    expect(about(found, 'EE folder exchange').what).toContain('x.key.pem');
    expect(about(found, 'EE folder notary').ok).toBe(true);
  });
  it.each([
    ['production', false],
    ['demo', true],
  ] as const)('of the setup tool beside a node in %s: %s', async (mode, ok) => {
    const setup = await made(`setup-${mode}`, { mode });
    mkdirSync(join(setup.home, 'governance'), { mode: 0o700 });
    expect(about(await folderFindings(setup), 'EE folder governance').ok).toBe(ok);
  });
});

describe('keys', () => {
  const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  it('are told by the days that are left, each use by its own measure', async () => {
    const setting = await nodeConfig(join(work, 'keys'));
    const vault = new FileKeyVault({ folder: join(setting.home, 'exchange/keys'), clock: new SystemClock() });
    await vault.generate('sign', { notBefore: day(-1), notAfter: day(20.5) });
    await vault.generate('seal', { notBefore: day(-1), notAfter: day(20.5) });
    await vault.generate('tls', { notBefore: day(-2), notAfter: day(-1) });
    const found = await keyFindings(setting);
    expect(about(found, 'EE key exchange/sign')).toMatchObject({ ok: false, what: 'ends in 20 days' });
    expect(about(found, 'EE key exchange/seal')).toMatchObject({ ok: true, what: '20 days left' });
    expect(about(found, 'EE key exchange/tls')).toMatchObject({ ok: false, what: expect.stringContaining('keys.none-live') });
  });
});
