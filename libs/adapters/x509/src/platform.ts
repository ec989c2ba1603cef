// @peculiar/x509 finds its algorithms by dependency injection, which needs the metadata polyfill before its first import.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { PublicJwk } from '@portolan/contracts';
import type { ExternalKey } from '@portolan/domain';

/** Node's WebCrypto, given to every call: nothing depends on the library's global provider. */
export const crypto = webcrypto;
export const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export type Key = InstanceType<typeof globalThis.CryptoKey>;

/** What the library signs with. */
export type Signing = typeof globalThis.crypto;

/** Node's WebCrypto, but that signatures come from a key that it cannot hold. */
export function cryptoOf(key: ExternalKey): Signing {
  const sign = async (_algorithm: unknown, _key: unknown, data: Bytes): Promise<ArrayBuffer> =>
    new Uint8Array(await key.sign(bytesOf(data))).buffer;
  const subtle = new Proxy(webcrypto.subtle, {
    get: (target, name) => {
      if (name === 'sign') return sign;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member as (...args: unknown[]) => unknown).bind(target) : member;
    },
  });
  return { subtle, getRandomValues: (array) => webcrypto.getRandomValues(array), randomUUID: () => webcrypto.randomUUID() };
}

type Bytes = ArrayBuffer | ArrayBufferView;

const bytesOf = (data: Bytes): Uint8Array =>
  ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);

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
