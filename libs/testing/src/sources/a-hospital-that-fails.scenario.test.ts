import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CountryClient, type Answer } from '../client/country-client.js';
import { Asker } from '../scenarios/abroad.js';
import { rows } from '../scenarios/backstage.js';
import type { SharedWorld } from '../scenarios/shared-world.js';
import { eventually } from '../story/wait.js';
import { erika } from '../world/demo-people.js';
import { recordsFolder } from '../world/provision-world.js';
import { FolderFhirService } from '../world/fhir-service.js';
import { repository, World } from '../world/world.js';
import { filesWith, openedBodies } from './at-rest.js';

const DOCUMENT = join(repository, 'libs/formats/fixtures/cda/de-erika-beispiel-summary.xml');
/** What stands in the hospital's files alone. */
const CANARIES = ['Kreatinin im Serum', 'kh-4711', 'krea-1'];
/** From the moment at which an answer leaves until the other country has it; the machine may be busy. */
const ON_THE_WAY_MS = 700;
const NEGATIVE_ANSWER_MS = 1_500;

const faceOf = ({ status, text, headers }: Answer): string =>
  [
    status,
    headers.get('content-type'),
    text.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'),
  ].join('\n');

describe('a hospital that keeps its records, and fails', () => {
  let folder: string;
  let world: World;
  let seen: SharedWorld;
  let asker: Asker;
  let handle: string;
  let none: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-sources-'));
    await chmod(folder, 0o755);
    const log = join(folder, 'nodes.log');
    world = await World.start({
      folder,
      countries: ['DE', 'BE'],
      fsync: false,
      logLevel: 'info',
      sink: (line) => appendFileSync(log, line),
    });
    const { provisioned } = world;
    const at = (country: string): CountryClient => new CountryClient(world.country(country));
    seen = { provisioned, roles: 'together', at, logs: () => readFile(log, 'utf8') };
    const body = new Uint8Array(await readFile(DOCUMENT));
    const filed = await at('DE').call('/ingest', { token: await at('DE').systemToken(), body, type: 'application/xml' });
    expect(filed.status, filed.text).toBe(200);
    asker = new Asker(seen, 'BE', 'DE');
    const found = await asker.find(erika);
    if (found === undefined) throw new Error('DE did not find her');
    handle = found;
    none = faceOf(await asker.record(handle, ['imaging']));
    expect(none).toContain('request.none');
  });
  afterAll(async () => {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Another in the hospital's place, while something is done. */
  async function instead<T>(answer: RequestListener, work: () => Promise<T>): Promise<T> {
    const { hostname: host, port } = new URL(addressOf());
    await world.hospitals.get('DE')?.close();
    const server = createServer(answer).listen(Number(port), host);
    await once(server, 'listening');
    try {
      return await work();
    } finally {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }
  const addressOf = (): string => world.country('DE').config.sources.find(({ fetch }) => fetch !== undefined)?.fetch?.baseUrl ?? '';

  async function comesBack(): Promise<void> {
    const { hostname: host, port } = new URL(addressOf());
    const service = await FolderFhirService.start(recordsFolder('DE'), { host, port: Number(port) });
    world.hospitals.set('DE', service);
  }

  const results = (): Promise<Answer> => asker.record(handle, ['laboratory']);
  /** Reasons that DE's own books give for what it refused, newest first. */
  async function reasons(): Promise<readonly string[]> {
    const events = await rows<{ id: string }>(
      seen,
      'DE',
      `SELECT id FROM exchange.audit_event WHERE type = 'release-refused' ORDER BY seq DESC`,
    );
    const opened = new Map((await openedBodies(seen, 'DE', 'exchange')).map(({ place, text }) => [place, text]));
    return events.map(({ id }) => {
      const text = opened.get(`exchange.audit_event:${id}`);
      return text === undefined ? 'not opened' : ((JSON.parse(text) as { outcomeDesc?: string }).outcomeDesc ?? '');
    });
  }

  it('leaves nothing in the node whose records crossed: in no body, in no file', async () => {
    const { transfer, handle: shownAs } = await asker.obtain(erika, ['laboratory']);
    const shown = await asker.at(`/fhir/Observation?patient=Patient/${shownAs}&category=laboratory`);
    expect(shown.text).toContain(CANARIES[0]);
    await eventually('the transfer is closed', async () => {
      const [row] = await rows<{ state: string }>(seen, 'DE', 'SELECT state FROM exchange.transfer WHERE transfer_id = $1', [transfer]);
      return row?.state === 'closed';
    });
    const bodies = [...(await openedBodies(seen, 'DE', 'exchange')), ...(await openedBodies(seen, 'DE', 'edge'))];
    // We can read what is there: her transfer, what was posted, and what she has in the store.
    for (const table of ['exchange.transfer:', 'exchange.outbox:', 'exchange.audit_event:', 'edge.resource_version:'])
      expect(bodies.filter(({ place }) => place.startsWith(table)).length, table).toBeGreaterThan(0);
    expect(bodies.some(({ place }) => place === `exchange.transfer:${transfer}`)).toBe(true);
    expect(bodies.filter(({ text }) => CANARIES.some((canary) => text.includes(canary))).map(({ place }) => place)).toEqual([]);
    expect(await filesWith(folder, CANARIES)).toEqual([]);
  });

  type Lie = (url: URL, response: ServerResponse, base: string) => void;
  const say = (response: ServerResponse, text: string, status = 200, headers: Record<string, string> = {}): void =>
    void response.writeHead(status, { 'content-type': 'application/fhir+json', ...headers }).end(text);
  const searchset = (resources: readonly object[], next?: string): string =>
    JSON.stringify({
      resourceType: 'Bundle',
      type: 'searchset',
      link: next === undefined ? [] : [{ relation: 'next', url: next }],
      entry: resources.map((resource) => ({ resource })),
    });
  const patient = { resourceType: 'Patient', id: 'p1', identifier: [erika.identifier], birthDate: erika.birthDate };
  const others = { resourceType: 'Observation', id: 'o1', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/p2' } };
  const lies: readonly (readonly [string, string, Lie])[] = [
    [
      "another patient's results",
      'source.another-person',
      (url, r) => say(r, searchset(url.pathname === '/fhir/Patient' ? [patient] : [others])),
    ],
    ['another person under her number', 'source.another-person', (_, r) => say(r, searchset([{ ...patient, birthDate: '1950-01-01' }]))],
    ['more than anybody takes', 'source.answer-invalid', (_, r) => say(r, `{"resourceType":"Bundle","id":"${'x'.repeat(9_000_000)}"}`)],
    ['pages without an end', 'source.answer-invalid', (_, r, base) => say(r, searchset([], `${base}/Patient?page=${Math.random()}`))],
    ['broken JSON', 'source.answer-invalid', (_, r) => say(r, '{"resourceType":"Bundle",')],
    ['another host', 'source.leads-elsewhere', (_, r) => say(r, '', 302, { location: 'http://127.0.0.2:9/fhir' })],
  ];
  it.each(lies)('that gives %s is refused: the one negative answer abroad, %s at home', async (_, code, lie) => {
    const base = addressOf();
    const answer = await instead((request, response) => lie(new URL(request.url ?? '/', base), response, base), results);
    expect(faceOf(answer)).toBe(none);
    expect((await reasons())[0]).toBe(code);
    expect(await seen.logs()).toContain(code);
  });

  it('that is down gives the one negative answer, and its records when it is back', async () => {
    await world.hospitals.get('DE')?.close();
    expect(faceOf(await results())).toBe(none);
    expect((await reasons())[0]).toBe('source.unreachable');
    await comesBack();
    // Left alone for a while after failures; whoever asks again is served.
    await eventually('the hospital is heard again', async () => (await results()).status === 200);
  });

  it('that is slow keeps nobody waiting, and no answer tells that somebody was asked about', async () => {
    const stranger = { ...erika, identifier: { ...erika.identifier, value: 'X000009999' } };
    const begun = new Date().toISOString();
    // It takes the question and never answers. Askers come one after the other, so that some find others under way.
    await instead(
      () => undefined,
      () =>
        Promise.all(
          Array.from({ length: 8 }, async (_, i) => {
            await pause(i * 250);
            expect(i % 2 === 0 ? faceOf(await results()) : (await asker.match(stranger)).text).toContain(
              i % 2 === 0 ? 'request.none' : '"total":0',
            );
          }),
        ),
    );
    const asked = await rows<{ id: string; known: boolean; at: string }>(
      seen,
      'DE',
      `SELECT transfer_id AS id, person IS NOT NULL AS known, created_at AS at FROM exchange.transfer WHERE created_at > $1`,
      [begun],
    );
    expect(asked.filter(({ known }) => known)).toHaveLength(4);
    expect(asked).toHaveLength(8);
    for (const { id, known, at } of asked) {
      const [answer] = await rows<{ at: string }>(seen, 'BE', 'SELECT received_at AS at FROM exchange.incoming WHERE key = $1', [id]);
      const took = new Date(answer?.at ?? '').getTime() - new Date(at).getTime();
      expect(took).toBeGreaterThanOrEqual(NEGATIVE_ANSWER_MS - 50);
      expect((took + 50) % NEGATIVE_ANSWER_MS, `${known ? 'she' : 'a stranger'}: ${took} ms`).toBeLessThan(ON_THE_WAY_MS);
    }
  });
});
