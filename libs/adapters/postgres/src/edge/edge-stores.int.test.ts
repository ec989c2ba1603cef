import type {
  EdgeTransfer,
  EdgeTx,
  FeedEntry,
  Person,
  PersonId,
  ResourceVersion,
  SearchValue,
  StayLeft,
  StoredMessage,
  View,
  ViewId,
} from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RoleDatabase } from '../connect/role-database.js';
import type { CountryDatabase } from '../provision/provision.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { ask, personId, transferId, uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import { openEdgeDatabase } from './open-edge-database.js';
import { openRecordReader } from './record-reader.js';

const at = '2026-11-21T10:00:00.000Z';
const hash = (n: number): string => n.toString(16).padStart(64, '0');

describe('the edge’s stores', () => {
  let ee: CountryDatabase;
  let db: RoleDatabase<EdgeTx>;
  let other: RoleDatabase<EdgeTx>;
  const keys = new AesDataKeys();

  beforeAll(async () => {
    ee = await (await testCluster()).country('EE');
    db = await openEdgeDatabase({ address: ee.edge }, keys);
    other = await openEdgeDatabase({ address: ee.edge }, keys);
  });
  afterAll(async () => {
    await Promise.all([db.close(), other.close()]);
  });
  const run = async <T>(work: (tx: EdgeTx) => Promise<T>): Promise<T> => db.uow.run(work);
  const newKey = async (): Promise<string> => run(({ keys: store }) => store.create());
  const keyOf = async (person: PersonId): Promise<string> => run(({ keys: store }) => store.forPerson(person));

  const message = async (over: Partial<StoredMessage> = {}): Promise<StoredMessage> => ({
    id: uuid(),
    via: 'mllp',
    source: uuid(),
    format: 'hl7v2',
    controlId: 'M1',
    sha256: hash(1),
    receivedAt: at,
    state: 'stored',
    keyId: await newKey(),
    original: new TextEncoder().encode('MSH|^~\\&|Näidis'),
    ...over,
  });

  describe('messages and rejects', () => {
    it('keep a message’s exact bytes, once a source, unreadable in the table', async () => {
      const first = await message();
      expect(await run(({ messages }) => messages.put(first))).toEqual({ id: first.id, fresh: true, state: 'stored' });
      const again = await message({ source: first.source, state: 'rejected' });
      expect(await run(({ messages }) => messages.put(again))).toEqual({ id: first.id, fresh: false, state: 'stored' });
      expect(await run(async ({ messages }) => messages.put(await message()))).toMatchObject({ fresh: true });
      expect(await run(({ messages }) => messages.get(first.id))).toEqual(first);
      const [row] = await ask<{ original: Buffer }>(ee.edge, 'SELECT original FROM edge.message WHERE id = $1', [first.id]);
      expect(row!.original.toString('latin1')).not.toContain('MSH');
      await run(({ keys: store }) => store.destroy(first.keyId));
      expect(await run(({ messages }) => messages.get(first.id))).toBeUndefined();
    });

    it('takes the same message once, however many bring it', async () => {
      const [a, b] = [await message(), await message()];
      const same = { source: uuid(), sha256: hash(2) };
      const put = await Promise.all(
        [db, other, db, other].map(({ uow }, i) => uow.run(({ messages }) => messages.put({ ...(i % 2 ? a : b), ...same, id: uuid() }))),
      );
      expect(put.filter(({ fresh }) => fresh).length).toBe(1);
      expect(new Set(put.map(({ id }) => id)).size).toBe(1);
    });

    it('keep the account of a translation, and replace it', async () => {
      const one = await message();
      await run(({ messages }) => messages.put(one));
      expect(await run(({ messages }) => messages.account(one.id))).toBeUndefined();
      for (const account of [{ carried: ['x'] }, { carried: [] }]) {
        await run(({ messages }) => messages.putAccount(one.id, one.keyId, account));
        expect(await run(({ messages }) => messages.account(one.id))).toEqual(account);
      }
    });

    it('list rejects until somebody closes them, once', async () => {
      const one = await message({ state: 'rejected' });
      await run(({ messages }) => messages.put(one));
      const { source, format, id: messageId } = one;
      const reject = { id: uuid(), messageId, source, format, code: 'ingest.malformed', where: 'PID-3', at, state: 'open' as const };
      await run(({ rejects }) => rejects.put(reject));
      expect(await run(({ rejects }) => rejects.list('open', 100))).toContainEqual(reject);
      await run(({ rejects }) => rejects.close(reject.id, 'repaired', uuid(), 'patient Mari had a typo'));
      expect(await run(({ rejects }) => rejects.get(reject.id))).toEqual({ ...reject, state: 'repaired' });
      await expect(run(({ rejects }) => rejects.close(reject.id, 'discarded', undefined, ''))).rejects.toMatchObject({
        code: 'store.conflict',
      });
      const [row] = await ask<{ reason: Buffer }>(ee.edge, 'SELECT reason FROM edge.reject WHERE id = $1', [reject.id]);
      expect(row!.reason.toString('latin1')).not.toContain('Mari');
      const late = { ...reject, id: uuid() };
      await run(({ rejects }) => rejects.put(late));
      await run(({ keys: store }) => store.destroy(one.keyId));
      await run(({ rejects }) => rejects.close(late.id, 'discarded', undefined, 'erased'));
      expect(await run(({ rejects }) => rejects.get(late.id))).toMatchObject({ state: 'discarded' });
    });
  });

  describe('persons', () => {
    const system = 'urn:test:ee';
    const person = (over: Partial<Person> = {}): Person => ({
      id: personId(),
      identifiers: [{ system, value: uuid() }],
      birthDate: '1980-05-04',
      family: 'Näidis',
      given: 'Mari  Liis',
      ...over,
    });

    it('are found by all traits given, names without case and accents', async () => {
      const mari = person();
      await run(({ persons }) => persons.save(mari));
      const [identifier] = mari.identifiers as [{ system: string; value: string }];
      const by = async (traits: object): Promise<readonly Person[]> =>
        run(({ persons }) => persons.byTraits({ identifiers: [identifier], ...traits }));
      expect(await run(({ persons }) => persons.get(mari.id))).toEqual(mari);
      expect(await run(({ persons }) => persons.byIdentifier(identifier))).toEqual([mari]);
      expect(await by({ birthDate: '1980-05-04', family: 'NAIDIS', given: 'mari liis' })).toEqual([mari]);
      for (const wrong of [{ birthDate: '1980-05-05' }, { family: 'Naidi' }, { given: 'Mari' }]) expect(await by(wrong)).toEqual([]);
      const foreign = { system: 'urn:test:other', value: identifier.value };
      expect(await run(({ persons }) => persons.byTraits({ identifiers: [identifier, foreign] }))).toEqual([]);
      expect(await run(({ persons }) => persons.byTraits({ identifiers: [foreign] }))).toEqual([]);
      expect(await run(({ persons }) => persons.byTraits({ identifiers: [] }))).toEqual([]);
      const nul = { system, value: `${identifier.value}\0` };
      expect(await run(({ persons }) => persons.byIdentifier(nul))).toEqual([]);
      await run(({ persons }) => persons.save(person({ identifiers: [nul], family: 'N\0' })));
    });

    it('may share an identifier where sources disagree, and are replaced as a whole', async () => {
      const shared = { system, value: uuid() };
      const [a, b] = [person({ identifiers: [shared] }), person({ identifiers: [shared, { system, value: uuid() }] })];
      for (const one of [a, b]) await run(({ persons }) => persons.save(one));
      expect((await run(({ persons }) => persons.byIdentifier(shared))).map(({ id }) => id).sort()).toEqual([a.id, b.id].sort());
      const changed = person({
        id: b.id,
        identifiers: [{ system, value: uuid() }],
        birthDate: undefined,
        family: undefined,
        given: undefined,
      });
      await run(({ persons }) => persons.save(changed));
      expect(await run(({ persons }) => persons.get(b.id))).toEqual(changed);
      expect((await run(({ persons }) => persons.byIdentifier(shared))).map(({ id }) => id)).toEqual([a.id]);
    });
  });

  describe('resources', () => {
    const token = (code: string): SearchValue => ({ kind: 'token', param: 'code', system: 'urn:t', code });
    const resource = async (over: Partial<ResourceVersion> = {}): Promise<Omit<ResourceVersion, 'versionId'>> => ({
      type: 'Observation',
      id: uuid(),
      lastUpdated: at,
      person: undefined,
      keyId: over.keyId ?? (await newKey()),
      categories: ['laboratory'],
      messageId: undefined,
      sha256: hash(1),
      deleted: false,
      text: '{"valueQuantity":{"value":1.50}}',
      ...over,
    });

    it('keep every version, exactly, and no version twice', async () => {
      const first = await resource();
      const put = async (over: Partial<ResourceVersion>): Promise<{ versionId: number; changed: boolean }> =>
        run(({ resources }) => resources.put({ ...first, ...over }, [token('a')]));
      expect(await put({})).toEqual({ versionId: 1, changed: true });
      expect(await put({ text: 'same hash, not stored' })).toEqual({ versionId: 1, changed: false });
      expect(await put({ sha256: hash(2), text: '{"v": 2}' })).toEqual({ versionId: 2, changed: true });
      expect(await put({ sha256: hash(1) })).toEqual({ versionId: 3, changed: true });
      expect(await put({ sha256: hash(1), deleted: true, text: '' })).toEqual({ versionId: 4, changed: true });
      const { type, id } = first;
      expect(await run(({ resources }) => resources.version(type, id, 1))).toEqual({ ...first, versionId: 1 });
      expect(await run(({ resources }) => resources.get(type, id))).toMatchObject({ versionId: 4, deleted: true, text: '' });
      const versions = await run(({ resources }) => resources.history(type, id, 3));
      expect(versions.map(({ versionId }) => versionId)).toEqual([4, 3, 2]);
      expect(await run(({ resources }) => resources.get(type, 'unknown'))).toBeUndefined();
      expect(await ask(ee.edge, 'SELECT FROM edge.search_value WHERE resource_id = $1', [id])).toEqual([]);
    });

    it('number versions without gaps, however many write at once', async () => {
      const first = await resource();
      const writes = Array.from({ length: 8 }, (_, i) =>
        (i % 2 === 0 ? db : other).uow.run(({ resources }) => resources.put({ ...first, sha256: hash(i) }, [token('a')])),
      );
      expect((await Promise.all(writes)).map(({ versionId }) => versionId).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect((await ask(ee.edge, 'SELECT FROM edge.search_value WHERE resource_id = $1', [first.id])).length).toBe(1);
    });

    it('are read of a person by category, and by the exchange under its own login', async () => {
      const person = personId();
      const keyId = await keyOf(person);
      await run(({ persons }) =>
        persons.save({
          id: person,
          identifiers: [{ system: 'urn:x', value: person }],
          birthDate: undefined,
          family: 'Kask',
          given: undefined,
        }),
      );
      const lab = await resource({ person, keyId, lastUpdated: '2026-11-21T11:00:00.000Z' });
      const summary = await resource({ person, keyId, categories: ['summary', 'medication'], type: 'Condition' });
      const gone = await resource({ person, keyId, deleted: true });
      for (const one of [lab, summary, gone]) await run(({ resources }) => resources.put(one, []));
      const own = async (categories: readonly ResourceVersion['categories'][number][] | 'all', limit = 10): Promise<string[]> =>
        (await run(({ resources }) => resources.ofPerson(person, categories, limit))).map(({ id }) => id);
      expect(await own('all')).toEqual([lab.id, summary.id]);
      expect(await own('all', 1)).toEqual([lab.id]);
      expect(await own(['medication', 'imaging'])).toEqual([summary.id]);
      expect(await own(['imaging'])).toEqual([]);

      const records = await openRecordReader({ address: ee.exchange }, keys);
      expect(await records.reader.resources(person, ['laboratory'], 10)).toEqual([{ ...lab, versionId: 1 }]);
      expect((await records.reader.person(person))?.family).toBe('Kask');
      expect((await records.reader.personsByTraits({ identifiers: [{ system: 'urn:x', value: person }], family: 'KASK' })).length).toBe(1);
      await records.close();
    });

    it('are gone with the person: ciphertext unreadable, search rows removed, versions not told', async () => {
      const person = personId();
      const keyId = await keyOf(person);
      const identifier = { system: 'urn:x', value: person };
      await run(({ persons }) =>
        persons.save({ id: person, identifiers: [identifier], birthDate: undefined, family: 'Kustuta', given: undefined }),
      );
      const one = await resource({ person, keyId });
      await run(({ resources }) => resources.put(one, [token('erase-me')]));
      await run(async ({ keys: store, persons }) => {
        await store.erase(person);
        await persons.erase(person);
      });
      expect(await run(({ resources }) => resources.get(one.type, one.id))).toBeUndefined();
      expect(await run(({ resources }) => resources.version(one.type, one.id, 1))).toBeUndefined();
      expect(await run(({ resources }) => resources.history(one.type, one.id, 9))).toEqual([]);
      expect(await run(({ resources }) => resources.ofPerson(person, 'all', 9))).toEqual([]);
      expect(await run(({ persons }) => persons.byIdentifier(identifier))).toEqual([]);
      expect(await ask(ee.edge, 'SELECT FROM edge.search_value WHERE resource_id = $1', [one.id])).toEqual([]);
      expect(await ask(ee.edge, "SELECT FROM edge.person WHERE family = 'Kustuta'")).toEqual([]);
      expect((await ask(ee.edge, 'SELECT FROM edge.resource_version WHERE id = $1', [one.id])).length).toBe(1);
      await expect(run(({ resources }) => resources.put({ ...one, sha256: hash(7) }, []))).rejects.toMatchObject({
        code: 'store.person-erased',
      });
      await expect(
        run(({ persons }) => persons.save({ id: person, identifiers: [], birthDate: undefined, family: 'x', given: undefined })),
      ).rejects.toMatchObject({
        code: 'store.person-erased',
      });
    });

    it('cannot be read in another row: the ciphertext is bound to its own', async () => {
      const keyId = await newKey();
      const [a, b] = [await resource({ keyId }), await resource({ keyId, sha256: hash(2) })];
      for (const one of [a, b]) await run(({ resources }) => resources.put(one, []));
      await ask(ee.owner, 'UPDATE edge.resource_version SET body = (SELECT body FROM edge.resource_version WHERE id = $1) WHERE id = $2', [
        a.id,
        b.id,
      ]);
      await expect(run(({ resources }) => resources.get(b.type, b.id))).rejects.toMatchObject({ code: 'keys.undecryptable' });
    });
  });

  describe('views', () => {
    const view = async (over: Partial<View> = {}): Promise<View> => ({
      id: uuid() as ViewId,
      transferId: transferId(),
      permitId: uuid(),
      custodian: 'PT',
      purpose: 'TREAT',
      caseId: 'case-1',
      openedFor: 'urn:prof|1',
      patientHandle: uuid(),
      until: '2099-01-01T00:00:00.000Z',
      keyId: await newKey(),
      state: 'open',
      ...over,
    });
    const resources = [
      { type: 'Observation', id: 'b', text: '{"secret": 1.0}' },
      { type: 'Condition', id: 'a', text: '{}' },
    ];

    it('are found by transfer, patient and permit, and leave a bare row when destroyed', async () => {
      const one = await view();
      await run(({ views }) => views.put(one, resources));
      await expect(run(async ({ views }) => views.put(await view({ transferId: one.transferId }), []))).rejects.toMatchObject({
        code: 'store.conflict',
      });
      expect(await run(({ views }) => views.byTransfer(one.transferId))).toEqual(one);
      expect(await run(({ views }) => views.byPatient(one.patientHandle))).toEqual([one]);
      expect(await run(({ views }) => views.byPermit(one.permitId))).toEqual([one]);
      expect(await run(({ views }) => views.showing('Observation', 'b'))).toContainEqual(one);
      expect(await run(({ views }) => views.showing('Observation', 'a'))).toEqual([]);
      expect(await run(({ views }) => views.resources(one.id))).toEqual([resources[1], resources[0]]);
      const [row] = await ask<{ body: Buffer }>(ee.edge, "SELECT body FROM edge.view_resource WHERE view_id = $1 AND id = 'b'", [one.id]);
      expect(row!.body.toString('latin1')).not.toContain('secret');
      await run(({ views }) => views.mark(one.id, 'amended'));
      expect((await run(({ views }) => views.byPermit(one.permitId)))[0]!.state).toBe('amended');
      await run(({ views }) => views.destroy(one.id));
      await run(({ views }) => views.mark(one.id, 'open'));
      expect(await run(({ views }) => views.get(one.id))).toEqual({ ...one, state: 'destroyed' });
      expect(await run(({ views }) => views.resources(one.id))).toEqual([]);
      expect(await run(({ views }) => views.showing('Observation', 'b'))).toEqual([]);
      expect(await run(({ views }) => views.byPermit(one.permitId))).toEqual([]);
      expect(await ask(ee.edge, 'SELECT FROM edge.view_resource WHERE view_id = $1', [one.id])).toEqual([]);
      expect(await ask(ee.edge, 'SELECT FROM edge.data_key WHERE id = $1 AND wrapped IS NULL', [one.keyId])).toHaveLength(1);
    });

    it('end when their time has passed', async () => {
      const [ended, live] = [await view({ until: '2020-01-01T00:00:00.000Z' }), await view()];
      for (const one of [ended, live]) await run(({ views }) => views.put(one, []));
      const expired = await run(({ views }) => views.expired(at, 100));
      expect(expired).toContainEqual(ended);
      expect(expired).not.toContainEqual(live);
      await run(({ views }) => views.destroy(ended.id));
      expect(await run(({ views }) => views.expired(at, 100))).not.toContainEqual(ended);
    });
  });

  it('moves a transfer on from the expected state alone', async () => {
    const transfer: EdgeTransfer = {
      transferId: transferId(),
      kind: 'record',
      country: 'PT',
      state: 'asked',
      requestedBy: 'system-1',
      caseId: 'case',
      keyId: await newKey(),
      data: { request: 'r' },
      createdAt: '2099-01-01T00:00:00.000Z',
    };
    await run(({ transfers }) => transfers.create(transfer));
    const moves = await Promise.all(
      [db, other].map(({ uow }) => uow.run(({ transfers }) => transfers.advance(transfer.transferId, 'asked', 'viewed', { view: 1 }))),
    );
    expect(moves.sort()).toEqual([false, true]);
    const moved = { ...transfer, state: 'viewed', data: { view: 1 } };
    expect(await run(({ transfers }) => transfers.get(transfer.transferId))).toEqual(moved);
    expect((await run(({ transfers }) => transfers.list(1)))[0]).toEqual(moved);
  });

  it('feeds a person her entries in order, each once, none missed', async () => {
    const person = personId();
    const keyId = await keyOf(person);
    const entries = Array.from({ length: 12 }, (_, i): FeedEntry => ({ id: uuid(), person, at, keyId, body: { i } }));
    let after = '0';
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for (const { seq, body } of await run(({ feed }) => feed.after(person, after, 5))) {
        after = seq;
        seen.push((body as { i: number }).i);
      }
    };
    const appends = entries.map((entry, i) => (i % 2 === 0 ? db : other).uow.run(({ feed }) => feed.append(entry)));
    for (let i = 0; i < 5; i += 1) await read();
    expect(await Promise.all(appends)).toEqual(entries.map(() => true));
    for (let i = 0; i < 4; i += 1) await read();
    expect([...seen].sort((a, b) => Number(a) - Number(b))).toEqual(entries.map((_, i) => i));
    expect(await run(({ feed }) => feed.append(entries[0]!))).toBe(false);
    await run(({ keys: store }) => store.erase(person));
    expect((await run(({ feed }) => feed.after(person, '0', 1)))[0]!.body).toBeUndefined();
  });

  it('links a foreign patient, and undoes it', async () => {
    const link = {
      handle: uuid(),
      country: 'PT',
      keyId: await newKey(),
      traits: { identifiers: [{ system: 's', value: 'v' }] },
      local: personId(),
    };
    await run(({ links }) => links.put(link));
    expect(await run(({ links }) => links.get(link.handle))).toEqual(link);
    await run(({ links }) => links.put({ ...link, local: undefined }));
    expect(await run(({ links }) => links.get(link.handle))).toEqual({ ...link, local: undefined });
    await run(({ keys: store }) => store.destroy(link.keyId));
    expect(await run(({ links }) => links.get(link.handle))).toBeUndefined();
  });

  it('keeps proposals until they are decided', async () => {
    const person = personId();
    const proposal = { id: uuid(), person, state: 'open' as const, keyId: await keyOf(person), body: { why: 'x' }, at };
    await run(({ proposals }) => proposals.put(proposal));
    expect(await run(({ proposals }) => proposals.advance(proposal.id, 'permitted', 'accepted'))).toBe(false);
    expect(await run(({ proposals }) => proposals.advance(proposal.id, 'open', 'permitted'))).toBe(true);
    expect(await run(({ proposals }) => proposals.get(proposal.id))).toEqual({ ...proposal, state: 'permitted' });
    expect(await run(({ proposals }) => proposals.ofPerson(person, 10))).toEqual([{ ...proposal, state: 'permitted' }]);
  });

  it('remembers which stays were moved from whom, once each, until they are back or the person is erased', async () => {
    const [wrong, right] = [personId(), personId()];
    const [stay, next] = [uuid(), uuid()];
    const sent = await message();
    await run(({ messages }) => messages.put(sent));
    const move = { person: wrong, stay, toPerson: right, toStay: stay, messageId: sent.id };
    const moves = (): Promise<unknown> => run(({ stayMoves }) => stayMoves.of([wrong, right], [stay, next, uuid()]));
    for (let times = 0; times < 2; times += 1) await run(({ stayMoves }) => stayMoves.remember(move));
    expect(await moves()).toEqual([move]);
    const onward = { ...move, toStay: next };
    await run(({ stayMoves }) => stayMoves.remember(onward));
    expect(await moves()).toEqual([onward]);
    await run(({ stayMoves }) => stayMoves.forget([right], [stay]));
    await run(({ persons }) => persons.erase(right));
    expect(await moves()).toEqual([onward]);
    await run(({ stayMoves }) => stayMoves.forget([wrong], [stay, next]));
    expect(await moves()).toEqual([]);
    await run(({ stayMoves }) => stayMoves.remember(move));
    await run(({ persons }) => persons.erase(wrong));
    expect(await moves()).toEqual([]);
  });

  it('asks of stays that were left of a move, until each is answered, stands there no more, or the move is forgotten', async () => {
    const sent = await message();
    await run(({ messages }) => messages.put(sent));
    const made = async (why: StayLeft['why']): Promise<StayLeft> => {
      const one = {
        id: uuid(),
        person: personId(),
        stay: uuid(),
        encounter: uuid(),
        custodian: 'urn:o|lab',
        why,
        at,
        state: 'open',
      } as const;
      const { person, stay } = one;
      await run((tx) => tx.stayMoves.remember({ person, stay, toPerson: personId(), toStay: stay, messageId: sent.id }));
      const entry = { type: 'Encounter', id: one.encounter, lastUpdated: at, person, keyId: await keyOf(person), categories: [] };
      await run((tx) => tx.resources.put({ ...entry, messageId: sent.id, sha256: hash(9), deleted: false, text: '{}' }, []));
      for (let times = 0; times < 2; times += 1) await run((tx) => tx.stayMoves.leave(one));
      return one;
    };
    const all = [await made('of-another'), await made('entangled'), await made('document'), await made('of-another')].toSorted((a, b) =>
      a.id < b.id ? -1 : 1,
    );
    const asked = async (after?: string, limit = 100): Promise<readonly string[]> =>
      (await run(({ stayMoves }) => stayMoves.asked(after, limit))).map(({ id }) => id);
    expect(await run(({ stayMoves }) => stayMoves.asked(undefined, 100))).toEqual(
      all.map((one) => ({ ...one, messageId: sent.id, source: sent.source, controlId: sent.controlId })),
    );
    expect(await asked(all[0]!.id, 2)).toEqual(all.slice(1, 3).map(({ id }) => id));
    const [kept, moved, forgotten, deleted] = all as [StayLeft, StayLeft, StayLeft, StayLeft];
    expect(await run(({ stayMoves }) => stayMoves.answer(kept.id, 'kept'))).toBe(true);
    expect(await run(({ stayMoves }) => stayMoves.answer(kept.id, 'moved'))).toBe(false);
    await run(({ stayMoves }) => stayMoves.gone([kept.encounter, moved.encounter]));
    for (const one of [kept, moved]) await run(({ stayMoves }) => stayMoves.leave(one));
    expect((await run(({ stayMoves }) => stayMoves.left(kept.id)))?.state).toBe('kept');
    expect((await run(({ stayMoves }) => stayMoves.left(moved.id)))?.state).toBe('open');
    await run(({ stayMoves }) => stayMoves.forget([forgotten.person], [forgotten.stay]));
    expect(await run(({ stayMoves }) => stayMoves.left(forgotten.id))).toBeUndefined();
    const entry = await run(({ resources }) => resources.get('Encounter', deleted.encounter));
    await run(({ resources }) => resources.put({ ...entry!, deleted: true }, []));
    expect(await asked()).toEqual([moved.id]);
    await run(({ persons }) => persons.erase(moved.person));
    expect(await asked()).toEqual([]);
  });

  describe('pairs of entries that may say the same', () => {
    const custodian = `urn:o|${uuid()}`;
    type Pair = Parameters<EdgeTx['reconciliations']['propose']>[0][number];
    const pair = (person: PersonId, over: Partial<Pair> = {}): Pair => ({
      id: uuid(),
      person,
      known: `Condition/${uuid()}`,
      come: `Condition/${uuid()}`,
      custodian,
      at,
      ...over,
    });
    const propose = async (...pairs: readonly Pair[]): Promise<void> => run(({ reconciliations }) => reconciliations.propose(pairs));
    const stateOf = async ({ id }: Pair): Promise<string | undefined> =>
      (await run(({ reconciliations }) => reconciliations.get(id)))?.state;

    it('are proposed once; what was judged stays, and what was withdrawn is opened again', async () => {
      const [kept, judged, withdrawn] = [pair(personId()), pair(personId()), pair(personId())];
      await propose(kept, judged, withdrawn);
      expect(await run(({ reconciliations }) => reconciliations.get(kept.id))).toEqual({ ...kept, state: 'open' });
      expect(await run(({ reconciliations }) => reconciliations.advance(judged.id, 'open', 'different'))).toBe(true);
      expect(await run(({ reconciliations }) => reconciliations.advance(judged.id, 'open', 'same'))).toBe(false);
      await run(({ reconciliations }) => reconciliations.advance(withdrawn.id, 'open', 'withdrawn'));
      await propose(kept, judged, withdrawn);
      expect([await stateOf(kept), await stateOf(judged), await stateOf(withdrawn)]).toEqual(['open', 'different', 'open']);
      await propose();
    });

    it('are listed by custodian and state, of one person or of all, page by page, oldest first', async () => {
      const ours = `urn:o|${uuid()}`;
      const [mari, juku] = [personId(), personId()];
      const minute = (n: number): string => `2026-11-21T10:0${n}:00.000Z`;
      const [third, first] = [pair(mari, { custodian: ours, at: minute(3) }), pair(juku, { custodian: ours, at: minute(1) })];
      const [second, theirs] = [pair(mari, { custodian: ours, at: minute(2) }), pair(mari, { at: minute(2) })];
      await propose(third, first, second, theirs);
      const page = async (after?: string, person?: PersonId): Promise<readonly string[]> => {
        const wanted = { custodian: ours, state: 'open' as const, after, limit: 2, ...(person !== undefined && { person }) };
        return (await run(({ reconciliations }) => reconciliations.list(wanted))).map(({ id }) => id);
      };
      expect([await page(), await page(second.id), await page(third.id)]).toEqual([[first.id, second.id], [third.id], []]);
      expect(await page(undefined, mari)).toEqual([second.id, third.id]);
      await run(({ reconciliations }) => reconciliations.advance(first.id, 'open', 'same'));
      expect(await page()).toEqual([second.id, third.id]);
    });

    it('may name entries that came from abroad, each noted once with who brought it, until the person is erased', async () => {
      const [person, somebody] = [personId(), personId()];
      const foreignOf = (limit = 10): Promise<unknown> => run(({ reconciliations }) => reconciliations.foreignOf(person, limit));
      const note = (entries: readonly string[], whose: string): Promise<void> =>
        run(({ reconciliations }) => reconciliations.noteForeign(person, entries, whose));
      await note(['Condition/b', 'Condition/a'], custodian);
      await note(['Condition/b', 'Condition/c'], 'urn:o|later');
      await note([], custodian);
      await run(({ reconciliations }) => reconciliations.noteForeign(somebody, ['Condition/a'], custodian));
      const [a, b] = [
        { entry: 'Condition/a', custodian },
        { entry: 'Condition/b', custodian },
      ];
      expect(await foreignOf()).toEqual([a, b, { entry: 'Condition/c', custodian: 'urn:o|later' }]);
      expect(await foreignOf(2)).toEqual([a, b]);
      await run(({ persons }) => persons.erase(person));
      expect(await foreignOf()).toEqual([]);
      expect(await run(({ reconciliations }) => reconciliations.foreignOf(somebody, 10))).toEqual([a]);
    });

    it('are found by either entry and by the person until they are judged, and go with her', async () => {
      const person = personId();
      const [one, judged] = [pair(person), pair(person)];
      await propose(one, judged);
      await run(({ reconciliations }) => reconciliations.advance(judged.id, 'open', 'same'));
      const found = async (...entries: string[]): Promise<readonly string[]> =>
        (await run(({ reconciliations }) => reconciliations.unjudged(entries))).map(({ id }) => id);
      expect([await found(one.known), await found(one.come), await found(judged.known, judged.come)]).toEqual([[one.id], [one.id], []]);
      expect((await run(({ reconciliations }) => reconciliations.unjudgedOf(person))).map(({ id }) => id)).toEqual([one.id]);
      await run(({ persons }) => persons.erase(person));
      expect([await stateOf(one), await stateOf(judged)]).toEqual([undefined, undefined]);
    });
  });

  it('lists the proposals that wait for a custodian, page by page, oldest first', async () => {
    const person = personId();
    const keyId = await keyOf(person);
    const [ours, theirs] = [`urn:o|${uuid()}`, `urn:o|${uuid()}`];
    const put = async (minute: number, custodian: string): Promise<string> => {
      const proposal = { id: uuid(), person, state: 'open' as const, keyId, body: { minute }, at: `2026-11-21T10:0${minute}:00.000Z` };
      await run(({ proposals }) => proposals.put(proposal));
      await run(({ proposals }) => proposals.advance(proposal.id, 'open', 'permitted', custodian));
      return proposal.id;
    };
    const [third, first] = [await put(3, ours), await put(1, ours)];
    await put(2, theirs);
    const [second, answered] = [await put(2, ours), await put(2, ours)];
    await run(({ proposals }) => proposals.advance(answered, 'permitted', 'declined'));
    const page = async (after?: string): Promise<readonly string[]> =>
      (await run(({ proposals }) => proposals.waitingFor(ours, after, 2))).map(({ id }) => id);
    expect([await page(), await page(second), await page(third)]).toEqual([[first, second], [third], []]);
  });
});
