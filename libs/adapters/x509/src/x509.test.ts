import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { PublicJwk } from '@portolan/contracts';
import { jwkThumbprint, type Validity } from '@portolan/domain';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { X509Authorities, type X509Authority } from './authority.js';
import { daysLeft, describeCertificate, partnerOfCertificate, sha256 } from './certificate.js';
import { verifyChain } from './chain.js';
import { createRequest, readRequest } from './request.js';
import { readRevocations } from './revocation.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-21T10:00:00.000Z');
const days = (from: number, to: number): Validity => ({
  notBefore: new Date(NOW + from * DAY).toISOString(),
  notAfter: new Date(NOW + to * DAY).toISOString(),
});
const authorities = new X509Authorities();

function pair(): { privateKeyPem: string; publicJwk: PublicJwk; kid: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = publicKey.export({ format: 'jwk' }) as PublicJwk;
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { privateKeyPem, publicJwk, kid: jwkThumbprint(publicJwk, sha256) };
}

async function authority(commonName: string, validity = days(-400, 3650)): Promise<X509Authority> {
  return authorities.open(await authorities.create({ country: 'EE', commonName }, validity));
}

let ours: X509Authority;
let theirs: X509Authority;
beforeAll(async () => {
  ours = await authority('EE exchange');
  theirs = await authority('EE exchange');
});

describe('an authority', () => {
  it('is a root that signs certificates and lists, with no critical name constraint', () => {
    const root = new X509Certificate(ours.certificatePem);
    expect(root.ca).toBe(true);
    expect(root.checkIssued(root)).toBe(true);
    expect(root.subject).toBe('C=EE\nCN=EE exchange');
    // id-ce-nameConstraints 2.5.29.30 in DER
    expect(root.raw.includes(Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x1e]))).toBe(false);
  });

  it('does not open with the key of another, with no key, or where it is no authority', async () => {
    const [one, two] = [
      await authorities.create({ country: 'EE', commonName: 'one' }, days(0, 1)),
      await authorities.create({ country: 'EE', commonName: 'two' }, days(0, 1)),
    ];
    const server = pair();
    const leaf = await ours.issueServer({ commonName: 'x', hosts: [] }, server.publicJwk, days(0, 1));
    const invalid = { code: 'x509.certificate-invalid' };
    await expect(authorities.open({ ...one, privateKeyPem: two.privateKeyPem })).rejects.toMatchObject(invalid);
    await expect(authorities.open({ ...one, privateKeyPem: '' })).rejects.toMatchObject(invalid);
    await expect(authorities.open({ ...one, certificatePem: 'damaged' })).rejects.toMatchObject(invalid);
    await expect(authorities.open({ certificatePem: leaf, privateKeyPem: server.privateKeyPem })).rejects.toMatchObject(invalid);
  });
});

describe('a server certificate', () => {
  it('serves localhost and the hosts given, as server and as client', async () => {
    const key = pair();
    const pem = await ours.issueServer({ commonName: 'inbox EE', hosts: ['inbox.ee.example', '10.0.0.7'] }, key.publicJwk, days(-1, 90));
    const certificate = new X509Certificate(pem);
    for (const host of ['localhost', 'inbox.ee.example']) expect(certificate.checkHost(host)).toBe(host);
    for (const ip of ['127.0.0.1', '10.0.0.7']) expect(certificate.checkIP(ip)).toBe(ip);
    expect(certificate.checkHost('inbox.pt.example')).toBeUndefined();
    for (const purpose of ['server', 'client'] as const) {
      expect(verifyChain(pem, ours.certificatePem, { at: NOW, purpose })).toMatchObject({
        commonName: 'inbox EE',
        kid: key.kid,
        isAuthority: false,
      });
    }
    expect(partnerOfCertificate(pem)).toBeUndefined();
  });
});

