import { isIP } from 'node:net';
import type { CountryCode } from '@portolan/contracts';
import { crypto, x509, type Key } from './platform.js';

/*
 * The three kinds of certificate that a country issues (RFC 5280). No critical name constraint anywhere: Go, and with it Fabric,
 * refuses an authority that carries one.
 */
const { KeyUsageFlags, ExtendedKeyUsage } = x509;

export function subjectName(country: CountryCode | undefined, commonName: string): x509.JsonName {
  return country === undefined ? [{ CN: [commonName] }] : [{ C: [country] }, { CN: [commonName] }];
}

export async function authorityExtensions(publicKey: Key): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey, false, crypto),
  ];
}

/** Both ends of TLS inside a country use this one, and so does a broker that also calls its fellows. */
export async function serverExtensions(
  publicKey: Key,
  authority: x509.X509Certificate,
  hosts: readonly string[],
): Promise<x509.Extension[]> {
  const names = [...new Set(['localhost', '127.0.0.1', ...hosts])];
  return [
    ...(await endExtensions(publicKey, authority)),
    new x509.ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
  ];
}

/** No serverAuth: whom a country lets knock at its door can never pose as that door. */
export async function partnerExtensions(publicKey: Key, authority: x509.X509Certificate): Promise<x509.Extension[]> {
  return [...(await endExtensions(publicKey, authority)), new x509.ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])];
}

/** What every certificate has that is no authority's. */
export async function endExtensions(publicKey: Key, authority: x509.X509Certificate): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey, false, crypto),
    await authorityKeyId(authority),
  ];
}

export async function authorityKeyId(authority: x509.X509Certificate): Promise<x509.Extension> {
  return x509.AuthorityKeyIdentifierExtension.create(authority.publicKey, false, crypto);
}
