import { createHash, createPublicKey, verify } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { externalSigner } from '@portolan/fabric-channel';
import { ExternalKeySigner, JoseSigner } from '@portolan/jose';
import { CertificateOffice, FileKeyVault } from '@portolan/keys';
import { Token, TokenSigningKeys } from '@portolan/pkcs11';
import { readRevocations, verifyChain, X509Authorities } from '@portolan/x509';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { keyPair } from '../stack/certificates.js';
import { softHsm, SoftToken, type SoftHsm } from '../stack/pkcs11/soft-token.js';
import { SetClock } from './set-clock.js';
import { signingKeysContract } from './signing-keys.contract.js';

/** Half the order of P-256 (SEC 2, section 2.4.2). */
const HALF_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n / 2n;
const clockAt = (ms: number): SetClock => new SetClock(ms);
const inTemporary = (): Promise<string> => mkdtemp(join(tmpdir(), 'portolan-signing-'));

signingKeysContract(
  'files',
  async () => {
    const folder = await inTemporary();
    return {
      open: (clock) => new FileKeyVault({ folder, clock }),
      close: () => rm(folder, { recursive: true, force: true }),
    };
  },
  clockAt,
);

const found = await softHsm();
const absent = 'absent' in found ? found.absent : undefined;
const hsm = found as SoftHsm;
const inCi = process.env['CI'] === 'true';

