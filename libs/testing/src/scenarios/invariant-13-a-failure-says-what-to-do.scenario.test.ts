import { connect } from 'node:net';
import { errorRegistry, isErrorCode } from '@portolan/contracts';
import { generateJwtKey, signJwt, signProfessionalAssertion } from '@portolan/jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Call } from '../client/country-client.js';
import { sendMllp } from '../client/mllp.js';
import { Asker } from './abroad.js';
import { clinicianOf, Herself, newcomer, somebody, tokenOf, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

interface Outcome {
  readonly resourceType: 'OperationOutcome';
  readonly issue: readonly {
    readonly details?: { readonly coding?: readonly { readonly code: string }[] };
    readonly diagnostics?: string;
  }[];
}

/** A failure over HTTP: one code of the registry with its own status, a place, and what to do next. */
function saysWhatToDo(what: string, answer: Answer, fhir: boolean): string {
  expect(answer.status, what).toBeGreaterThanOrEqual(400);
  const { code, where, next } = fhir ? ofOutcome(what, answer) : answer.json<{ code: string; where: string; next: string }>();
  if (!isErrorCode(code)) throw new Error(`${what}: ${code} is no code of the registry`);
  expect(where, what).not.toBe('');
  expect(next, what).toBe(errorRegistry[code].next);
  expect(answer.status, `${what}: ${code}`).toBe(errorRegistry[code].http);
  expect(answer.text, what).not.toMatch(/\bat .*\.(?:ts|js):\d+|SELECT |node_modules/);
  return code;
}

function ofOutcome(what: string, answer: Answer): { code: string; where: string; next: string } {
  expect(answer.headers.get('content-type'), what).toContain('application/fhir+json');
  const [issue] = answer.json<Outcome>().issue;
  const [, where = '', next = ''] = / at ([^]*?)(?: \([^]*\))?\. Next: ([^]*)\.$/.exec(issue?.diagnostics ?? '') ?? [];
  return { code: issue?.details?.coding?.[0]?.code ?? '', where, next };
}

describe('a failure says what failed, where, and what to do next', () => {
  let world: SharedWorld;
  let person: Newcomer;

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
  });

  const call = (path: string, also: Call = {}): Promise<Answer> => world.at('EE').call(path, also);
  const doctor = (): Asker => new Asker(world, 'EE', 'PT');
  const parameters = (...parameter: object[]): object => ({ resourceType: 'Parameters', parameter });

  it('at the FHIR door', async () => {
    const [token, own] = [await world.at('EE').systemToken(), await tokenOf(world, person)];
    const acting = await world.at('EE').actingStatement(clinicianOf('EE'), 'TREAT');
    const foreign = await world.at('PT').systemToken();
    const fhir = 'application/fhir+json';
    const table: readonly (readonly [string, Promise<Answer>])[] = [
      ['no token', call('/fhir/Patient')],
      ['a token that is none', call('/fhir/Patient', { token: 'nonsense' })],
      ['another country’s token', call('/fhir/Patient', { token: foreign, acting })],
      ['a person’s token', call('/fhir/Patient', { token: own, acting })],
      ['no professional', call('/fhir/Patient', { token })],
      ['a statement that is none', call('/fhir/Patient', { token, acting: 'nonsense' })],
      ['an unknown type', doctor().at('/fhir/Dragon')],
      ['an unknown resource', doctor().at('/fhir/Observation/nothing-here')],
      ['an unknown address', call('/fhir/Patient/1/2/3/4', { token, acting })],
      ['an unknown method', call('/fhir/Patient', { token, acting, method: 'DELETE' })],
      ['an unreadable search', doctor().at('/fhir/Observation?date=yesterday')],
      ['a body that is no JSON', call('/fhir/$request-record', { token, acting, body: '{', type: fhir })],
      ['a body too deep', call('/fhir/$request-record', { token, acting, body: '['.repeat(50_000), type: fhir })],
      ['a body too large', call('/fhir/$request-record', { token, acting, body: 'x'.repeat(30_000_000), type: fhir })],
      ['another media type', call('/fhir/$request-record', { token, acting, body: 'x', type: 'image/png' })],
      [
        'an unknown country',
        doctor().at(
          '/fhir/Patient/$match',
          parameters({ name: 'resource', resource: patientOf(person) }, { name: 'country', valueCode: 'XX' }),
        ),
      ],
      [
        'an unknown handle',
        doctor().at(
          '/fhir/$request-record',
          parameters({ name: 'patient', valueReference: { reference: 'Patient/none' } }, { name: 'category', valueCode: 'summary' }),
        ),
      ],
      [
        'an unknown category',
        doctor().at(
          '/fhir/$request-record',
          parameters({ name: 'patient', valueReference: { reference: 'Patient/none' } }, { name: 'category', valueCode: 'gossip' }),
        ),
      ],
      ['no parameters', doctor().at('/fhir/$adopt', parameters())],
      ['an emergency without end', doctor().at('/fhir/$declare-emergency', parameters({ name: 'country', valueCode: 'PT' }), 'ETREAT')],
      ['somebody else’s transfer', doctor().at('/fhir/$async/11111111-1111-4111-8111-111111111111')],
      ['an answer type that we do not speak', call('/fhir/metadata', { headers: { accept: 'image/png' } })],
    ];
    const codes = await Promise.all(table.map(async ([what, answer]) => saysWhatToDo(what, await answer, true)));
    expect(new Set(codes).size).toBeGreaterThan(12);
  });

  const patientOf = ({ identifier, birthDate }: Newcomer): object => ({ resourceType: 'Patient', identifier: [identifier], birthDate });

  it('where tokens and statements are stale, forged, or another’s', async () => {
    const { issuer, audience } = world.at('EE').config.openid;
    const forger = await generateJwtKey('forged');
    const claims = { iss: issuer, aud: audience, sub: 'x', client_id: 'x', iat: 1, exp: 4_000_000_000, jti: '1' };
    const now = { nowMs: Date.now(), lifetimeSeconds: 200, jti: '2' };
    const actor = {
      kind: 'professional',
      name: 'Nobody',
      id: { system: 'x', value: 'y' },
      role: 'doctor',
      organisation: { id: { system: 'x', value: 'y' }, name: 'z' },
    } as const;
    const token = await world.at('EE').systemToken();
    const statement = await signProfessionalAssertion('hospital-ee', audience, { actor, purpose: 'TREAT' }, forger, now);
    const hospital = world.provisioned.countries.get('EE')?.hospital;
    if (hospital === undefined) throw new Error('no hospital');
    const { key, clientId } = hospital;
    const old = await signProfessionalAssertion(clientId, audience, { actor, purpose: 'TREAT' }, key, {
      ...now,
      nowMs: Date.now() - 3_600_000,
    });
    const table: readonly (readonly [string, Call])[] = [
      ['a token under a key of its own', { token: await signJwt(claims, forger, 'at+jwt') }],
      ['a token of another type', { token: await signJwt(claims, forger, 'JWT') }],
      [
        'a token without signature',
        {
          token: `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`,
        },
      ],
      ['a statement under another key', { token, acting: statement }],
      ['a statement that is stale', { token, acting: old }],
    ];
    for (const [what, also] of table) expect(saysWhatToDo(what, await call('/fhir/Patient', also), true), what).toMatch(/^access\./);
  });

  it('at every other door', async () => {
    const system = await world.at('EE').systemToken();
    const [own, operator, regulator] = [
      await tokenOf(world, person),
      await world.at('EE').login('operator'),
      await world.at('EE').login('regulator'),
    ];
    const herself = new Herself(world, person);
    const stranger = await tokenOf(world, somebody('EE'));
    const uuid = '11111111-1111-4111-8111-111111111111';
    const table: readonly (readonly [string, Promise<Answer>])[] = [
      ['no token', call('/person/me')],
      ['a system at a person’s door', call('/person/me', { token: system })],
      ['a person without a record', call('/person/me', { token: stranger })],
      ['a consent of nothing', herself.call('/person/consents', {})],
      [
        'a consent that has passed',
        herself.call('/person/consents', {
          recipients: ['PT'],
          purposes: ['TREAT'],
          categories: ['summary'],
          until: '2001-01-01T00:00:00.000Z',
        }),
      ],
      [
        'a consent for no partner',
        herself.call('/person/consents', {
          recipients: ['XX'],
          purposes: ['TREAT'],
          categories: ['summary'],
          until: '2030-01-01T00:00:00.000Z',
        }),
      ],
      ['an unknown consent', herself.call(`/person/consents/${uuid}/withdraw`, {})],
      ['an unknown restriction', herself.call(`/person/restrictions/${uuid}/lift`, {})],
      ['a dispute of another’s entry', herself.call('/person/disputes', { resource: 'Observation/none', text: 'no' })],
      ['an unknown proposal', herself.call(`/person/proposals/${uuid}/permit`, {})],
      ['a person at the operator’s', call('/operator/health', { token: own })],
      ['an operator at the regulator’s', call('/regulator/trail', { token: operator })],
      ['a regulator at the person’s', call('/person/me', { token: regulator })],
      ['an unknown reject', call(`/operator/rejects/${uuid}`, { token: operator })],
      ['a reject that is no id', call('/operator/rejects/x', { token: operator })],
      ['an unknown transfer', call(`/regulator/receipts/${uuid}`, { token: regulator })],
      ['a trail without sense', call('/regulator/trail?limit=x', { token: regulator })],
      ['an event that is none', call(`/regulator/events/${uuid}/proof`, { token: regulator })],
      ['nothing to ingest', call('/ingest', { token: system, method: 'POST' })],
      ['something unreadable to ingest', call('/ingest', { token: system, body: 'hello', type: 'text/plain' })],
      ['truncated XML', call('/ingest', { token: system, body: '<ClinicalDocument xmlns="urn:hl7-org:v3"><id', type: 'application/xml' })],
      ['JSON that is none', call('/person/consents', { token: own, body: '{' })],
      ['JSON where a message is expected', call('/ingest', { token: system, body: '{"a":' })],
      ['a type that is no message', call('/ingest', { token: system, body: 'x', type: 'image/png' })],
      ['a message too large', call('/ingest', { token: system, body: 'x'.repeat(11_000_000), type: 'text/plain' })],
      ['an address that nothing answers', call('/nowhere')],
      ['an address that cannot be decoded', call('/person/%E0%A4%A')],
    ];
    const codes = await Promise.all(table.map(async ([what, answer]) => saysWhatToDo(what, await answer, false)));
    expect(new Set(codes).size).toBeGreaterThan(14);
  });

  it('over MLLP: ERR with a code, a place and what to do', async () => {
    const door = world.at('EE').config.mllp;
    const head = (type: string, version = '2.5.1', processing = 'P') =>
      `MSH|^~\\&|NAIDIS-HIS|EE-NAIDISHAIGLA|PORTOLAN|EE|20261102081500+0200||${type}|X${Math.random()}|${processing}|${version}||||||UNICODE UTF-8`;
    const pid = 'PID|1||47101010033^^^EE-PIN^NI||Näidis^Mari||19711332|F';
    const table: readonly (readonly [string, string, string])[] = [
      ['not HL7 at all', 'hello', 'AE|AR'],
      ['an unknown message type', `${head('ZZZ^Z99^ZZZ_Z99')}\r${pid}`, 'AR'],
      ['an unknown version', `${head('ADT^A01^ADT_A01', '9.9')}\r${pid}`, 'AR'],
      ['an unknown processing id', `${head('ADT^A01^ADT_A01', '2.5.1', 'Q')}\r${pid}`, 'AR'],
      ['a birth date that is none', `${head('ADT^A01^ADT_A01')}\r${pid}`, 'AE'],
      ['a message without a patient', `${head('ADT^A01^ADT_A01')}\rPV1|1|I`, 'AE'],
      ['an unknown sender', `${head('ADT^A01^ADT_A01').replace('EE-NAIDISHAIGLA', 'EE-TUNDMATU')}\r${pid}`, 'AE|AR'],
    ];
    for (const [what, message, verdicts] of table) {
      const ack = await sendMllp(door, Buffer.from(message));
      expect(ack, what).toMatch(new RegExp(`\\rMSA\\|(?:${verdicts})[|\\r]`));
      const err =
        ack
          .split('\r')
          .find((segment) => segment.startsWith('ERR|'))
          ?.split('|') ?? [];
      const code = err[5]?.split('^')[0] ?? '';
      expect(isErrorCode(code), `${what}: ERR-5 ${code}`).toBe(true);
      expect(err.slice(2, 9).join('|'), what).not.toBe('');
    }
  });

  it('and a door goes on after whatever was thrown at it', async () => {
    const { host, port } = world.at('EE').config.mllp;
    for (const bytes of [
      Buffer.alloc(200_000, 0x41),
      Buffer.from([0x0b]),
      Buffer.from([0x0b, 0x1c, 0x0d]),
      Buffer.from([0x1c, 0x0d, 0x0b, 0xff]),
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, host, () => socket.end(bytes));
        socket.on('error', () => resolve());
        socket.on('close', () => resolve());
        socket.setTimeout(3_000, () => socket.destroy());
      });
    }
    expect(await newcomer(world, 'EE')).toBeDefined();
  });
});
