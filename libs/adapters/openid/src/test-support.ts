import { generateKeyPairSync, sign, verify, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { JWK } from 'oidc-provider';
import { mountDemoOpenId, type DemoOpenId, type DemoOpenIdConfig } from './index.js';

/** JWTs made and read with node:crypto alone, so that the tests share no code with what they test. */

export type Algorithm = 'ES256' | 'ES384' | 'RS384';

export interface TestKey {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly privateKey: KeyObject;
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
}

export function testKey(kid: string, alg: Algorithm = 'ES256'): TestKey {
  const { privateKey, publicKey } =
    alg === 'RS384'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' });
  const named = { kid, alg, use: 'sig' };
  return {
    kid,
    alg,
    privateKey,
    privateJwk: { ...(privateKey.export({ format: 'jwk' }) as JWK), ...named },
    publicJwk: { ...(publicKey.export({ format: 'jwk' }) as JWK), ...named },
  };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const hashOf = (alg: string): string => (alg.endsWith('384') ? 'sha384' : 'sha256');

export function signed(claims: object, key: TestKey, header: object = {}): string {
  const input = `${encode({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })}.${encode(claims)}`;
  const signature = sign(hashOf(key.alg), Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** Header and claims of a JWT whose signature holds under one of the keys; throws where it does not. */
export function opened(jwt: string, keys: readonly JWK[]): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [head = '', body = '', signature = ''] = jwt.split('.');
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
  const header = read(head);
  const jwk = keys.find(({ kid }) => kid === header['kid']);
  if (jwk === undefined) throw new Error('no such key');
  const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  const holds = verify(
    hashOf(String(header['alg'])),
    Buffer.from(`${head}.${body}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!holds) throw new Error('the signature does not hold');
  return { header, claims: read(body) };
}

export async function listening(host = '127.0.0.1'): Promise<Server> {
  const server = createServer();
  await new Promise<void>((up) => server.listen(0, host, up));
  return server;
}

export const audience = 'https://node.ee.example/fhir';
export const redirectUri = 'http://127.0.0.1:9/callback';

export interface World extends DemoOpenId {
  readonly config: DemoOpenIdConfig;
  readonly hospital: TestKey;
  close(): void;
}

/** EE's provider with two persons, a clinician, a regulator, one app and one hospital. */
export async function demoWorld(changes: Partial<DemoOpenIdConfig> = {}, hospital: TestKey = testKey('h1')): Promise<World> {
  const config: DemoOpenIdConfig = {
    demo: true,
    country: 'EE',
    audience,
    signingKey: testKey('ee-1').privateJwk,
    accounts: [
      { id: 'mari', name: 'Mari Näidis', kind: 'person', person: { system: 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1', value: '49001010000' } },
      { id: 'juku', name: 'Juku <Näidis> & "pojad"', kind: 'person', person: { system: 'urn:x', value: '1' } },
      {
        id: 'arst',
        name: 'Dr Arst Näidis',
        kind: 'clinician-app',
        claims: { extensions: { ihe_iua: { subject_name: 'Dr Arst Näidis' } } },
      },
      { id: 'regulator', name: 'Järelevalve Näidis', kind: 'regulator' },
    ],
    apps: [{ clientId: 'portolan-cli', name: 'Portolan CLI', redirectUris: [redirectUri], scopes: ['person', 'user/*.read'] }],
    systems: [
      { clientId: 'hospital', name: 'Näidishaigla', jwks: { keys: [hospital.publicJwk] }, scopes: ['system/*.read', 'system/*.write'] },
    ],
    ...changes,
  };
  const server = await listening();
  const mounted = mountDemoOpenId(server, config);
  return { ...mounted, config, hospital, close: () => server.close() };
}