describe('a partner certificate', () => {
  it('names the partner and its registered key, and never serves', async () => {
    const { kid, publicJwk } = pair();
    const pem = await ours.issuePartner({ org: 'PT', kid, publicJwk }, days(-1, 90));
    expect(partnerOfCertificate(pem)).toEqual({ org: 'PT', kid });
    expect(verifyChain(pem, ours.certificatePem, { at: NOW, purpose: 'client' }).commonName).toBe(`PT-${kid}`);
    expect(() => verifyChain(pem, ours.certificatePem, { at: NOW, purpose: 'server' })).toThrow(/x509.chain-broken/);
    expect(createPublicKey(pem).export({ format: 'jwk' })).toMatchObject(publicJwk);
  });

  it('is not believed where its name is that of another key', async () => {
    const [one, two] = [pair(), pair()];
    const pem = await ours.issuePartner({ org: 'PT', kid: two.kid, publicJwk: one.publicJwk }, days(-1, 90));
    expect(partnerOfCertificate(pem)).toBeUndefined();
  });

  it('is issued from a request only for the key that is registered, whatever name the request bears', async () => {
    const { kid, publicJwk, privateKeyPem } = pair();
    const request = await createRequest('DE-somebody-else', { privateKeyPem, publicJwk });
    const pem = await ours.issuePartnerFromRequest(request, { org: 'PT', kid }, days(-1, 90));
    expect(partnerOfCertificate(pem)).toEqual({ org: 'PT', kid });
    await expect(ours.issuePartnerFromRequest(request, { org: 'PT', kid: pair().kid }, days(-1, 90))).rejects.toMatchObject({
      code: 'x509.request-invalid',
    });
  });

  it.each(['ee', 'EE-', '', 'A'.repeat(20)])('is not issued to an organisation called %j', async (org) => {
    const { kid, publicJwk } = pair();
    await expect(ours.issuePartner({ org, kid, publicJwk }, days(0, 1))).rejects.toMatchObject({ code: 'x509.name-invalid' });
  });
});

describe('a certificate signing request', () => {
  it('gives the key it was made for', async () => {
    const { kid, publicJwk, privateKeyPem } = pair();
    expect(await readRequest(await createRequest('x', { privateKeyPem, publicJwk }))).toEqual({ publicJwk, kid });
  });

  it('never gives another key, whatever byte is altered', async () => {
    const requested = pair();
    const der = derOf(await createRequest('x', requested));
    await fc.assert(
      fc.asyncProperty(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), async (i, mask) => {
        const answer = await readRequest(pemOf(der.map((byte, at) => (at === i ? byte ^ mask : byte)))).catch((error: unknown) => error);
        if (answer instanceof Error) expect(answer).toMatchObject({ code: 'x509.request-invalid' });
        else expect(answer).toMatchObject({ kid: requested.kid });
      }),
    );
  });

  it('is refused with the key of another put in', async () => {
    const [one, two] = [pair(), pair()];
    const point = ({ publicJwk }: { publicJwk: PublicJwk }): string =>
      Buffer.concat([Buffer.from(publicJwk.x, 'base64url'), Buffer.from(publicJwk.y, 'base64url')]).toString('hex');
    const swapped = derOf(await createRequest('x', one))
      .toString('hex')
      .replace(point(one), point(two));
    expect(swapped).toContain(point(two));
    await expect(readRequest(pemOf(Buffer.from(swapped, 'hex')))).rejects.toMatchObject({ code: 'x509.request-invalid' });
  });

  it('is refused where it is anything else', async () => {
    for (const text of ['', 'x', ours.certificatePem, 'a'.repeat(20_000)]) {
      await expect(readRequest(text)).rejects.toMatchObject({ code: 'x509.request-invalid' });
    }
  });
});

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

function pemOf(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
}

