import { randomUUID } from 'node:crypto';
import { instant, type FeedBody, type PersonId } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_STREAMS_OF_PERSON } from './feed-streams.js';
import { Ground, people, PersonNode } from './test-support/person-node.js';
import { SseClient } from './test-support/sse-client.js';

let ground: Ground;
let node: PersonNode;
let mari: PersonId;
let juku: PersonId;

beforeAll(async () => {
  ground = await Ground.make();
  node = await PersonNode.start(ground);
  mari = await node.person([people.mari]);
  juku = await node.person([people.juku], 'Juku');
});
afterAll(async () => {
  await node.close();
  await ground.close();
});

let told = 0;
/** Something happened to a person's record: her feed's entry commits. */
async function happens(person: PersonId, at: PersonNode = node): Promise<string> {
  told += 1;
  const what = `use ${told}`;
  const body: FeedBody = {
    act: 'record-read',
    what,
    at: instant(Date.now()),
    outcome: 'success',
    who: { name: 'Dr Peeter Proov', role: 'doctor', organisation: 'Demo hospital' },
    country: 'EE',
    state: 'recorded',
  };
  await at.run(async (tx) => tx.feed.append({ id: randomUUID(), person, at: body.at, keyId: await tx.keys.forPerson(person), body }));
  return what;
}

const whatOf = (client: SseClient): unknown[] => client.heard.map(({ data }) => data['what']);
const events = (token: string, last?: string, at: PersonNode = node): Promise<SseClient> =>
  SseClient.open(`${at.url}/person/events`, token, last);

describe('the event stream', () => {
  it('tells each use within a second of its commit, with its number', async () => {
    const stream = await events(await ground.provider.login('mari'));
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
    await stream.until(() => true);
    for (const _ of [1, 2]) {
      const what = await happens(mari);
      const committed = Date.now();
      await stream.until(() => whatOf(stream).includes(what), 1_000);
      expect(stream.heard.at(-1)).toMatchObject({ event: 'access', data: { what, act: 'record-read', who: { name: 'Dr Peeter Proov' } } });
      expect(Date.now() - committed).toBeLessThan(1_000);
    }
    const ids = stream.heard.map(({ id }) => BigInt(id));
    expect(ids).toEqual([...ids].sort((a, b) => (a < b ? -1 : 1)));
    stream.close();
  });

  it('tells nobody of another person', async () => {
    const [hers, his] = [await events(await ground.provider.login('mari')), await events(await ground.provider.login('juku'))];
    const what = await happens(juku);
    await his.until(() => whatOf(his).includes(what));
    expect(whatOf(his)).toEqual([what]);
    expect(whatOf(hers)).not.toContain(what);
    hers.close();
    his.close();
  });

  it('goes on after Last-Event-ID: nothing is lost and nothing repeated, however often the line breaks, and over a restart', async () => {
    const token = await ground.provider.login('mari');
    const before = await events(token);
    const first = await happens(mari);
    await before.until(() => whatOf(before).includes(first));
    let last = before.heard.at(-1)!.id;
    before.close();
    const sent: string[] = [];
    const heard: unknown[] = [];
    const ALL = 60;
    const writing = (async () => {
      for (let i = 0; i < ALL; i += 1) sent.push(await happens(mari));
    })();
    for (let i = 0; i < 4; i += 1) {
      const stream = await events(token, last);
      // A line may bring many at once: what then is left for the next one is less than ten.
      await stream.until(() => stream.heard.length >= 10 || heard.length + stream.heard.length >= ALL);
      stream.close();
      const seen = [...stream.heard];
      heard.push(...seen.map(({ data }) => data['what']));
      last = seen.at(-1)?.id ?? last;
    }
    await writing;
    const other = await PersonNode.start(ground);
    sent.push(await happens(mari, other));
    const stream = await events(token, last, other);
    await stream.until(() => heard.length + stream.heard.length >= sent.length);
    expect([...heard, ...whatOf(stream)]).toEqual(sent);
    stream.close();
    await other.close();
    expect(stream.ended).toBe(true);
  });

  it('brings a long feed page by page', async () => {
    const token = await ground.provider.login('juku');
    for (let i = 0; i < 120; i += 1) await happens(juku);
    const stream = await events(token, '0');
    await stream.until(() => stream.heard.length >= 120);
    expect(new Set(stream.heard.map(({ id }) => id)).size).toBe(stream.heard.length);
    stream.close();
  });

  it('ends when its token does, and sends nothing after that', async () => {
    const stream = await events(await ground.provider.login('mari'));
    const last = await happens(mari);
    await stream.until(() => whatOf(stream).includes(last));
    const heard = stream.heard.length;
    ground.clock.shiftMs = 400_000;
    try {
      await happens(mari);
      await stream.until(() => stream.ended, 3_000);
      expect(stream.heard.length).toBe(heard);
    } finally {
      ground.clock.shiftMs = 0;
    }
  });

  it('serves so many streams of one person and no more; a closed one makes room', async () => {
    const token = await ground.provider.login('juku');
    const streams = await Promise.all(Array.from({ length: MAX_STREAMS_OF_PERSON }, () => events(token)));
    expect(streams.map(({ response }) => response.status)).toEqual(Array.from({ length: MAX_STREAMS_OF_PERSON }, () => 200));
    const refused = await events(token);
    expect(refused.response.status).toBe(429);
    expect(await refused.response.json()).toMatchObject({ code: 'person.too-many-streams', status: 429 });
    streams[0]?.close();
    await expect.poll(async () => (await events(token)).response.status).toBe(200);
    for (const stream of streams) stream.close();
  });

  it('keeps an idle line alive', async () => {
    const stream = await events(await ground.provider.login('mari'), '999999999');
    ground.clock.shiftMs = 20_000;
    await stream.until(() => stream.comments > 0, 3_000);
    ground.clock.shiftMs = 0;
    stream.close();
  });
});

describe('the feed by pages', () => {
  it('gives everything once, oldest first', async () => {
    const token = await ground.provider.login('mari');
    const seen: string[] = [];
    for (let after = '0'; ;) {
      const { entries, next } = (await node.call(`/person/feed?after=${after}&limit=17`, { token })).json<{
        entries: { seq: string; what: string }[];
        next: string;
      }>();
      if (entries.length === 0) break;
      seen.push(...entries.map(({ seq }) => seq));
      after = next;
    }
    expect(seen.length).toBeGreaterThan(60);
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => Number(a) - Number(b)));
  });

  it.each(['after=x', 'after=-1', 'limit=0', 'limit=501', 'limit=1e2', 'after=1&after=2', `after=${'9'.repeat(40)}`])(
    'refuses %s',
    async (query) => {
      const answer = await node.call(`/person/feed?${query}`, { token: await ground.provider.login('mari') });
      expect(answer).toMatchObject({ status: 400 });
      expect(answer.json()).toMatchObject({ code: 'person.place-invalid' });
    },
  );

  it('refuses a foreign Last-Event-ID', async () => {
    const stream = await events(await ground.provider.login('mari'), 'a1b2');
    expect(stream.response.status).toBe(400);
  });
});
