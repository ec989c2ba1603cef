import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import type { Person, PersonId } from '@portolan/domain';
import { FhirRecordSource, type FhirRecordSourceConfig } from '@portolan/fhir-source';
import { R4Validator } from '@portolan/fhir-validator';
import { sha256 } from '@portolan/keys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderFhirService } from '../world/fhir-service.js';
import { repository } from '../world/repository.js';
import { recordSourceContract } from './record-source.contract.js';

const folder = join(repository, 'libs/testing/demo/fhir-service/de');
const erika = '00000000-0000-4000-8000-000000000001' as PersonId;
const stranger = '00000000-0000-4000-8000-000000000002' as PersonId;
const known: Person = {
  id: erika,
  identifiers: [{ system: 'http://fhir.de/sid/gkv/kvid-10', value: 'X000000001' }],
  birthDate: '1964-08-12',
  family: 'Beispiel',
  given: 'Erika',
};
const validator = new R4Validator();

const sourceAt = (baseUrl: string, more: Partial<FhirRecordSourceConfig> = {}): FhirRecordSource =>
  new FhirRecordSource({
    name: 'demo-klinikum',
    baseUrl,
    custodian: 'DE',
    people: { person: async (id) => (id === erika ? known : undefined) },
    validator,
    now: () => Date.now(),
    sha256,
    ...more,
  });

let service: FolderFhirService;
beforeAll(async () => {
  service = await FolderFhirService.start(folder, { host: '127.0.0.1', port: 0 });
});
afterAll(() => service.close());

recordSourceContract('a FHIR service asked now', async () => ({ source: sourceAt(service.baseUrl), erika, stranger }));

type Answer = (request: IncomingMessage, response: ServerResponse, base: string) => void;

