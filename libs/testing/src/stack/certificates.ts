import { generateKeyPairSync } from 'node:crypto';
import type { Kid, OrgId, PublicJwk } from '@portolan/contracts';
import { jwkThumbprint, type CertificateAuthority, type Validity } from '@portolan/domain';
import { sha256, type TlsIdentity } from '@portolan/keys';
import { X509Authorities, type X509Authority } from '@portolan/x509';

/** An ECDSA P-256 key with its thumbprint. */
export interface KeyPair {
  readonly privateKeyPem: string;
  readonly publicJwk: PublicJwk;
  readonly kid: Kid;
}

export function keyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = publicKey.export({ format: 'jwk' }) as PublicJwk;
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { privateKeyPem, publicJwk, kid: jwkThumbprint(publicJwk, sha256) };
}

/** Validity in days from now; the past is negative. */
export const days = (from: number, to: number): Validity => ({
  notBefore: new Date(Date.now() + from * 86_400_000).toISOString(),
  notAfter: new Date(Date.now() + to * 86_400_000).toISOString(),
});

/** A new authority of a country; `commonName` tells several of one country apart. */
export async function newAuthority(country: string, commonName = `${country} exchange`): Promise<X509Authority> {
  const authorities = new X509Authorities();
  return authorities.open(await authorities.create({ country, commonName }, days(-30, 365)));
}

/** What `by` issues to a partner, as `findPartnerIdentity` would find it. */
export async function partnerIdentity(
  by: CertificateAuthority,
  org: OrgId,
  key = keyPair(),
  validity = days(-1, 30),
): Promise<TlsIdentity & { readonly kid: Kid }> {
  const certificatePem = await by.issuePartner({ org, kid: key.kid, publicJwk: key.publicJwk }, validity);
  return { certificatePem, authorityPem: by.certificatePem, privateKeyPem: key.privateKeyPem, kid: key.kid };
}

/** A server's identity, which may also call its fellows: a broker's at a door, or a role's within its country. */
export async function serverIdentity(
  by: CertificateAuthority,
  commonName: string,
  hosts: readonly string[] = [],
  validity = days(-1, 30),
): Promise<TlsIdentity> {
  const { privateKeyPem, publicJwk } = keyPair();
  return {
    privateKeyPem,
    certificatePem: await by.issueServer({ commonName, hosts }, publicJwk, validity),
    authorityPem: by.certificatePem,
  };
}
