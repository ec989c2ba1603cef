import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../client/country-client.js';
import { eventually } from '../story/wait.js';
import type { DemoPerson } from '../world/demo-people.js';
import { Asker, type Sought } from './abroad.js';
import { rows } from './backstage.js';
import { filed, Herself, messagesAbout, newcomer, somebody, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

const ROUNDS = 5;
/** Medians of the reasons lie within this of each other, or within what one and the same reason varies by: no promise of speed. */
const NOISE_MS = 400;

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
/** An answer without what must differ: its id and its time. */
const faceOf = ({ status, text, headers }: Answer): string =>
  [
    status,
    headers.get('content-type'),
    text.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'),
  ].join('\n');

describe('one negative answer, whatever the reason', () => {
  let world: SharedWorld;
  let asker: Asker;
  let sought: Map<string, Sought>;
  let people: Map<string, Newcomer>;
  let handles: Map<string, string>;

  beforeAll(async () => {
    world = await sharedWorld();
    asker = new Asker(world, 'DE', 'EE');
    const [withdrawn, optedOut, restricted, silent, twin] = await Promise.all(Array.from({ length: 5 }, () => newcomer(world, 'EE')));
    people = new Map(Object.entries({ withdrawn, optedOut, restricted, silent, twin }) as [string, Newcomer][]);
    handles = new Map();
    for (const name of ['withdrawn', 'optedOut', 'restricted', 'twin']) await permitsAndIsFound(name);
    await changeOfMind();
    const elsewhere = somebody('EE');
    sought = new Map<string, Sought>([
      ['unknown-person', elsewhere],
      ['unknown-person, by her birth date', { ...pick('silent'), birthDate: '1901-01-01' }],
      ['no-ground', pick('silent')],
      ['withdrawn', pick('withdrawn')],
      ['opted-out', pick('optedOut')],
      ['restricted', pick('restricted')],
      ['several-matches', pick('twin')],
    ]);
  });

  const pick = (name: string): Newcomer => {
    const found = people.get(name);
    if (found === undefined) throw new Error(`nobody is called ${name} here`);
    return found;
  };

  async function permitsAndIsFound(name: string): Promise<void> {
    const herself = new Herself(world, pick(name));
    const consent = await herself.permits(['DE'], ['laboratory', 'summary', 'imaging']);
    const handle = await asker.find(pick(name));
    if (handle === undefined) throw new Error(`${name} was not found while she permitted`);
    handles.set(name, handle);
    if (name === 'withdrawn') await herself.withdraws(consent);
  }

  /** What makes each a refusal; a second record under her identifier makes the twin two. */
  async function changeOfMind(): Promise<void> {
    await new Herself(world, pick('optedOut')).forbids('opt-out');
    await new Herself(world, pick('restricted')).forbids('restriction');
    const twin = pick('twin');
    const database = await rows<{ id: string }>(world, 'EE', 'SELECT person AS id FROM edge.person_identifier WHERE value = $1', [
      twin.identifier.value,
    ]);
    const copy = `WITH other AS (INSERT INTO edge.person SELECT gen_random_uuid(), birth_date, family, given, family_key, given_key FROM edge.person WHERE id = $1 RETURNING id)
      INSERT INTO edge.person_identifier SELECT i.system, i.value, other.id FROM edge.person_identifier i, other WHERE i.person = $1`;
    await rows(world, 'EE', copy, [database[0]?.id]);
  }

  it('answers a match alike, in bytes and in time, for every reason', async () => {
    const faces = new Map<string, Set<string>>();
    const took = new Map<string, number[]>([...sought.keys()].map((reason) => [reason, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      // All at once: whatever slows the machine slows every reason.
      await Promise.all(
        [...sought].map(async ([reason, person]) => {
          const begun = performance.now();
          const answer = await asker.match(person);
          took.get(reason)?.push(performance.now() - begun);
          faces.set(reason, (faces.get(reason) ?? new Set()).add(faceOf(answer)));
        }),
      );
    }
    const [one, ...others] = new Set([...faces.values()].flatMap((seen) => [...seen]));
    expect(others).toEqual([]);
    expect(one).toContain('"total":0');
    const medians = [...took.values()].map(median);
    const noise = Math.max(NOISE_MS, ...[...took.values()].map((times) => Math.max(...times) - Math.min(...times)));
    expect(Math.max(...medians) - Math.min(...medians), JSON.stringify(Object.fromEntries(took))).toBeLessThan(noise);
  });

  it('answers a request for a record alike, and offers nobody anything else', async () => {
    const asked = new Map<string, [string, readonly string[]]>([
      ...['withdrawn', 'optedOut', 'restricted', 'twin'].map((name): [string, [string, string[]]] => [
        name,
        [handles.get(name) ?? '', ['laboratory']],
      ]),
      ['no-data', [await foundWithoutImages(), ['imaging']]],
    ]);
    const faces = await Promise.all([...asked].map(async ([, [handle, categories]]) => faceOf(await asker.record(handle, categories))));
    expect(new Set(faces).size, faces.join('\n')).toBe(1);
    expect(faces[0]).toContain('request.none');
  });

  async function foundWithoutImages(): Promise<string> {
    const person = await newcomer(world, 'EE');
    await new Herself(world, person).permits(['DE'], ['laboratory', 'imaging']);
    const handle = await asker.find(person);
    if (handle === undefined) throw new Error('she was not found');
    return handle;
  }

  it('shows the reason to the person, and tells it to nobody abroad', async () => {
    const reasons = { withdrawn: 'withdrawn', optedOut: 'opted-out', restricted: 'restricted', silent: 'no-ground' };
    for (const [name, reason] of Object.entries(reasons)) {
      const line = await new Herself(world, pick(name)).hears(
        `refused: ${reason}`,
        ({ act, reason: told }) => act === 'release-refused' && told === reason,
      );
      expect(line.who.name).toBe(asker.who.name);
    }
    const logged = (await world.logs()).split('\n').filter((text) => text.includes('"country":"DE"'));
    expect(logged.some((text) => /opted-out|withdrawn|restricted|several-matches|unknown-person/.test(text))).toBe(false);
  });

  it('sends answers of one length over the border', async () => {
    const sent = `SELECT length(body) AS bytes FROM exchange.outgoing WHERE recipient = 'DE' AND position('"kind":"answer"' in encode(body, 'escape')) > 0`;
    await eventually('answers were sent', async () => (await rows(world, 'EE', sent)).length > 0);
    const lengths = (await rows<{ bytes: number }>(world, 'EE', sent)).map(({ bytes }) => bytes);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBe(0);
  });

  it('says the same of a person whom only messages of another system name', async () => {
    const person: Newcomer & DemoPerson = somebody('EE');
    const before = faceOf(await asker.match(person));
    for (const message of await messagesAbout(person)) await filed(world.at('EE'), message);
    expect(faceOf(await asker.match(person))).toBe(before);
  });
});