describe('verifyChain', () => {
  const at = (ms: number): { at: number } => ({ at: ms });

  it('refuses another authority of the same name, an ended and a future certificate', async () => {
    const { kid, publicJwk } = pair();
    const issue = (by: X509Authority, validity: Validity): Promise<string> => by.issuePartner({ org: 'PT', kid, publicJwk }, validity);
    const pem = await issue(theirs, days(-1, 90));
    expect(() => verifyChain(pem, ours.certificatePem, at(NOW))).toThrow(/x509.chain-broken/);
    expect(() => verifyChain(ours.certificatePem, theirs.certificatePem, at(NOW))).toThrow(/x509.chain-broken/);
    const ended = await issue(ours, days(-90, -1));
    const future = await issue(ours, days(1, 2));
    for (const one of [ended, future]) expect(() => verifyChain(one, ours.certificatePem, at(NOW))).toThrow(/x509.expired/);
    expect(verifyChain(ended, ours.certificatePem, at(NOW - 2 * DAY)).commonName).toBe(`PT-${kid}`);
  });

  it('refuses what an end certificate issued', async () => {
    const middle = pair();
    const leaf = await ours.issuePartner({ org: 'PT', ...middle }, days(-1, 90));
    const check = { at: NOW, intermediatePems: [leaf] };
    const other = await theirs.issuePartner({ org: 'DE', ...pair() }, days(-1, 90));
    expect(() => verifyChain(other, ours.certificatePem, check)).toThrow(/x509.chain-broken/);
  });

  it('refuses what stands on the list of revocations', async () => {
    const pem = await ours.issuePartner({ org: 'PT', ...pair() }, days(-1, 90));
    const other = await ours.issuePartner({ org: 'PT', ...pair() }, days(-1, 90));
    const { serial } = describeCertificate(pem);
    const list = await ours.issueRevocations([{ serial, at: new Date(NOW).toISOString() }], days(0, 7));
    const revocations = await readRevocations(list, ours.certificatePem);
    expect(revocations).toEqual({
      thisUpdate: days(0, 7).notBefore,
      nextUpdate: days(0, 7).notAfter,
      number: NOW,
      serials: new Set([serial]),
    });
    expect(() => verifyChain(pem, ours.certificatePem, { at: NOW, revocations })).toThrow(/x509.revoked/);
    expect(verifyChain(other, ours.certificatePem, { at: NOW, revocations }).kid).toHaveLength(43);
    await expect(readRevocations(list, theirs.certificatePem)).rejects.toMatchObject({ code: 'x509.chain-broken' });
    await expect(readRevocations('damaged', ours.certificatePem)).rejects.toMatchObject({ code: 'x509.certificate-invalid' });
  });
});

describe('what is told of a certificate', () => {
  it('counts the days that are left', async () => {
    const pem = await ours.issuePartner({ org: 'PT', ...pair() }, days(-10, 20));
    expect([daysLeft(pem, NOW), daysLeft(pem, NOW + 25 * DAY)]).toEqual([20, -5]);
  });

  it('never trips over bytes from outside but by its code', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 }).map(pemOfBytes)), (pem) => {
        expect(() => describeCertificate(pem)).toThrow(expect.objectContaining({ code: 'x509.certificate-invalid' }));
      }),
    );
  });
});

function pemOfBytes(bytes: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(bytes).toString('base64')}\n-----END CERTIFICATE-----\n`;
}

describe('an identity on a channel', () => {
  it('has its kind as organisational unit and its role in the attribute extension, and is signed as Fabric keeps it', async () => {
    const attributes = { 'portolan.role': 'notary' };
    const pems = await Promise.all(
      Array.from({ length: 16 }, () =>
        ours.issueMember({ commonName: 'notary', kind: 'client', attributes }, pair().publicJwk, days(-1, 30)),
      ),
    );
    for (const pem of pems) {
      const certificate = new X509Certificate(pem);
      expect(certificate.subject).toBe('OU=client\nCN=notary');
      expect(certificate.raw.includes('{"attrs":{"portolan.role":"notary"}}')).toBe(true);
      expect(verifyChain(pem, ours.certificatePem, { at: NOW }).commonName).toBe('notary');
      expect(sOf(certificate) <= HALF_ORDER).toBe(true);
    }
  });

  it('has no attribute extension where it has no attributes', async () => {
    const pem = await ours.issueMember({ commonName: 'peer', kind: 'peer' }, pair().publicJwk, days(-1, 30));
    expect(new X509Certificate(pem).raw.includes('attrs')).toBe(false);
  });
});

/** Half the order of P-256 (FIPS 186-5; SEC 2, section 2.4.2). */
const HALF_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n / 2n;

/** The S of a certificate's signature: the last INTEGER of its DER. */
function sOf({ raw }: X509Certificate): bigint {
  for (let length = 20; length <= 33; length += 1) {
    const at = raw.length - length - 2;
    if (raw[at] === 0x02 && raw[at + 1] === length) return BigInt(`0x${raw.subarray(at + 2).toString('hex')}`);
  }
  throw new RangeError('no INTEGER at the end');
}
