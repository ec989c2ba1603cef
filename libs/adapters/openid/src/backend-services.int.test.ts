import { randomUUID } from 'node:crypto';
import type { JWK } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audience, demoWorld, opened, signed, testKey, type World } from './test-support.js';

let world: World;
beforeAll(async () => {
  world = await demoWorld();
});
afterAll(() => world.close());

const now = (): number => Math.floor(Date.now() / 1000);
const claims = (changes: object = {}): object => ({
  iss: 'hospital',
  sub: 'hospital',
  aud: world.tokenEndpoint,
  exp: now() + 240,
  iat: now(),
  jti: randomUUID(),
  ...changes,
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function ask(assertion: string, changes: Record<string, string> = {}, at: World = world): Promise<Answer> {
  const form = {
    grant_type: 'client_credentials',
    scope: 'system/*.read',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...changes,
  };
  const response = await fetch(at.tokenEndpoint, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('a hospital system', () => {
  it.each(['ES256', 'ES384', 'RS384'] as const)('gets a token by an assertion signed with %s', async (alg) => {
    const key = testKey('h', alg);
    const own = await demoWorld({}, key);
    const { status, body } = await ask(signed({ ...claims(), aud: own.tokenEndpoint }, key), {}, own);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'system/*.read' });
    expect(status).toBe(200);
    const keys = ((await (await fetch(own.jwksUri)).json()) as { keys: JWK[] }).keys;
    const token = opened(String(body['access_token']), keys);
    expect(token.header).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    expect(token.claims).toMatchObject({ iss: own.issuer, aud: audience, sub: 'hospital', client_id: 'hospital', scope: 'system/*.read' });
    expect(Number(token.claims['exp']) - Number(token.claims['iat'])).toBe(300);
    expect(token.claims).not.toHaveProperty('ptl_kind');
    own.close();
  });

  it('gets a new token by a new assertion', async () => {
    expect((await ask(signed(claims(), world.hospital))).status).toBe(200);
    expect((await ask(signed(claims(), world.hospital))).status).toBe(200);
  });
});

describe('is refused', () => {
  const stranger = testKey('h1');
  it.each<[string, () => string]>([
    ['an assertion for another audience', () => signed(claims({ aud: 'https://provider.pt.example/token' }), world.hospital)],
    ['an assertion for the issuer instead of its token endpoint', () => signed(claims({ aud: world.issuer }), world.hospital)],
    [
      'an assertion for two audiences',
      () => signed(claims({ aud: [world.tokenEndpoint, 'https://provider.pt.example/token'] }), world.hospital),
    ],
    ['an expired assertion', () => signed(claims({ exp: now() - 10, iat: now() - 200 }), world.hospital)],
    ['an assertion that lives longer than five minutes', () => signed(claims({ exp: now() + 400 }), world.hospital)],
    ['an assertion without an end', () => signed(claims({ exp: undefined }), world.hospital)],
    ['an assertion that is not valid yet', () => signed(claims({ nbf: now() + 60 }), world.hospital)],
    ['an assertion without an id', () => signed(claims({ jti: undefined }), world.hospital)],
    ['an assertion of an unknown client', () => signed(claims({ iss: 'stranger', sub: 'stranger' }), world.hospital)],
    ['an assertion about another client', () => signed(claims({ iss: 'stranger' }), world.hospital)],
    ['an assertion under a foreign key', () => signed(claims(), stranger)],
    ['an assertion that names no key', () => signed(claims(), world.hospital, { kid: undefined })],
    ['an assertion without a signature', () => signed(claims(), world.hospital, { alg: 'none' })],
    ['an assertion signed symmetrically', () => signed(claims(), world.hospital, { alg: 'HS256' })],
    ['an assertion of one byte less', () => signed(claims(), world.hospital).slice(0, -2)],
    ['an app that has no key', () => signed(claims({ iss: 'portolan-cli', sub: 'portolan-cli' }), world.hospital)],
  ])('%s', async (_, assertion) => {
    expect(await ask(assertion())).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('an assertion that was used before', async () => {
    const assertion = signed(claims(), world.hospital);
    expect((await ask(assertion)).status).toBe(200);
    expect(await ask(assertion)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('all but one of the same assertion at the same time', async () => {
    const assertion = signed(claims(), world.hospital);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(assertion)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 401)]);
  });

  it.each([
    ['a scope that it may not have', { scope: 'system/*.read user/*.read' }, 400, 'invalid_scope'],
    ['no scope', { scope: '' }, 400, 'invalid_scope'],
    ['another resource', { resource: 'https://node.pt.example/fhir' }, 400, 'invalid_target'],
    [
      'another kind of assertion',
      { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' },
      400,
      'invalid_request',
    ],
    [
      'a grant that is not its own',
      { grant_type: 'authorization_code', code: 'x', redirect_uri: 'http://127.0.0.1:9/callback' },
      400,
      'invalid_request',
    ],
    ['a client id that is not the one of the assertion', { client_id: 'portolan-cli' }, 400, 'invalid_request'],
  ])('%s', async (_, changes, status, error) => {
    expect(await ask(signed(claims(), world.hospital), changes)).toMatchObject({ status, body: { error } });
  });
});
