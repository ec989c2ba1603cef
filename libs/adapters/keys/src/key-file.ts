import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto, type KeyObject } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PortolanError, parseBounded, type Kid, type PublicJwk } from '@portolan/contracts';
import { jwkThumbprint, type KeyUse, type OwnKey, type PrivateKeyHandle, type Validity } from '@portolan/domain';
import { orMissing, privateFolder, refuseOpenSecret, writePrivately } from './files.js';
import { sha256 } from './machine.js';

/*
 * One key is two files of its folder, both named by its id: `<kid>.key.pem` (PKCS#8) and `<kid>.json` (OwnKey). The second is
 * written last and removed first, so a key is there when its description is there.
 */
const KID = /^[A-Za-z0-9_-]{43}$/;
const USES: readonly string[] = ['sign', 'seal', 'tls', 'ledger'] satisfies KeyUse[];
const MAX_DESCRIPTION_CHARS = 4096;

const pemPath = (folder: string, kid: Kid): string => join(folder, `${kid}.key.pem`);
const descriptionPath = (folder: string, kid: Kid): string => join(folder, `${kid}.json`);

/** The key id that a file name stands for, where it is the description of a key. */
export function kidOfFile(name: string): Kid | undefined {
  const kid = name.endsWith('.json') ? name.slice(0, -'.json'.length) : '';
  return KID.test(kid) ? kid : undefined;
}

/** A fresh ECDSA/ECDH P-256 pair as PKCS#8 PEM and public JWK. */
export function generatePair(): { privateKeyPem: string; publicJwk: PublicJwk } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKeyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), publicJwk: publicJwkOf(publicKey) };
}

/** Public half of a PKCS#8 PEM private key. */
export function publicJwkOfPem(privateKeyPem: string): PublicJwk {
  return publicJwkOf(createPublicKey(createPrivateKey(privateKeyPem)));
}

function publicJwkOf(key: KeyObject): PublicJwk {
  const { kty, crv, x, y } = key.export({ format: 'jwk' });
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) throw new TypeError('a P-256 key is expected');
  return { kty, crv, x, y };
}

/** Makes a key and stores it. */
export async function createKeyFile(folder: string, use: KeyUse, validity: Validity): Promise<OwnKey> {
  await privateFolder(folder);
  const { privateKeyPem, publicJwk } = generatePair();
  const key: OwnKey = { kid: jwkThumbprint(publicJwk, sha256), use, publicJwk, ...validity };
  await writePrivately(pemPath(folder, key.kid), privateKeyPem);
  await writePrivately(descriptionPath(folder, key.kid), `${JSON.stringify(key, undefined, 2)}\n`);
  return key;
}

/** The description of a key; undefined where it was removed. Throws `keys.file-invalid`. */
export async function readDescription(folder: string, kid: Kid): Promise<OwnKey | undefined> {
  const text = await orMissing(readFile(descriptionPath(folder, kid), 'utf8'));
  if (text === undefined) return undefined;
  const key = parseBounded(text, MAX_DESCRIPTION_CHARS, 'keys.file-invalid', kid);
  if (!isOwnKey(key) || key.kid !== kid || jwkThumbprint(key.publicJwk, sha256) !== kid) {
    throw new PortolanError('keys.file-invalid', kid, 'the description is not of this key');
  }
  return key;
}

function isOwnKey(value: unknown): value is OwnKey {
  if (typeof value !== 'object' || value === null) return false;
  const key = value as Record<string, unknown>;
  return (
    typeof key['use'] === 'string' &&
    USES.includes(key['use']) &&
    isInstant(key['notBefore']) &&
    isInstant(key['notAfter']) &&
    typeof key['publicJwk'] === 'object' &&
    key['publicJwk'] !== null
  );
}

const isInstant = (value: unknown): boolean => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);

/** PKCS#8 PEM of a key whose description was read. Throws `keys.unknown`, `keys.too-open`, `keys.file-invalid`. */
export async function readPrivateKeyPem(folder: string, key: OwnKey): Promise<string> {
  const path = pemPath(folder, key.kid);
  const pem = await orMissing(readFile(path, 'utf8'));
  if (pem === undefined) throw new PortolanError('keys.unknown', key.kid, 'its private key was removed');
  await refuseOpenSecret(path, key.kid);
  if (kidOfPem(pem) !== key.kid) throw new PortolanError('keys.file-invalid', key.kid, 'the private key is another one');
  return pem;
}

function kidOfPem(pem: string): Kid | undefined {
  try {
    return jwkThumbprint(publicJwkOfPem(pem), sha256);
  } catch {
    return undefined;
  }
}

/** WebCrypto handle that cannot be exported. `seal` keys agree on secrets (ECDH), all others sign (ECDSA). */
export async function importHandle(pem: string, use: KeyUse): Promise<PrivateKeyHandle> {
  const pkcs8 = new Uint8Array(createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' }));
  const algorithm = { name: use === 'seal' ? 'ECDH' : 'ECDSA', namedCurve: 'P-256' };
  return webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, use === 'seal' ? ['deriveBits'] : ['sign']);
}

/** Removes both files; the description first, so that nobody starts to use what is half gone. */
export async function removeKeyFile(folder: string, kid: Kid): Promise<void> {
  await orMissing(unlink(descriptionPath(folder, kid)));
  await orMissing(unlink(pemPath(folder, kid)));
}
