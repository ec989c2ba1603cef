import { randomUUID } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Actor, CountryCode, NodeConfig } from '@portolan/contracts';
import { generateJwtKey, iuaExtension, jwksOf, signClientAssertion, type JwtKey } from '@portolan/jose';
import { walkCodeFlow, type DemoAccount } from '@portolan/openid';
import { startDemoOpenId } from '../../openid/demo-open-id.js';

export const CLIENT = 'hospital-ee';
const REDIRECT = 'http://127.0.0.1:9/callback';

export interface TestProvider {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri: string;
  /** Key of the hospital's system. */
  readonly hospital: JwtKey;
  /** Logs an account in through the provider's real pages. */
  login(account: string): Promise<string>;
  /** Token of the hospital's system. */
  systemToken(scope?: string): Promise<string>;
  close(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** What a demonstration writes for its provider, and the configuration that names it. */
export async function providerConfig(
  folder: string,
  country: CountryCode,
  accounts: readonly DemoAccount[],
  hospital: JwtKey,
): Promise<Pick<NodeConfig, 'mode' | 'country' | 'openid' | 'demoOpenid'>> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const audience = `urn:portolan:node:${country.toLowerCase()}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = join(folder, 'openid.json');
  const provider = {
    demo: true,
    country,
    audience,
    signingKey: { ...privateKey.export({ format: 'jwk' }), kid: 'provider-1', alg: 'ES256', use: 'sig' },
    accounts,
    apps: [{ clientId: 'portolan-cli', name: 'portolan', redirectUris: [REDIRECT], scopes: ['portal', 'user/*.read'] }],
    systems: [{ clientId: CLIENT, name: 'Demo hospital', jwks: jwksOf([hospital]), scopes: ['system/*.read', 'system/*.write'] }],
  };
  await writeFile(file, JSON.stringify(provider));
  return {
    mode: 'demo',
    country,
    openid: { issuer, audience, jwksUri: `${issuer}/jwks`, providerSystem: `urn:portolan:demo:${country.toLowerCase()}:professional` },
    demoOpenid: { door: { host: '127.0.0.1', port }, file },
  };
}

/** EE's demo provider as the edge itself starts it. */
export async function startProvider(folder: string, accounts: readonly DemoAccount[]): Promise<TestProvider> {
  const hospital = await generateJwtKey('hospital-key');
  const config = await providerConfig(folder, 'EE', accounts, hospital);
  const running = await startDemoOpenId(config);
  const { issuer, audience, jwksUri } = config.openid;
  return {
    issuer,
    audience,
    jwksUri,
    hospital,
    login: async (accountId) => {
      const scope = 'openid portal user/*.read';
      return (await walkCodeFlow({ issuer, accountId, clientId: 'portolan-cli', redirectUri: REDIRECT, scope })).accessToken;
    },
    systemToken: async (scope = 'system/*.read system/*.write') => {
      const endpoint = `${issuer}/token`;
      const times = { nowMs: Date.now(), lifetimeSeconds: 120, jti: randomUUID() };
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        scope,
        resource: audience,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await signClientAssertion(CLIENT, endpoint, hospital, times),
      });
      const answer = (await (await fetch(endpoint, { method: 'POST', body: form })).json()) as { access_token: string };
      return answer.access_token;
    },
    close: () => running.close(),
  };
}

/** An account of a professional whose application's token itself says who acts. */
export const professionalAccount = (id: string, actor: Actor): DemoAccount => ({
  id,
  name: actor.name,
  kind: 'clinician-app',
  claims: iuaExtension({ actor, purpose: 'TREAT' }),
});
