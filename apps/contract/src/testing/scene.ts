import {
  canonicalJson,
  Validators,
  type Instant,
  type KeyRecord,
  type OrgId,
  type PermitRecord,
  type PublicJwk,
} from '@portolan/contracts';
import { foundingFn, kidOf } from '@portolan/ledger-rules';
import { createHash, X509Certificate } from 'node:crypto';
import { portolanChaincode } from '../chaincode.js';
import { certificates, type CertificateName } from './certificates.fixture.js';
import { MemoryChannel } from './memory-channel.js';

/** The day of the scene of libs/ledger-rules: EE releases to PT under a permit. */
export const at = (time: string): Instant => `2026-11-21T${time}:00.000Z`;
export const noon = at('12:00');
export const digest = 'ab'.repeat(32);
export const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

export const deps = {
  validators: new Validators(),
  sha256: (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest(),
};

export const permit: PermitRecord = {
  v: 1,
  id: uuid(1),
  custodian: 'EE',
  recipient: 'PT',
  purpose: 'TREAT',
  until: '2026-12-01T00:00:00.000Z',
  commitment: digest,
};

/** The canonical text of EE's release to PT. */
export function releaseText(n: number, more: object = {}): string {
  const released = { v: 1, step: 'released', transferId: uuid(n), from: 'EE', to: 'PT', by: 'EE', permitId: permit.id };
  return canonicalJson({ ...released, ciphertextHash: digest, commitment: digest, limit: at('13:00'), graceSeconds: 1800, ...more });
}

export function jwkOf(name: CertificateName): PublicJwk {
  const { kty, crv, x, y } = new X509Certificate(certificates[name]).publicKey.export({ format: 'jwk' });
  return { kty, crv, x, y } as PublicJwk;
}

export const kidFor = (name: CertificateName): string => kidOf(jwkOf(name), deps.sha256);

export function keyRecord(org: OrgId, name: CertificateName, use: 'ledger' | 'governance', more: Partial<KeyRecord> = {}): object {
  const validity = { notBefore: at('00:00'), notAfter: '2027-11-21T00:00:00.000Z' };
  return { v: 1, org, kid: kidFor(name), use, jwk: jwkOf(name), ...validity, ...more };
}

/** Arguments of an organisation's first act. */
export function founding(org: OrgId, name: CertificateName, kind = 'country'): object {
  const { v: _v, org: _org, ...key } = keyRecord(org, name, 'governance') as Record<string, unknown>;
  return { v: 1, organisation: { org, kind, keys: [key] } };
}

/** The contract on an empty channel, at endorsers whose clocks show `now`. */
export function emptyChannel(clock: { now: Instant }): MemoryChannel {
  return new MemoryChannel(portolanChaincode({ ...deps, now: () => Date.parse(clock.now) }));
}

/** A channel on which EE, PT, BE, DE and a regulator have founded themselves and registered their notaries' keys. */
export async function channel(clock: { now: Instant }): Promise<MemoryChannel> {
  const made = emptyChannel(clock);
  for (const org of ['EE', 'PT', 'BE', 'DE', 'REG'] as const) {
    const governance: CertificateName = `${org} governance`;
    await made.submit(foundingFn, founding(org, governance, org === 'REG' ? 'regulator' : 'country'), governance, clock.now);
    await made.submit('put-key', keyRecord(org, `${org} notary`, 'ledger'), governance, clock.now);
  }
  return made;
}
