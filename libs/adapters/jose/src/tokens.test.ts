import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorRegistry, type Actor } from '@portolan/contracts';
import type { Principal } from '@portolan/domain';
import fc from 'fast-check';
import type { JWTPayload } from 'jose';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { generateJwtKey, iuaExtension, jwksOf, signClientAssertion, signJwt, signProfessionalAssertion, type JwtKey } from './issue.js';
import { JwtAccessTokens } from './jwt-access-tokens.js';
import { JwtProfessionalAssertions } from './jwt-professional-assertions.js';
import type { Fetch, KeySource } from './jwks.js';
import { SetClock } from './test-support.js';

const NOW = Date.parse('2026-11-21T10:00:00.000Z');
const SECONDS = NOW / 1000;
const ISSUER = 'https://login.ee.example';
const AUDIENCE = 'https://node.ee.example/fhir';
const PROVIDERS = 'https://ee.example/professionals';

let key: JwtKey;
let other: JwtKey;
beforeAll(async () => {
  [key, other] = await Promise.all([generateJwtKey('k1'), generateJwtKey('k2', 'ES384')]);
});

const claims = (changes: JWTPayload = {}): JWTPayload => ({
  iss: ISSUER,
  aud: [AUDIENCE, 'https://elsewhere.example'],
  sub: 'hospital-1',
  client_id: 'hospital-1',
  iat: SECONDS - 10,
  exp: SECONDS + 300,
  jti: 'j1',
  scope: 'system/Patient.rs  system/Observation.rs',
  ...changes,
});
const kinds = ['system', 'person', 'clinician-app'] as const;
const tokensOf = (keys: KeySource, more: { fetch?: Fetch; clock?: SetClock } = {}): JwtAccessTokens =>
  new JwtAccessTokens({
    issuers: [{ issuer: ISSUER, keys, kinds, providerSystem: PROVIDERS }],
    audience: AUDIENCE,
    clock: new SetClock(NOW),
    ...more,
  });
const tokens = (): JwtAccessTokens => tokensOf({ keys: jwksOf([key, other]) });
const sign = (changes: JWTPayload = {}, typ = 'at+jwt', by = key): Promise<string> => signJwt(claims(changes), by, typ);