describe.skipIf(absent !== undefined && !inCi)(`a PKCS#11 token${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  let folder: string;
  let soft: SoftToken;
  const tokens: Token[] = [];
  /** A process is logged in as a whole: a test of its own begins where nobody is. */
  const alone = async (): Promise<void> => {
    for (const token of tokens.splice(0)) await token.close();
  };
  const open = (change: Partial<SoftToken['config']> = {}): Token => {
    const token = new Token({ ...soft.config, ...change });
    tokens.push(token);
    return token;
  };
  beforeAll(async () => {
    folder = await inTemporary();
    soft = await SoftToken.create(hsm, folder);
    vi.stubEnv('SOFTHSM2_CONF', soft.conf);
  });
  afterAll(async () => {
    await alone();
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  signingKeysContract(
    'a token',
    () => {
      const shared = open({ maxSessions: 3 });
      return Promise.resolve({ open: (clock) => new TokenSigningKeys(shared, { clock }), close: () => Promise.resolve() });
    },
    clockAt,
  );

  const validity = { notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2036-01-01T00:00:00.000Z' };
  const clock = clockAt(Date.parse('2026-11-21T10:00:00.000Z'));

  it('refuses a wrong PIN once, and is not asked again', async () => {
    await alone();
    const pinFile = join(folder, 'wrong-pin');
    await writeFile(pinFile, '9999\n', { mode: 0o600 });
    const keys = new TokenSigningKeys(open({ pinFile }), { clock });
    for (let tries = 0; tries < 20; tries += 1)
      await expect(keys.current('ledger')).rejects.toMatchObject({ code: 'keys.token-pin-refused', retriable: false });
    expect(await new TokenSigningKeys(open(), { clock }).list('ledger')).toEqual([]);
  });

  it('takes no PIN from a file that everybody may read', async () => {
    const pinFile = join(folder, 'open-pin');
    await writeFile(pinFile, '1234\n');
    await chmod(pinFile, 0o644);
    await expect(new TokenSigningKeys(open({ pinFile }), { clock }).list('ledger')).rejects.toMatchObject({ code: 'keys.too-open' });
  });

  it.each([
    ['another label', { token: 'nobody' }],
    ['no library', { module: '/nonexistent/libpkcs11.so' }],
    ['no binding', { binding: '/nonexistent/pkcs11js' }],
  ])('with %s is unavailable, which may be tried later', async (_what, change) => {
    await expect(new TokenSigningKeys(open(change), { clock }).list('ledger')).rejects.toMatchObject({
      code: 'keys.token-unavailable',
      retriable: true,
    });
  });

  it('that goes away fails with that code, and signs again when it is back, without a restart', async () => {
    await alone();
    const keys = new TokenSigningKeys(open(), { clock, refreshMs: 0 });
    const { kid } = await keys.generate('ledger', validity);
    expect(await keys.sign(kid, new Uint8Array(3))).toHaveLength(64);
    await rename(join(folder, 'tokens'), join(folder, 'taken-out'));
    await expect(keys.sign(kid, new Uint8Array(3))).rejects.toMatchObject({ code: 'keys.token-unavailable', retriable: true });
    await rename(join(folder, 'taken-out'), join(folder, 'tokens'));
    expect(await keys.sign(kid, new Uint8Array(3))).toHaveLength(64);
    await keys.destroy(kid);
  });

  it('holds an authority’s key, which issues, renews and revokes, and is on no disk', async () => {
    await alone();
    const token = new TokenSigningKeys(open(), { clock });
    const home = join(folder, 'ee');
    const authorities = new X509Authorities();
    const office = new CertificateOffice({ home, authorities, clock, token });
    const { exchange } = await office.ensureAuthorities('EE');
    expect(await office.ensureAuthorities('EE')).toMatchObject({ exchange });
    const key = keyPair();
    const issued = await office.issuePartner('PT', await authorities.request({ commonName: '', hosts: [] }, key));
    expect(verifyChain(issued.entry.certificatePem, exchange, { at: clock.at, purpose: 'client' }).kid).toBe(key.kid);
    const { listFile } = await office.revoke(issued.entry.serial, 'keyCompromise');
    expect((await readRevocations(await readFile(listFile, 'utf8'), exchange)).serials).toEqual(new Set([issued.entry.serial]));
    for (const name of await readdir(join(home, 'authority')))
      expect(await readFile(join(home, 'authority', name), 'utf8')).not.toContain('PRIVATE');
    const without = new CertificateOffice({ home, authorities, clock });
    await expect(without.refreshList('exchange')).rejects.toMatchObject({ code: 'keys.token-unavailable' });
  });

  it('signs records that jose verifies, and digests as Fabric wants them', async () => {
    await alone();
    const keys = new TokenSigningKeys(open(), { clock });
    const { kid, publicJwk } = await keys.generate('ledger', validity);
    const signer = new ExternalKeySigner(keys);
    const jws = await signer.sign('ledger', 'portolan-transaction+jws', '{"é":1.50}');
    expect(await new JoseSigner(new FileKeyVault({ folder, clock })).verify(jws, 'portolan-transaction+jws', publicJwk)).toBe('{"é":1.50}');
    await expect(signer.verify(jws, 'portolan-head+jws', publicJwk)).rejects.toMatchObject({ code: 'seal.signature-invalid' });
    const sign = externalSigner((digest) => keys.signDigest(kid, digest));
    for (let i = 0; i < 16; i += 1) {
      const text = Buffer.from(`proposal ${i}`);
      const der = await sign(createHash('sha256').update(text).digest());
      expect(verify('sha256', text, createPublicKey({ key: { ...publicJwk }, format: 'jwk' }), der)).toBe(true);
      // The last INTEGER of the DER is s.
      const s = BigInt(`0x${Buffer.from(der.subarray(6 + (der[3] ?? 0))).toString('hex')}`);
      expect(s <= HALF_ORDER).toBe(true);
    }
    await keys.destroy(kid);
  });

  it('turns away what would wait without end', async () => {
    await alone();
    const keys = new TokenSigningKeys(open({ maxSessions: 1, maxWaiting: 5 }), { clock });
    const { kid } = await keys.generate('ledger', validity);
    const answers = await Promise.allSettled(Array.from({ length: 40 }, () => keys.sign(kid, new Uint8Array(1))));
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'keys.token-unavailable', retriable: true });
    expect(answers.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    await keys.destroy(kid);
  });
});
