// @peculiar/x509 finds its algorithms by dependency injection, which needs the metadata polyfill before its first import.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { PublicJwk } from '@portolan/contracts';

/** Node's WebCrypto, given to every call: nothing depends on the library's global provider. */
export const crypto = webcrypto;
export const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export type Key = InstanceType<typeof globalThis.CryptoKey>;

export async function importPublic(jwk: PublicJwk): Promise<Key> {
  return crypto.subtle.importKey('jwk', { ...jwk }, ECDSA_P256, true, ['verify']);
}

/** The P-256 key of a certificate or request. */
export async function importSpki(key: x509.PublicKey): Promise<Key> {
  return crypto.subtle.importKey('spki', key.rawData, ECDSA_P256, true, ['verify']);
}

export async function importPrivate(pkcs8Pem: string): Promise<Key> {
  const der = x509.PemConverter.decodeFirst(pkcs8Pem);
  return crypto.subtle.importKey('pkcs8', der, ECDSA_P256, false, ['sign']);
}

export async function exportPrivate(key: Key): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), x509.PemConverter.PrivateKeyTag)}\n`;
}

export const pemText = (data: { toString(format: 'pem'): string }): string => `${data.toString('pem')}\n`;

export { x509 };