const professional: Actor = {
  kind: 'professional',
  name: 'Ana Exemplo',
  id: { system: PROVIDERS, value: 'P-0001' },
  role: 'doctor',
  organisation: { id: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3.4' }, name: 'Example hospital' },
};

describe('an access token', () => {
  it('of a system names the client and its scopes', async () => {
    expect(await tokens().verify(await sign())).toEqual({
      kind: 'system',
      subject: 'hospital-1',
      issuer: ISSUER,
      clientId: 'hospital-1',
      scopes: ['system/Patient.rs', 'system/Observation.rs'],
    });
  });

  it('of a person names the person', async () => {
    const person = { system: 'https://ee.example/persons', value: '48001010000' };
    const token = await sign({ sub: 'u1', ptl_kind: 'person', ptl_person: person, name: 'Mari Näidis', scope: undefined });
    expect(await tokens().verify(token)).toMatchObject({ kind: 'person', personIdentifier: person, name: 'Mari Näidis', scopes: [] });
  });

  it('of a person names for whom she speaks, and nobody else’s does', async () => {
    const one = { system: 'https://ee.example/persons', value: '51505050055', relationship: 'PRN' };
    const person = { sub: 'u1', ptl_kind: 'person', ptl_person: { system: one.system, value: '1' }, ptl_represents: [one] };
    expect((await tokens().verify(await sign(person))).represents).toEqual([
      { person: { system: one.system, value: one.value }, relationship: 'PRN' },
    ]);
    expect(await tokens().verify(await sign({ ptl_represents: [one] }))).not.toHaveProperty('represents');
  });

  it('may carry the acting professional itself', async () => {
    const token = await sign({ sub: 'u1', ptl_kind: 'clinician-app', ...iuaExtension({ actor: professional, purpose: 'TREAT' }) });
    expect((await tokens().verify(token)).acting).toEqual({ actor: professional, purposes: ['TREAT'] });
  });

  it('may be signed with any registered key of the issuer', async () => {
    expect((await tokens().verify(await sign({}, 'application/at+jwt', other))).kind).toBe('system');
  });

  const invalid = 'access.token-invalid';
  const expired = 'access.token-expired';
  it.each<[string, () => Promise<string>, string, string?]>([
    ['is of another issuer', () => sign({ iss: 'https://login.pt.example' }), invalid, 'iss'],
    ['is for another node', () => sign({ aud: 'https://elsewhere.example' }), invalid, 'aud'],
    ['is for nobody', () => sign({ aud: undefined }), invalid, 'aud'],
    ['has ended', () => sign({ exp: SECONDS - 6 }), expired, 'exp'],
    ['never ends', () => sign({ exp: undefined }), invalid, 'exp'],
    ['is not valid yet', () => sign({ nbf: SECONDS + 6 }), expired, 'nbf'],
    ['is from the future', () => sign({ iat: SECONDS + 60 }), expired, 'iat'],
    ['has no id', () => sign({ jti: undefined }), invalid, 'jti'],
    ['names no client', () => sign({ client_id: undefined }), invalid, 'client_id'],
    ['names a client that is no text', () => sign({ client_id: 7 }), invalid, 'client_id'],
    ['says not what it is', () => sign({ sub: 'u1' }), invalid, 'ptl_kind'],
    ['is of a kind that does not exist', () => sign({ ptl_kind: 'root' }), invalid, 'ptl_kind'],
    ['is of a kind that its issuer may not name', () => sign({ ptl_kind: 'regulator' }), invalid, 'ptl_kind'],
    ['is a person’s and names none', () => sign({ ptl_kind: 'person' }), invalid, 'ptl_person'],
    ['names a person wrongly', () => sign({ ptl_kind: 'person', ptl_person: { system: 'x' } }), invalid, 'ptl_person'],
    ...(
      [
        'x',
        [null],
        [{ system: 's', value: 'v', relationship: 'boss' }],
        [{ system: 's', relationship: 'PRN' }],
        Array(21).fill({}),
      ] as const
    ).map((list): [string, () => Promise<string>, string, string] => [
      'names wrongly for whom she speaks',
      () => sign({ ptl_kind: 'person', ptl_person: { system: 's', value: '1' }, ptl_represents: list }),
      invalid,
      'ptl_represents',
    ]),
    ['has scopes in a list', () => sign({ scope: ['a'] }), invalid, 'scope'],
    ['is an ID token', () => sign({}, 'JWT'), invalid, 'typ'],
    ['is signed by a stranger', async () => sign({}, 'at+jwt', await generateJwtKey('k1')), invalid],
    ['is signed with an unknown key', async () => sign({}, 'at+jwt', await generateJwtKey('k9')), invalid],
    ['is unsigned', async () => `${b64({ alg: 'none', typ: 'at+jwt' })}.${b64(claims())}.`, invalid],
    ['is signed symmetrically', async () => `${b64({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })}.${b64(claims())}.AAAA`, invalid],
    ['is too long', () => sign({ more: 'x'.repeat(20_000) }), invalid],
    ['is opaque', async () => 'opaque', invalid, 'iss'],
    ['names no professional in its extension', () => sign({ extensions: { ihe_iua: {} } }), 'access.professional-missing'],
  ])('is refused where it %s', async (_what, make, code, detail) => {
    const error: unknown = await tokens()
      .verify(await make())
      .catch((one: unknown) => one);
    expect(error).toMatchObject(detail === undefined ? { code } : { code, detail });
    expect((error as Error).cause).toBeUndefined();
  });

  it('is taken within a small difference of clocks', async () => {
    expect(await tokens().verify(await sign({ exp: SECONDS - 3, nbf: SECONDS + 3, iat: SECONDS + 3 }))).toBeDefined();
  });

  it('never gets in made up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json().map((one) => `${b64({ alg: 'ES256' })}.${Buffer.from(one).toString('base64url')}.AAAA`),
        ),
        async (one) => {
          await expect(tokens().verify(one)).rejects.toMatchObject({ code: invalid });
        },
      ),
    );
  });
});

