import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { softHsm, SoftToken, type SoftHsm } from '@portolan/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nodeConfig } from '../test-support/node-config.js';
import { runHere, type Outcome } from '../test-support/run-here.js';
import { keyFindings } from '../doctor/key.checks.js';

const found = await softHsm();
const absent = 'absent' in found ? found.absent : undefined;
const inCi = process.env['CI'] === 'true';

describe.skipIf(absent !== undefined && !inCi)(`keys in a token${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  let folder: string;
  let token: SoftToken;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'portolan-cert-token-'));
    token = await SoftToken.create(found as SoftHsm, folder);
    vi.stubEnv('SOFTHSM2_CONF', token.conf);
    writeFileSync(join(folder, 'token.json'), JSON.stringify(token.config));
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  const cert = (...args: string[]): Promise<Outcome> => runHere(['cert', ...args], { folder });
  const inToken = ['--pkcs11', 'token.json'];

  it('sign as an authority, and without the token nothing is signed', async () => {
    expect(await cert('authority', '--home', 'ee', '--org', 'EE', ...inToken)).toMatchObject({
      exit: 0,
      notes: expect.stringContaining('in the token'),
    });
    expect(await cert('issue', 'inbox', '--home', 'ee', ...inToken)).toMatchObject({
      exit: 0,
      notes: expect.stringMatching(/^issued inbox EE/),
    });
    const authority = join(folder, 'ee', 'authority');
    for (const name of readdirSync(authority)) expect(readFileSync(join(authority, name), 'utf8')).not.toContain('PRIVATE KEY');
    expect(await cert('renew', 'inbox', '--home', 'ee', '--now')).toMatchObject({
      exit: 1,
      notes: expect.stringContaining('keys.token-unavailable'),
    });
    expect(await cert('renew', 'inbox', '--home', 'ee', '--now', ...inToken)).toMatchObject({ exit: 0 });
  });

  it('are made once for the ledger, and doctor signs with what the node will', async () => {
    const ledgerKey = { kind: 'pkcs11' as const, ...token.config };
    const ofNode = async (change: object = {}): Promise<{ ok: boolean; what: string }> => {
      const config = await nodeConfig(join(folder, 'node'), { ledgerKey: { ...ledgerKey, ...change } });
      return (await keyFindings(config)).find(({ check }) => check === 'EE key notary/ledger') ?? expect.fail('not looked at');
    };
    expect(await ofNode()).toMatchObject({ ok: false, what: expect.stringContaining('keys.none-live') });
    const made = await cert('key', ...inToken);
    expect(made).toMatchObject({ exit: 0, notes: expect.stringContaining('register it on the channel') });
    expect(JSON.parse(made.out)).toMatchObject({ use: 'ledger', publicJwk: { kty: 'EC', crv: 'P-256' } });
    expect(await cert('key', ...inToken)).toMatchObject({ out: made.out, notes: expect.stringMatching(/^nothing to do/) });
    expect(await ofNode()).toMatchObject({ ok: true });
    expect(await ofNode({ token: 'another' })).toMatchObject({ ok: false, what: expect.stringContaining('keys.token-unavailable') });
  });

  it('are not looked for where the file does not say where', async () => {
    writeFileSync(join(folder, 'half.json'), '{"module":"x"}');
    expect(await cert('key', '--pkcs11', 'half.json')).toMatchObject({ exit: 1, notes: expect.stringContaining('config.invalid') });
  });
});
