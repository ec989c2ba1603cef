import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeConfig } from '@portolan/contracts';
import { FileKeyVault, SystemClock } from '@portolan/nest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHere } from '../test-terminal.js';
import type { Finding } from './finding.js';
import { folderFindings } from './folder.checks.js';
import { keyFindings } from './key.checks.js';

let work: string;
/** Holds a port that is not ours; ports below it that nobody holds are asked of the system for a moment. */
let stranger: Server;
const portOf = (server: Server): number => (server.address() as { port: number }).port;
const listening = (): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(0, '127.0.0.1', () => resolve(server));
  });

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'portolan-doctor-'));
  stranger = await listening();
});
afterAll(async () => {
  rmSync(work, { recursive: true, force: true });
  await new Promise((resolve) => stranger.close(resolve));
});

async function freePort(): Promise<number> {
  const server = await listening();
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A configuration that fits its schema; nothing that it names is there. */
async function config(home: string, more: Partial<NodeConfig> = {}): Promise<NodeConfig> {
  const host = '127.0.0.1';
  const nowhere = { host, port: await freePort() };
  const named = { system: 'urn:portolan:test', value: 'custodian' };
  return {
    v: 1,
    mode: 'demo',
    country: 'EE',
    home,
    countries: fileURLToPath(new URL('../../../../libs/countries', import.meta.url)),
    database: { ...nowhere, name: 'portolan_ee' },
    ledger: { kind: 'embedded', genesis: join(home, 'genesis.json'), orderer: nowhere },
    inbox: { host, port: 0 },
    partners: [{ country: 'PT', inbox: nowhere }],
    transport: { kind: 'together' },
    http: nowhere,
    mllp: { host, port: 0 },
    openid: {
      issuer: 'http://127.0.0.1:9',
      audience: 'urn:portolan:node:ee',
      jwksUri: 'http://127.0.0.1:9/jwks',
      providerSystem: 'urn:portolan:test',
    },
    clients: [],
    sources: [],
    custodian: { name: 'Custodian', identifier: named },
    logging: { level: 'silent' },
    telemetry: { kind: 'none' },
    ...more,
  };
}

const configFile = async (name: string, more: Partial<NodeConfig> = {}): Promise<string> => {
  const home = join(work, name);
  mkdirSync(home, { recursive: true });
  const file = join(home, 'node.json');
  writeFileSync(file, JSON.stringify(await config(home, more)));
  return file;
};
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
      ...['EE node', 'EE orderer'],
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
    const found = await findings('--config', await configFile('ports', { mllp: { host: '127.0.0.1', port: portOf(stranger) } }));
    expect(about(found, 'EE port mllp')).toMatchObject({ ok: false, what: `another program holds 127.0.0.1:${portOf(stranger)}` });
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
    return config(home, more);
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
    const setting = await config(join(work, 'keys'));
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