function b64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('keys at an address', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  /** Serves `answer()` as key set and counts how often it was asked. */
  async function serve(answer: () => string): Promise<{ url: string; asked: () => number }> {
    let count = 0;
    const server = createServer((_request, response) => {
      count += 1;
      response.setHeader('content-type', 'application/json').end(answer());
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`, asked: () => count };
  }

  it('are fetched once and remembered, and a stranger’s key id does not make us ask again and again', async () => {
    const { url, asked } = await serve(() => JSON.stringify(jwksOf([key])));
    const verifier = tokensOf({ url });
    for (let i = 0; i < 5; i += 1) await verifier.verify(await sign());
    for (let i = 0; i < 5; i += 1) {
      await expect(verifier.verify(await sign({}, 'at+jwt', other))).rejects.toMatchObject({ code: 'access.token-invalid' });
    }
    expect(asked()).toBe(1);
  });

  it.each([
    ['nobody answers', async () => 'http://127.0.0.1:9/jwks'],
    ['the answer is no key set', async () => (await serve(() => '<html>')).url],
    ['the answer is too large', async () => (await serve(() => `{"keys":[],"pad":"${'x'.repeat(300_000)}"}`)).url],
  ])('are out of reach where %s: to be tried again', async (_what, url) => {
    const error = tokensOf({ url: await url() }).verify(await sign());
    await expect(error).rejects.toMatchObject({ code: 'access.keys-unreachable', retriable: true });
  });
});

describe('a statement about the acting professional', () => {
  const system: Principal = { kind: 'system', subject: 'hospital-1', issuer: ISSUER, clientId: 'hospital-1', scopes: [] };
  const assertions = (): JwtProfessionalAssertions =>
    new JwtProfessionalAssertions({
      clients: [
        { clientId: 'hospital-1', keys: { keys: jwksOf([key]) }, providerSystem: PROVIDERS },
        { clientId: 'hospital-2', keys: { keys: jwksOf([other]) }, providerSystem: PROVIDERS },
      ],
      audience: AUDIENCE,
      clock: new SetClock(NOW),
    });
  const times = { nowMs: NOW, lifetimeSeconds: 60, jti: 'j1' };
  const statement = { actor: professional, purpose: 'TREAT', personId: '48001010000' } as const;
  const state = (changes: JWTPayload, iua: object = {}): Promise<string> => {
    const extensions = { ihe_iua: { ...(iuaExtension(statement)['extensions'] as { ihe_iua: object }).ihe_iua, ...iua } };
    return signJwt({ iss: 'hospital-1', aud: AUDIENCE, iat: SECONDS, exp: SECONDS + 60, jti: 'j', extensions, ...changes }, key, 'JWT');
  };

  it('gives who acts, why and on whose record', async () => {
    const jwt = await signProfessionalAssertion('hospital-1', AUDIENCE, statement, key, times);
    const mark = { id: 'hospital-1 j1', until: '2026-11-21T10:01:05.000Z' };
    const said = { actor: professional, purposes: ['TREAT'], personId: '48001010000' };
    expect(await assertions().verify(jwt, system)).toEqual({ ...said, statement: mark });
  });

  it('understands the purposes that mean one of the coarse six, and passes over the rest', async () => {
    const act = (code: string, system = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'): object => ({ system, code });
    const purposes = async (...list: object[]): Promise<readonly string[]> =>
      (await assertions().verify(await state({}, { purpose_of_use: list }), system)).purposes;
    expect(await purposes(act('TREAT'), act('BTG'), act('BTG'))).toEqual(['TREAT', 'ETREAT']);
    expect(await purposes(act('HMARKT'), act('TREAT', 'https://local.example'), act('PATRQT'))).toEqual(['PATRQT']);
  });

  it.each([
    ['name', { subject_name: undefined }],
    ['name that is blank', { subject_name: ' ' }],
    ['name that is an object', { subject_name: { text: 'x' } }],
    ['name of immense length', { subject_name: 'x'.repeat(201) }],
    ['organisation', { subject_organization: undefined }],
    ['organisation id', { subject_organization_id: undefined }],
    ['organisation id that is a URI', { subject_organization_id: 'hospital-1' }],
    ['national identifier', { national_provider_identifier: undefined }],
    ['role', { subject_role: [] }],
    ['role as a list', { subject_role: 'doctor' }],
    ['purpose', { purpose_of_use: undefined }],
    ['purpose that may cross', { purpose_of_use: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HMARKT' }] }],
  ])('is refused without a %s', async (_what, iua) => {
    await expect(assertions().verify(await state({}, iua), system)).rejects.toMatchObject({ code: 'access.professional-missing' });
  });

  const invalid = 'access.assertion-invalid';
  it.each<[string, () => Promise<string>, string]>([
    ['another client', () => state({ iss: 'hospital-2' }), invalid],
    ['another node', () => state({ aud: 'https://node.pt.example/fhir' }), invalid],
    ['the past', () => state({ exp: SECONDS - 6, iat: SECONDS - 60 }), 'access.assertion-expired'],
    ['many calls to come', () => state({ exp: SECONDS + 301 }), 'access.assertion-expired'],
    ['authentication, naming nobody', () => signClientAssertion('hospital-1', AUDIENCE, key, times), 'access.professional-missing'],
    ['anything', async () => 'x.y.z', invalid],
    ['one call, without an id', () => state({ jti: '' }), invalid],
    ['one call, with an immense id', () => state({ jti: 'x'.repeat(256) }), invalid],
  ])('is refused where it is for %s', async (_what, make, code) => {
    await expect(assertions().verify(await make(), system)).rejects.toMatchObject({ code });
  });

  it('is refused where the one who calls did not make it', async () => {
    const jwt = await state({});
    await expect(assertions().verify(jwt, { ...system, clientId: 'hospital-2' })).rejects.toMatchObject({ code: invalid });
    await expect(assertions().verify(jwt, { ...system, clientId: 'unknown' })).rejects.toMatchObject({ code: invalid });
  });

  it('never shows in an error', async () => {
    const error: unknown = await assertions()
      .verify(await state({ aud: 'x' }), system)
      .catch((one: unknown) => one);
    expect(JSON.stringify({ ...(error as object), message: (error as Error).message, stack: (error as Error).stack })).not.toContain(
      'Exemplo',
    );
    expect(errorRegistry['access.assertion-invalid'].http).toBe(401);
  });
});
