import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PublicJwk } from '@portolan/contracts';
import { jwkThumbprint } from '@portolan/domain';
import { OctetString } from 'asn1js';
import fc from 'fast-check';
import { AlgorithmIdentifier, EncryptedContentInfo, PBES2Params, PBKDF2Params } from 'pkijs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { X509Authorities } from './authority.js';
import { sha256 } from './certificate.js';
import { BoundedEngine } from './pkcs12-engine.js';
import { openPkcs12, writePkcs12 } from './pkcs12-file.js';
import { importPkcs12, type KeyWithChain } from './pkcs12.js';

/** Made by OpenSSL 3.0, passphrase `example` (`test-files/README.md`); the names in them are made up. */
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../test-files/${name}`, import.meta.url)));
const PASSPHRASE = 'a long enough phrase';
const coded = (code: string): unknown => expect.objectContaining({ code });
const opensslVersion = ((): string | undefined => {
  try {
    return execFileSync('openssl', ['version']).toString();
  } catch {
    return undefined;
  }
})();

let folder: string;
let ec: KeyWithChain;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-p12-'));
  const validity = { notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2036-01-01T00:00:00.000Z' };
  const authorities = new X509Authorities();
  const authority = await authorities.open(await authorities.create({ country: 'EE', commonName: 'EE exchange' }, validity));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = publicKey.export({ format: 'jwk' }) as PublicJwk;
  const kid = jwkThumbprint(publicJwk, sha256);
  ec = {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificatePem: await authority.issuePartner({ org: 'PT', kid, publicJwk }, validity),
    chainPems: [authority.certificatePem],
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spki = (pem: string): string => createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }).toString();
const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString();

describe('a PKCS#12 file', () => {
  it.each(['openssl-ec.p12', 'openssl-rsa.p12'])('of OpenSSL gives key, certificate and chain: %s', async (name) => {
    const content = await openPkcs12(file(name), 'example');
    const certificate = new X509Certificate(content.certificatePem);
    expect(certificate.checkPrivateKey(createPrivateKey(content.privateKeyPem))).toBe(true);
    expect(content.chainPems.length).toBeLessThanOrEqual(1);
  });

  it('of ours reads back as it was, with EC and with RSA, also where the passphrase is not ASCII', async () => {
    const rsa = await openPkcs12(file('openssl-rsa.p12'), 'example');
    for (const content of [ec, rsa]) {
      const again = await openPkcs12(await writePkcs12(content, 'võti – ключ'), 'võti – ключ');
      expect(spki(again.privateKeyPem)).toBe(spki(content.privateKeyPem));
      const raws = ({ certificatePem, chainPems }: KeyWithChain): Buffer[] =>
        [certificatePem, ...chainPems].map((pem) => new X509Certificate(pem).raw);
      expect(raws(again)).toEqual(raws(content));
    }
  });

  it.skipIf(opensslVersion === undefined)(
    'of ours is read by OpenSSL, and its algorithms are those of today (skipped where there is no openssl)',
    async () => {
      writeFileSync(join(folder, 'ours.p12'), await writePkcs12(ec, PASSPHRASE));
      writeFileSync(join(folder, 'pass'), PASSPHRASE);
      const text = openssl('pkcs12', '-in', 'ours.p12', '-passin', 'file:pass', '-nodes');
      expect(text).toContain(new X509Certificate(ec.certificatePem).toString().trim());
      expect(text).toMatch(/localKeyID[^]*BEGIN PRIVATE KEY/);
      const info = execFileSync('sh', ['-c', 'openssl pkcs12 -in ours.p12 -passin file:pass -info -noout 2>&1'], {
        cwd: folder,
      }).toString();
      expect(info).toMatch(/MAC: sha256, Iteration 10000/);
      expect(info.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256/g)).toHaveLength(2);
    },
  );

  it.skipIf(opensslVersion === undefined)('of this machine’s OpenSSL is read by us (skipped where there is no openssl)', async () => {
    writeFileSync(join(folder, 'key.pem'), ec.privateKeyPem);
    writeFileSync(join(folder, 'cert.pem'), ec.certificatePem);
    writeFileSync(join(folder, 'ca.pem'), ec.chainPems.join(''));
    openssl(
      'pkcs12',
      '-export',
      '-inkey',
      'key.pem',
      '-in',
      'cert.pem',
      '-certfile',
      'ca.pem',
      '-out',
      'theirs.p12',
      '-passout',
      `pass:${PASSPHRASE}`,
    );
    const content = await openPkcs12(new Uint8Array(readFileSync(join(folder, 'theirs.p12'))), PASSPHRASE);
    expect(spki(content.privateKeyPem)).toBe(spki(ec.privateKeyPem));
    expect(content.chainPems).toHaveLength(1);
  });
});

describe('what is no good is refused with a code', () => {
  it('a wrong passphrase, half a file, no file, a huge one', async () => {
    const good = file('openssl-ec.p12');
    await expect(openPkcs12(good, 'wrong')).rejects.toEqual(coded('x509.pkcs12-unreadable'));
    for (const bytes of [
      new Uint8Array(),
      good.slice(0, 500),
      good.slice(0, -1),
      new Uint8Array(1_000_001),
      new TextEncoder().encode('PEM'),
    ])
      await expect(openPkcs12(bytes, 'example')).rejects.toEqual(coded('x509.pkcs12-unreadable'));
  });

  it('a short passphrase for a new one, and content that is none', async () => {
    await expect(writePkcs12(ec, 'short')).rejects.toEqual(coded('x509.pkcs12-refused'));
    await expect(writePkcs12({ ...ec, privateKeyPem: 'none' }, PASSPHRASE)).rejects.toEqual(coded('x509.pkcs12-unreadable'));
    await expect(writePkcs12(ec, PASSPHRASE, { legacy: true })).rejects.toEqual(coded('x509.pkcs12-unreadable'));
  });

  it('old algorithms, but on request', async () => {
    const rsa = await openPkcs12(file('openssl-rsa.p12'), 'example');
    const old = await writePkcs12(rsa, PASSPHRASE, { legacy: true });
    await expect(openPkcs12(old, PASSPHRASE)).rejects.toEqual(coded('x509.pkcs12-refused'));
    expect(spki((await openPkcs12(old, PASSPHRASE, { legacy: true })).privateKeyPem)).toBe(spki(rsa.privateKeyPem));
  });

  const asking = [8_000_000, 1_000_000_000].flatMap((rounds) =>
    ['openssl-rsa.p12', 'openssl-ec.p12'].map((name) => [rounds, name] as const),
  );
  it.each(asking)('%i rounds, before any is run, in whatever part of %s they are asked for', async (rounds, name) => {
    // 2048 as a DER INTEGER, in the MAC and in both parts.
    const places = placesOf(file(name), [0x02, 0x02, 0x08, 0x00]);
    expect(places.length).toBeGreaterThanOrEqual(2);
    for (const at of places) {
      // The MAC's are the last. Another part's rounds, once altered, fail its check before they are run; and asn1js reads four bytes as none.
      const told = at === places.at(-1) && rounds < 2 ** 24 ? /refused/ : /refused|unreadable/;
      const costly = withInteger(file(name), at, rounds);
      const started = performance.now();
      await expect(openPkcs12(costly, 'example')).rejects.toThrow(told);
      await expect(openPkcs12(costly, 'example', { legacy: true })).rejects.toThrow(told);
      expect(() => importPkcs12(costly, 'example')).toThrow(expect.objectContaining({ code: 'x509.pkcs12-refused' }));
      expect(performance.now() - started).toBeLessThan(5_000);
    }
  });

  it('rounds without end, asked for by whoever knows the passphrase', async () => {
    const parameters = new PBES2Params({
      keyDerivationFunc: new AlgorithmIdentifier({
        algorithmId: '1.2.840.113549.1.5.12',
        algorithmParams: new PBKDF2Params({
          salt: new OctetString({ valueHex: new ArrayBuffer(8) }),
          iterationCount: 1_000_000_000,
        }).toSchema(),
      }),
      encryptionScheme: new AlgorithmIdentifier({
        algorithmId: '2.16.840.1.101.3.4.1.42',
        algorithmParams: new OctetString({ valueHex: new ArrayBuffer(16) }),
      }),
    });
    const encryptedContentInfo = new EncryptedContentInfo({
      contentEncryptionAlgorithm: new AlgorithmIdentifier({ algorithmId: '1.2.840.113549.1.5.13', algorithmParams: parameters.toSchema() }),
      encryptedContent: new OctetString({ valueHex: new ArrayBuffer(32) }),
    });
    const engine = new BoundedEngine();
    await expect(engine.decryptEncryptedContentInfo({ password: new ArrayBuffer(8), encryptedContentInfo })).rejects.toThrow(
      /too many rounds/,
    );
  });

  it('whatever byte is altered: one of our two codes, or the very key', async () => {
    const good = file('openssl-ec.p12');
    const { privateKeyPem } = await openPkcs12(good, 'example');
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, mask, legacy) => {
        const altered = good.map((byte, i) => (i === at ? byte ^ mask : byte));
        const answer = await openPkcs12(altered, 'example', { legacy }).catch((error: unknown) => error);
        if (answer instanceof Error) expect((answer as { code?: string }).code).toMatch(/^x509\.pkcs12-(unreadable|refused)$/);
        else expect(spki((answer as KeyWithChain).privateKeyPem)).toBe(spki(privateKeyPem));
      }),
      { numRuns: 300, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
    );
  });
});

function placesOf(bytes: Uint8Array, wanted: readonly number[]): number[] {
  return [...bytes.keys()].filter((at) => wanted.every((byte, i) => bytes[at + i] === byte));
}

/** The INTEGER of two bytes at `at` made a larger one; the length of everything around it grows with it. */
function withInteger(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const integer = Buffer.from(value.toString(16).padStart(value < 2 ** 24 ? 6 : 8, '0'), 'hex');
  const more = integer.length - 2;
  const grown = [...bytes.slice(0, at), 0x02, integer.length, ...integer, ...bytes.slice(at + 4)];
  for (const start of around(bytes, at)) {
    const size = bytes[start + 1] ?? 0;
    if (size === 0x82) {
      const length = ((bytes[start + 2] ?? 0) << 8) + (bytes[start + 3] ?? 0) + more;
      [grown[start + 2], grown[start + 3]] = [length >> 8, length & 255];
    } else if (size === 0x81) grown[start + 2] = (bytes[start + 2] ?? 0) + more;
    else grown[start + 1] = size + more;
  }
  return new Uint8Array(grown);
}

/** Where the constructed values and the OCTET STRINGs with DER begin that hold the place. */
function around(bytes: Uint8Array, place: number): number[] {
  const starts: number[] = [];
  for (let at = 0; at < place;) {
    const size = bytes[at + 1] ?? 0;
    const head = size === 0x82 ? 4 : size === 0x81 ? 3 : 2;
    const length = size === 0x82 ? ((bytes[at + 2] ?? 0) << 8) + (bytes[at + 3] ?? 0) : size === 0x81 ? (bytes[at + 2] ?? 0) : size;
    if (at + head <= place && place < at + head + length) {
      starts.push(at);
      at += head;
    } else at += head + length;
  }
  return starts;
}
