import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { join } from 'node:path';
import type { JwtKey } from '@portolan/jose';
import { findJson, keepJson } from './files.js';

interface KeptKey {
  readonly kid: string;
  readonly privateJwk: webcrypto.JsonWebKey;
  readonly publicJwk: JwtKey['publicJwk'];
}

/** The key pair of a system of the demonstration (SMART Backend Services), kept so that a second start is the same system. */
export async function systemKey(folder: string, clientId: string): Promise<JwtKey> {
  const file = join(folder, `${clientId}.jwk.json`);
  const kept = (await findJson<KeptKey>(file)) ?? generate(clientId);
  await keepJson(file, kept);
  const privateKey = await webcrypto.subtle.importKey('jwk', kept.privateJwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  return { kid: kept.kid, alg: 'ES256', privateKey, publicJwk: kept.publicJwk };
}

/** A private signing key of a demo OpenID provider, as the provider wants it. */
export async function providerKey(folder: string): Promise<webcrypto.JsonWebKey & { kid: string }> {
  const file = join(folder, 'provider.jwk.json');
  const kept = (await findJson<KeptKey>(file)) ?? generate('provider');
  await keepJson(file, kept);
  return { ...kept.privateJwk, kid: kept.kid, alg: 'ES256', use: 'sig' };
}

function generate(kid: string): KeptKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' } as JwtKey['publicJwk'];
  return { kid, privateJwk: privateKey.export({ format: 'jwk' }), publicJwk };
}
