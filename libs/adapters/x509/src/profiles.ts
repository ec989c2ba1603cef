import { isIP } from 'node:net';
import type { CountryCode } from '@portolan/contracts';
import { certificateProfiles, type CertificateProfile } from '@portolan/domain';
import { crypto, x509, type Key } from './platform.js';

/*
 * Certificates as `certificateProfiles` of the domain has them (RFC 5280). No critical name constraint anywhere: Go, and with it Fabric,
 * refuses an authority that carries one.
 */
const { KeyUsageFlags, ExtendedKeyUsage } = x509;

export function subjectName(country: CountryCode | undefined, commonName: string): x509.JsonName {
  return country === undefined ? [{ CN: [commonName] }] : [{ C: [country] }, { CN: [commonName] }];
}

const { authority: authorityProfile, server, partner } = certificateProfiles;

export async function authorityExtensions(publicKey: Key): Promise<x509.Extension[]> {
  return [...basics(authorityProfile), await x509.SubjectKeyIdentifierExtension.create(publicKey, false, crypto)];
}

function basics({ isAuthority, pathLength, keyUsage }: CertificateProfile): x509.Extension[] {
  const usage = keyUsage.map((name) => KeyUsageFlags[name]).reduce((flags, flag) => flags | flag);
  return [new x509.BasicConstraintsExtension(isAuthority, pathLength, true), new x509.KeyUsagesExtension(usage, true)];
}

const usages = ({ extendedKeyUsage }: CertificateProfile): x509.Extension =>
  new x509.ExtendedKeyUsageExtension(extendedKeyUsage.map((name) => ExtendedKeyUsage[name]));

/** Names and addresses of a subject; `localhost` and `127.0.0.1` are a matter of whoever gives them. */
export const hostNames = (hosts: readonly string[]): x509.SubjectAlternativeNameExtension =>
  new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })));

/** Both ends of TLS inside a country use this one, and so does a broker that also calls its fellows. */
export async function serverExtensions(
  publicKey: Key,
  authority: x509.X509Certificate,
  hosts: readonly string[],
): Promise<x509.Extension[]> {
  const names = [...new Set(['localhost', '127.0.0.1', ...hosts])];
  return [...(await endExtensions(publicKey, authority)), usages(server), hostNames(names)];
}

/** No serverAuth: whom a country lets knock at its door can never pose as that door. */
export async function partnerExtensions(publicKey: Key, authority: x509.X509Certificate): Promise<x509.Extension[]> {
  return [...(await endExtensions(publicKey, authority)), usages(partner)];
}

/** What every certificate has that is no authority's. */
export async function endExtensions(publicKey: Key, authority: x509.X509Certificate): Promise<x509.Extension[]> {
  return [...basics(server), await x509.SubjectKeyIdentifierExtension.create(publicKey, false, crypto), await authorityKeyId(authority)];
}

export async function authorityKeyId(authority: x509.X509Certificate): Promise<x509.Extension> {
  return x509.AuthorityKeyIdentifierExtension.create(authority.publicKey, false, crypto);
}