/** A service that lies, answers once a case. */
class Liar {
  private answer: Answer = () => undefined;
  readonly asked: string[] = [];
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Liar> {
    const server = createServer();
    const liar = new Liar(server);
    server.on('request', (request, response) => {
      liar.asked.push(request.url ?? '');
      liar.answer(request, response, liar.base);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return liar;
  }

  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/fhir`;
  }

  says(answer: Answer): void {
    this.asked.length = 0;
    this.answer = answer;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const fhir = (response: ServerResponse, text: string, status = 200, headers: Record<string, string> = {}): void =>
  void response.writeHead(status, { 'content-type': 'application/fhir+json', ...headers }).end(text);
const searchset = (resources: readonly string[], links: readonly object[] = []): string =>
  `{"resourceType":"Bundle","type":"searchset","link":${JSON.stringify(links)}${resources.length === 0 ? '' : `,"entry":[${resources.map((r) => `{"resource":${r}}`).join(',')}]`}}`;
const patient = (more: object = {}): string =>
  JSON.stringify({ resourceType: 'Patient', id: 'p1', identifier: known.identifiers, birthDate: '1964-08-12', ...more });
const observation = (more: object = {}): string =>
  JSON.stringify({
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/p1' },
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }],
    ...more,
  });
/** Answers the Patient search truly, and everything else as the case has it. */
const after =
  (rest: Answer): Answer =>
  (request, response, base) =>
    request.url?.startsWith('/fhir/Patient?') === true ? fhir(response, searchset([patient()])) : rest(request, response, base);

describe('a service that is wrong is refused with a code, and nothing of it is given', () => {
  let liar: Liar;
  beforeAll(async () => {
    liar = await Liar.start();
  });
  afterAll(() => liar.close());

  const limits = { attempts: 2, answerMs: 500, askingMs: 3_000, answerBytes: 20_000, totalBytes: 60_000, pages: 5, resources: 50 };
  const gather = (): Promise<unknown> => sourceAt(liar.base, { limits }).gather({ person: erika, categories: ['laboratory'] });
  const codeOf = async (): Promise<string> => {
    try {
      await gather();
    } catch (error) {
      if (error instanceof PortolanError) return error.code;
      throw error;
    }
    return 'accepted';
  };

  const cases: readonly (readonly [string, string, Answer])[] = [
    [
      'another person by identifier',
      'source.another-person',
      (_, r) => fhir(r, searchset([patient({ identifier: [{ system: 'urn:x', value: '1' }] })])),
    ],
    ['another person by birth date', 'source.another-person', (_, r) => fhir(r, searchset([patient({ birthDate: '1990-01-01' })]))],
    ['nobody who was born on a day', 'source.another-person', (_, r) => fhir(r, searchset([patient({ birthDate: undefined })]))],
    ['an entry without an id', 'source.answer-invalid', after((_, r) => fhir(r, searchset([observation({ id: undefined })])))],
    [
      "another patient's entries",
      'source.another-person',
      after((_, r) => fhir(r, searchset([observation({ subject: { reference: 'Patient/p2' } })]))),
    ],
    ['an entry of another type', 'source.answer-invalid', after((_, r) => fhir(r, searchset([patient()])))],
    ['what is no valid FHIR', 'source.answer-invalid', after((_, r) => fhir(r, searchset([observation({ status: 'nonsense' })])))],
    ['broken JSON', 'source.answer-invalid', (_, r) => fhir(r, '{"resourceType":"Bundle",')],
    ['a member twice', 'source.answer-invalid', (_, r) => fhir(r, '{"resourceType":"Bundle","type":"searchset","type":"searchset"}')],
    [
      'bytes that are no UTF-8',
      'source.answer-invalid',
      (_, r) => void r.writeHead(200, { 'content-type': 'application/fhir+json' }).end(Buffer.from([0x7b, 0xff, 0x7d])),
    ],
    ['a web page', 'source.answer-invalid', (_, r) => fhir(r, '<html></html>', 200, { 'content-type': 'text/html' })],
    ['no searchset', 'source.answer-invalid', (_, r) => fhir(r, patient())],
    [
      'too many bytes',
      'source.answer-invalid',
      (_, r) => fhir(r, searchset([patient({ text: { status: 'generated', div: 'x'.repeat(30_000) } })])),
    ],
    [
      'pages without an end',
      'source.answer-invalid',
      (q, r, base) => fhir(r, searchset([], [{ relation: 'next', url: `${base}/Patient?n=${Math.random()}&x=${(q.url ?? '').length}` }])),
    ],
    [
      'a page that follows itself',
      'source.answer-invalid',
      (q, r, base) => fhir(r, searchset([], [{ relation: 'next', url: new URL(q.url ?? '', base).href }])),
    ],
    [
      'a next page at another host',
      'source.leads-elsewhere',
      (_, r) => fhir(r, searchset([], [{ relation: 'next', url: 'http://127.0.0.2:9/fhir/Patient' }])),
    ],
    [
      'a next page outside its base',
      'source.leads-elsewhere',
      (_, r, base) => fhir(r, searchset([], [{ relation: 'next', url: `${new URL(base).origin}/other` }])),
    ],
    [
      'a next page at a neighbour whose name begins like its own',
      'source.leads-elsewhere',
      (_, r, base) => fhir(r, searchset([], [{ relation: 'next', url: `${base}-other/Patient?page=2` }])),
    ],
    [
      'a next page above its base, by dots',
      'source.leads-elsewhere',
      (_, r, base) => fhir(r, searchset([], [{ relation: 'next', url: `${base}/%2e%2e/other/Patient` }])),
    ],
    ['a redirect', 'source.leads-elsewhere', (_, r) => fhir(r, '', 302, { location: 'http://127.0.0.2:9/' })],
    ['a refusal', 'source.refused', (_, r) => fhir(r, '{}', 403)],
    ['a service that is busy for ever', 'source.unreachable', (_, r) => fhir(r, '{}', 503)],
    ['silence', 'source.unreachable', () => undefined],
    [
      'a line that breaks in the answer',
      'source.unreachable',
      (_, r) => {
        r.writeHead(200, { 'content-type': 'application/fhir+json', 'content-length': '1000' }).write('{');
        setTimeout(() => r.destroy(), 20);
      },
    ],
  ];
  it.each(cases)('%s: %s', async (_, code, answer) => {
    liar.says(answer);
    expect(await codeOf()).toBe(code);
  });

  it('asks a busy service again when it says so', async () => {
    let first = true;
    liar.says((request, response, base) => {
      if (!first) {
        after((q, r) => fhir(r, searchset(q.url?.startsWith('/fhir/Observation?') === true ? [observation()] : [])))(
          request,
          response,
          base,
        );
        return;
      }
      first = false;
      fhir(response, '{}', 429, { 'retry-after': '0' });
    });
    expect(await gather()).toHaveLength(2);
  });

  const inAMinute: readonly (readonly [string, () => string])[] = [
    ['in seconds', () => '60'],
    ['as a date', () => new Date(Date.now() + 60_000).toUTCString()],
  ];
  it.each(inAMinute)('leaves a service alone for as long as it asks, %s', async (_, retryAfter) => {
    liar.says((_request, response) => fhir(response, '{}', 503, { 'retry-after': retryAfter() }));
    let ahead = 0;
    const source = sourceAt(liar.base, { limits, now: () => Date.now() + ahead });
    const ask = (): Promise<unknown> => source.gather({ person: erika, categories: ['laboratory'] });
    await expect(ask()).rejects.toThrow('source.unreachable');
    await expect(ask()).rejects.toThrow('source.unreachable');
    expect(liar.asked).toHaveLength(1);
    ahead = 61_000;
    liar.says(after((_request, response) => fhir(response, searchset([]))));
    expect(await ask()).toHaveLength(1);
  });

  it('leaves a service alone for a while that failed again and again', async () => {
    liar.says((_, response) => fhir(response, '{}', 503));
    const source = sourceAt(liar.base, { limits: { ...limits, attempts: 1, failuresToRest: 2, restMs: 60_000 } });
    for (let i = 0; i < 4; i += 1)
      await expect(source.gather({ person: erika, categories: ['laboratory'] })).rejects.toThrow('source.unreachable');
    expect(liar.asked).toHaveLength(2);
  });

  it('is heard no longer than its deadline', async () => {
    liar.says(() => undefined);
    const begun = Date.now();
    await expect(sourceAt(liar.base).gather({ person: erika, categories: ['laboratory'], by: begun + 300 })).rejects.toThrow(
      'source.unreachable',
    );
    expect(Date.now() - begun).toBeLessThan(4_000);
  });

  it('is never told a person in an error', async () => {
    liar.says((_, response) => fhir(response, '{}', 403));
    const message = await gather().catch((error: unknown) => String(error));
    expect(message).not.toContain('X000000001');
  });
});

describe('the node proves itself to a service', () => {
  it('by a SMART backend token, and asks for another where one is not taken', async () => {
    const liar = await Liar.start();
    let given = 0;
    liar.says((request, response) => {
      if (request.url === '/fhir/token') {
        given += 1;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: `t${given}`, expires_in: 300 }));
        return;
      }
      if (request.headers.authorization !== 'Bearer t2') {
        fhir(response, '{}', 401);
        return;
      }
      fhir(response, searchset([]));
    });
    const assertions: string[] = [];
    const client = {
      tokenUrl: `${liar.base}/token`,
      scope: 'system/*.read',
      assertion: async (audience: string) => {
        assertions.push(audience);
        return 'signed';
      },
    };
    expect(await sourceAt(liar.base, { client }).gather({ person: erika, categories: ['laboratory'] })).toEqual([]);
    expect(assertions).toEqual([`${liar.base}/token`, `${liar.base}/token`]);
    liar.close();
  });
});

it('the folder of the demonstration holds valid FHIR', async () => {
  for (const name of ['patient-erika', 'organization-labor', 'observation-kreatinin', 'observation-kalium'])
    expect(
      validator.validate(JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'))).filter(({ severity }) => severity !== 'warning'),
    ).toEqual([]);
});
