import { get } from 'node:http';
import { createHash } from 'node:crypto';
import type { JWK } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountDemoOpenId, smartConfiguration, walkCodeFlow } from './index.js';
import { audience, demoWorld, listening, opened, redirectUri, type World } from './test-support.js';

let world: World;
beforeAll(async () => {
  world = await demoWorld();
});
afterAll(() => world.close());

const walk = (changes: object = {}): ReturnType<typeof walkCodeFlow> =>
  walkCodeFlow({ issuer: world.issuer, accountId: 'mari', clientId: 'portolan-cli', redirectUri, scope: 'openid person', ...changes });
const keys = async (): Promise<JWK[]> => ((await (await fetch(world.jwksUri)).json()) as { keys: JWK[] }).keys;

describe('a person logs in', () => {
  it('through code and PKCE to an ES256 token that says who this is', async () => {
    const tokens = await walk();
    const { header, claims } = opened(tokens.accessToken, await keys());
    expect(header).toMatchObject({ alg: 'ES256', typ: 'at+jwt', kid: 'ee-1' });
    expect(claims).toMatchObject({
      iss: world.issuer,
      aud: audience,
      sub: 'mari',
      client_id: 'portolan-cli',
      scope: 'person',
      ptl_kind: 'person',
      ptl_person: { system: 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1', value: '49001010000' },
      name: 'Mari Näidis',
    });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(300);
    expect(tokens.expiresInSeconds).toBe(300);
    expect(opened(tokens.idToken!, await keys()).claims).toMatchObject({ sub: 'mari', aud: 'portolan-cli', name: 'Mari Näidis' });
  });

  it('each as the kind that the configuration gives, with further claims', async () => {
    const clinician = opened((await walk({ accountId: 'arst' })).accessToken, await keys()).claims;
    expect(clinician).toMatchObject({
      sub: 'arst',
      ptl_kind: 'clinician-app',
      extensions: { ihe_iua: { subject_name: 'Dr Arst Näidis' } },
    });
    expect(clinician).not.toHaveProperty('ptl_person');
    expect(opened((await walk({ accountId: 'regulator' })).accessToken, await keys()).claims['ptl_kind']).toBe('regulator');
  });

  it('and the published keys hold no private part', async () => {
    for (const key of await keys()) expect(key).not.toHaveProperty('d');
  });
});

describe('is refused', () => {
  it.each([
    ['an account that the page does not list', { accountId: 'nobody' }, 'auth.account-unknown'],
    ['an unknown client', { clientId: 'stranger' }, 'auth.login-failed'],
    ['a redirect address that is not registered', { redirectUri: 'http://127.0.0.1:9/elsewhere' }, 'auth.login-failed'],
    ['a scope that the app may not have', { scope: 'openid system/*.read' }, 'auth.login-failed'],
    ['a system that wants to log a person in', { clientId: 'hospital' }, 'auth.login-failed'],
    ['another provider than the one that is asked', { issuer: 'http://127.0.0.1:9' }, 'auth.provider-unreachable'],
  ])('%s', async (_, changes, code) => {
    await expect(walk(changes)).rejects.toMatchObject({ code });
  });

  const authorize = async (changes: Record<string, string>): Promise<string> => {
    const query = new URLSearchParams({
      client_id: 'portolan-cli',
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid person',
      code_challenge: createHash('sha256').update('x'.repeat(43)).digest('base64url'),
      code_challenge_method: 'S256',
      ...changes,
    });
    const response = await fetch(`${world.issuer}/auth?${query.toString()}`, { redirect: 'manual' });
    const back = new URL(response.headers.get('location') ?? 'about:blank', world.issuer);
    return new URLSearchParams(back.search || back.hash.slice(1)).get('error') ?? '';
  };

  it.each([
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ['another resource', { resource: 'https://node.pt.example/fhir' }, 'invalid_target'],
  ])('%s', async (_, changes, error) => {
    expect(await authorize(changes)).toBe(error);
  });

  it.each([
    ['a code that nobody gave', { code: 'a'.repeat(43) }, 'invalid_grant'],
    ['a token for a person without a login', { grant_type: 'client_credentials' }, 'invalid_request'],
    ['a password', { grant_type: 'password', username: 'mari', password: 'x' }, 'unsupported_grant_type'],
  ])('%s', async (_, changes, error) => {
    const form = {
      grant_type: 'authorization_code',
      client_id: 'portolan-cli',
      redirect_uri: redirectUri,
      code_verifier: 'x'.repeat(43),
      ...changes,
    };
    const response = await fetch(world.tokenEndpoint, { method: 'POST', body: new URLSearchParams(form) });
    expect(response.ok).toBe(false);
    expect(await response.json()).toMatchObject({ error });
  });

  it('a request under another host name', async () => {
    const url = new URL('/.well-known/openid-configuration', world.issuer);
    const status = await new Promise((done) =>
      get(url, { headers: { host: 'provider.example' } }, (response) => done(response.statusCode)),
    );
    expect(status).toBe(421);
  });
});

describe('the login page', () => {
  const open = async (): Promise<{ url: string; cookie: string; html: string; headers: Headers }> => {
    const query = new URLSearchParams({
      client_id: 'portolan-cli',
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid person',
      code_challenge: createHash('sha256').update('x'.repeat(43)).digest('base64url'),
      code_challenge_method: 'S256',
    });
    const begun = await fetch(`${world.issuer}/auth?${query.toString()}`, { redirect: 'manual' });
    const cookie = begun.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ');
    const url = new URL(begun.headers.get('location')!, world.issuer).href;
    const page = await fetch(url, { headers: { cookie } });
    return { url, cookie, html: await page.text(), headers: page.headers };
  };
  const click = async (url: string, cookie: string, body: string | URLSearchParams): Promise<number> =>
    (await fetch(url, { method: 'POST', headers: { cookie }, body, redirect: 'manual' })).status;

  it('lists the persons by name, in a language, without a script, and quotes what they are called', async () => {
    const { html, headers } = await open();
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toContain('Mari Näidis');
    expect(html).toContain('Juku &lt;Näidis&gt; &amp; &quot;pojad&quot;');
    expect(html).not.toMatch(/<script|javascript:|https?:\/\//);
    const style = /<style>([^<]*)<\/style>/.exec(html)![1]!;
    const allowed = `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`;
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; /);
    expect(headers.get('content-security-policy')).toContain(allowed);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('belongs to the browser that began the login', async () => {
    const { url } = await open();
    const stranger = await fetch(url);
    expect(stranger.status).toBe(400);
    expect(await stranger.text()).not.toContain('Mari');
    expect(await click(url, '', new URLSearchParams({ account: 'mari' }))).toBe(400);
  });

  it.each([
    ['an account that is not there', new URLSearchParams({ account: 'nobody' })],
    ['no account', new URLSearchParams()],
    ['a form too long', new URLSearchParams({ account: 'x'.repeat(10_000) })],
    ['no form', 'account=mari'],
  ])('refuses %s', async (_, body) => {
    const { url, cookie } = await open();
    expect(await click(url, cookie, body)).toBe(400);
  });

  it('refuses another method, and another login under the same cookie', async () => {
    const { url, cookie } = await open();
    expect((await fetch(url, { method: 'PUT', headers: { cookie } })).status).toBe(405);
    expect((await fetch(`${url}x`, { headers: { cookie } })).status).toBe(404);
  });
});

describe('the provider', () => {
  it('says what it can in discovery and in the SMART configuration alike', async () => {
    const discovery = (await (await fetch(`${world.issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>;
    const smart = smartConfiguration(world.issuer, ['person', 'system/*.read', 'system/*.read']);
    for (const key of [
      'issuer',
      'jwks_uri',
      'authorization_endpoint',
      'token_endpoint',
      'code_challenge_methods_supported',
      'response_types_supported',
    ])
      expect(smart[key as keyof typeof smart]).toEqual(discovery[key]);
    expect(new Set(smart.grant_types_supported)).toEqual(new Set(discovery['grant_types_supported'] as string[]));
    expect(discovery['token_endpoint_auth_signing_alg_values_supported']).toEqual(smart.token_endpoint_auth_signing_alg_values_supported);
    expect(smart.scopes_supported).toEqual(['openid', 'person', 'system/*.read']);
    expect(smart.capabilities).toEqual(['client-public', 'client-confidential-asymmetric', 'permission-v1']);
    expect(smartConfiguration(world.issuer, ['system/Observation.rs']).capabilities).toContain('permission-v2');
  });

  it('refuses to be made outside of demo mode', async () => {
    const server = await listening();
    expect(() => mountDemoOpenId(server, { ...world.config, demo: false })).toThrow(expect.objectContaining({ code: 'auth.demo-only' }));
    server.close();
  });

  it('refuses a server that other machines could reach', async () => {
    const server = await listening('0.0.0.0');
    expect(() => mountDemoOpenId(server, world.config)).toThrow(expect.objectContaining({ code: 'auth.not-loopback' }));
    server.close();
  });

  it('speaks the language of its country', async () => {
    const words = {
      language: 'et',
      heading: 'Kes sa täna oled?',
      note: 'Näidis.',
      kinds: { person: 'Inimene', 'clinician-app': 'Arst', regulator: 'Järelevalve', operator: 'Haldur' },
      expired: 'Aegunud.',
    };
    const other = await demoWorld({ words });
    const page = await fetch(`${other.issuer}/interaction/x`);
    expect(await page.text()).toMatch(/<html lang="et">[\s\S]*Aegunud/);
    other.close();
  });

  it('of one country knows nothing of another: a token opens under its own keys alone', async () => {
    const other = await demoWorld();
    const { accessToken } = await walk({ issuer: other.issuer });
    await expect(keys().then((ours) => opened(accessToken, ours))).rejects.toThrow('signature');
    other.close();
  });
});
