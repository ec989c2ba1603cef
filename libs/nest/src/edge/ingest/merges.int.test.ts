import type { BusinessIdentifier } from '@portolan/contracts';
import type { Person, PersonMerge } from '@portolan/domain';
import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testEdge, type TestEdge } from '../testing/test-edge.js';

const PIN = 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1';
let edge: TestEdge;
let headers: Record<string, string>;
beforeAll(async () => {
  const organisation = (value: string) => ({ system: 'urn:portolan:demo:organisation', value, name: value });
  edge = await testEdge('EE', {
    sources: [
      {
        name: 'NAIDIS-HIS|EE-NAIDISHAIGLA',
        organisation: organisation('hospital'),
        assigns: ['urn:portolan:demo:ee:naidishaigla:patient'],
      },
      { name: 'KAUGE-HIS|EE-KAUGEHAIGLA', organisation: organisation('hospital') },
      { name: 'VOORAS-HIS|EE-VOORASHAIGLA', organisation: organisation('other') },
    ],
  });
  headers = { authorization: `Bearer ${await edge.token('operator')}`, 'content-type': 'application/json' };
});
afterAll(() => edge.close());

const pin = (): string => `4${randomInt(1e9, 1e10)}`;
const number = (): string => `H-${randomUUID().slice(0, 8)}`;
const national = (value: string): string => `${value}^^^EE-PIN^NI`;
const local = (value: string): string => `${value}^^^EE-NAIDISHAIGLA^MR`;

interface Said {
  readonly pid: readonly string[];
  readonly born?: string;
  readonly also?: readonly string[];
  readonly minute?: number;
}

/** One ADT message, made a minute after the one before unless it says when. */
let minutes = 0;
function adt(event: string, structure: string, { pid, born = '', also = [], minute = (minutes += 1) }: Said): Uint8Array {
  const at = `202611${String(1 + Math.floor(minute / 60)).padStart(2, '0')}08${String(minute % 60).padStart(2, '0')}00+0200`;
  const segments = [
    `MSH|^~\\&|NAIDIS-HIS|EE-NAIDISHAIGLA^urn:portolan:demo:ee:naidishaigla^URI|PORTOLAN|EE|${at}||ADT^${event}^${structure}|${randomUUID().slice(0, 18)}|P|2.5.1||||||UNICODE UTF-8`,
    `EVN|${event}|${at}`,
    `PID|1||${pid.join('~')}||Proov^Mall||${born}|F`,
    ...also,
  ];
  return Buffer.from(`${segments.join('\r')}\r`);
}
const known = (pid: readonly string[], born?: string): Uint8Array =>
  adt('A08', 'ADT_A01', { pid, ...(born === undefined ? {} : { born }), also: ['PV1|1|O', 'AL1|1|DA|PENI^Penitsilliin^99EEALL|SV'] });
const joined = (into: readonly string[], prior: readonly string[], born?: string): Uint8Array =>
  adt('A40', 'ADT_A39', { pid: into, ...(born === undefined ? {} : { born }), also: [`MRG|${prior.join('~')}`] });

const accept = async (bytes: Uint8Array) => (await edge.ingest.accept({ bytes, via: 'mllp', source: undefined })).answer;
async function stored(bytes: Uint8Array): Promise<void> {
  expect(await accept(bytes)).toMatchObject({ state: 'stored' });
}
const bearing = async ({ system, value }: BusinessIdentifier): Promise<readonly Person[]> =>
  edge.uow.run((tx) => tx.persons.byIdentifier({ system, value }));
/** The system of the hospital's own numbers. */
let hospital: string;
const byNumber = async (value: string): Promise<readonly Person[]> => bearing({ system: hospital, value });
const count = async (person: Person, type: string): Promise<number> =>
  (await edge.uow.run((tx) => tx.resources.ofPerson(person.id, 'all', 500))).filter((one) => one.type === type).length;
const mergesOf = async (survivor: Person): Promise<readonly PersonMerge[]> =>
  (await edge.uow.run((tx) => tx.persons.merges(undefined, 500))).filter((one) => one.survivor === survivor.id);
const undo = async (id: string | undefined, reason: unknown = 'they are two'): Promise<Response> =>
  fetch(`${edge.http}/operator/merges/${id ?? ''}/undo`, { method: 'POST', headers, body: JSON.stringify({ reason }) });

beforeAll(async () => {
  const mine = pin();
  await stored(known([national(mine), local(number())]));
  const [person] = await bearing({ system: PIN, value: mine });
  hospital = person?.identifiers.find(({ system }) => system !== PIN)?.system ?? '';
});

describe('a source says that two whom it kept apart are one', () => {
  it('is believed: either number finds the one person, with what was filed under both', async () => {
    const [mine, old] = [pin(), number()];
    await stored(known([national(mine)]));
    await stored(known([local(old)]));
    const [before] = await bearing({ system: PIN, value: mine });
    expect(await byNumber(old)).not.toEqual([before]);
    await stored(joined([national(mine)], [local(old)]));
    const [person] = await bearing({ system: PIN, value: mine });
    expect(person?.id).toBe(before?.id);
    expect(await byNumber(old)).toEqual([person]);
    expect(person?.identifiers.map(({ value }) => value).toSorted()).toEqual([mine, old].toSorted());
    expect(await count(person!, 'AllergyIntolerance')).toBe(2);
    const patients = (await edge.uow.run((tx) => tx.resources.ofPerson(person!.id, 'all', 500)))
      .filter(({ type }) => type === 'Patient')
      .map(({ text }) => JSON.parse(text) as { active?: boolean; link?: { type: string }[]; name?: unknown });
    expect(patients.map(({ active, link }) => `${String(active)} ${(link ?? []).map(({ type }) => type).join()}`).toSorted()).toEqual([
      'false replaced-by',
      'undefined replaces',
    ]);
    expect(patients.every(({ name }) => name !== undefined)).toBe(true);
  });

  it('is so once, however often it is said, and stays so when either number is sent again', async () => {
    const [mine, old] = [pin(), number()];
    await stored(known([national(mine)]));
    await stored(known([local(old)]));
    for (let times = 0; times < 3; times += 1) await stored(joined([national(mine)], [local(old)]));
    const [person] = await bearing({ system: PIN, value: mine });
    expect(await mergesOf(person!)).toHaveLength(1);
    await stored(known([local(old)]));
    await stored(known([national(mine), local(old)]));
    expect(await byNumber(old)).toHaveLength(1);
    const links = (await edge.uow.run((tx) => tx.resources.ofPerson(person!.id, 'all', 500))).filter(
      ({ type, text }) => type === 'Patient' && text.includes('"replaced-by"') && text.includes('"active":false'),
    );
    expect(links).toHaveLength(1);
  });

  it('holds for a number nobody heard of before: what comes late under it is hers', async () => {
    const [mine, old] = [pin(), number()];
    await stored(joined([national(mine)], [local(old)]));
    await stored(known([local(old)]));
    const [person] = await bearing({ system: PIN, value: mine });
    expect(await count(person!, 'AllergyIntolerance')).toBe(1);
  });

  it('is refused, and kept, where both bear a national number or were born on different days', async () => {
    const [mine, hers, old] = [pin(), pin(), number()];
    await stored(known([national(mine)], '19710101'));
    await stored(known([national(hers), local(old)]));
    const problems = [{ code: 'ingest.merge-conflict', path: expect.stringContaining('MRG'), severity: 'document' }];
    expect(await accept(joined([national(mine)], [local(old)]))).toMatchObject({ state: 'rejected', problems });
    const child = number();
    await stored(known([local(child)], '20200101'));
    expect(await accept(joined([national(mine)], [local(child)], '19710101'))).toMatchObject({ state: 'rejected', problems });
    expect(await byNumber(child)).not.toEqual(await bearing({ system: PIN, value: mine }));
  });
});

describe('a joining that was wrong', () => {
  it('is undone by the operator: each has what was filed under its own numbers, also when others joined meanwhile', async () => {
    const [a, b, c] = [number(), number(), number()];
    for (const one of [a, b, c]) await stored(known([local(one)]));
    await stored(joined([local(b)], [local(a)]));
    await stored(joined([local(c)], [local(b)]));
    const [all] = await byNumber(a);
    expect(await byNumber(c)).toEqual([all]);
    expect(await count(all!, 'AllergyIntolerance')).toBe(3);
    const [second] = await mergesOf(all!);
    expect((await undo(second?.id, ' ')).status).toBe(400);
    expect((await undo(randomUUID())).status).toBe(404);
    expect((await undo(second?.id)).status).toBe(200);
    expect((await undo(second?.id)).status).toBe(409);
    const [[first], [last]] = [await byNumber(a), await byNumber(c)];
    expect(await byNumber(b)).toEqual([first]);
    expect(first?.id).not.toBe(last?.id);
    expect([await count(first!, 'AllergyIntolerance'), await count(last!, 'AllergyIntolerance')]).toEqual([2, 1]);
    const texts = async (person: Person) =>
      (await edge.uow.run((tx) => tx.resources.ofPerson(person.id, [], 500)))
        .filter(({ type }) => type === 'Patient')
        .map(({ text }) => text);
    expect((await texts(last!)).join()).not.toContain('"link"');
    expect((await texts(first!)).filter((text) => text.includes('"link"'))).toHaveLength(2);
    // Who was joined first is so still, and may be joined anew.
    await stored(joined([local(c)], [local(b)]));
    expect(await byNumber(a)).toEqual(await byNumber(c));
  });

  it('is listed without a word of who it was', async () => {
    const answer = await fetch(`${edge.http}/operator/merges`, { headers });
    const { merges } = (await answer.json()) as { merges: readonly object[] };
    expect(merges.length).toBeGreaterThan(2);
    for (const one of merges)
      expect(Object.keys(one).every((key) => ['id', 'messageId', 'at', 'state', 'undoneAt'].includes(key))).toBe(true);
    const [token, path] = [await edge.token('system', 'ee-gp'), `${edge.http}/operator/merges`];
    expect((await fetch(path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(403);
  });
});

describe('a source links two records of one person', () => {
  const linking =
    (event: string) =>
    (first: readonly string[], second: readonly string[], born = ''): Uint8Array =>
      adt(event, event === 'A24' ? 'ADT_A24' : 'ADT_A37', {
        pid: first,
        born,
        also: [`PID|2||${second.join('~')}||Proov^Mall||${born}|F`],
      });
  const [linked, unlinked] = [linking('A24'), linking('A37')];
  const patientsOf = async (person: Person): Promise<readonly string[]> =>
    (await edge.uow.run((tx) => tx.resources.ofPerson(person.id, 'all', 500)))
      .filter(({ type }) => type === 'Patient')
      .map(({ text }) => text);

  it('A24: either number finds the one person, and both records go on', async () => {
    const [mine, other] = [pin(), number()];
    await stored(known([national(mine)]));
    await stored(known([local(other)]));
    for (let times = 0; times < 2; times += 1) await stored(linked([national(mine)], [local(other)]));
    const [person] = await bearing({ system: PIN, value: mine });
    expect(await byNumber(other)).toEqual([person]);
    expect(await mergesOf(person!)).toHaveLength(1);
    expect(await count(person!, 'AllergyIntolerance')).toBe(2);
    const patients = await patientsOf(person!);
    expect(patients).toHaveLength(2);
    expect(patients.every((text) => text.includes('"seealso"') && !text.includes('"active":false') && text.includes('"name"'))).toBe(true);
    // What either record says later leaves the link as it is.
    await stored(known([local(other)]));
    expect((await patientsOf(person!)).filter((text) => text.includes('"seealso"'))).toHaveLength(2);
  });

  it('A24: is refused where the two cannot be one, as a mother and her child', async () => {
    const [mine, child] = [pin(), number()];
    await stored(known([national(mine)], '19710101'));
    await stored(known([local(child)], '20260101'));
    const message = adt('A24', 'ADT_A24', {
      pid: [national(mine)],
      born: '19710101',
      also: [`PID|2||${local(child)}||Proov^Laps||20260101|F`],
    });
    expect(await accept(message)).toMatchObject({ state: 'rejected', problems: [{ code: 'ingest.merge-conflict' }] });
    expect(await byNumber(child)).not.toEqual(await bearing({ system: PIN, value: mine }));
  });

  it('A37: they are two again, each with her own, and may be linked anew', async () => {
    const [mine, other] = [pin(), number()];
    await stored(known([national(mine)]));
    await stored(known([local(other)]));
    await stored(linked([national(mine)], [local(other)]));
    await stored(unlinked([national(mine)], [local(other)]));
    const [[first], [second]] = [await bearing({ system: PIN, value: mine }), await byNumber(other)];
    expect(first?.id).not.toBe(second?.id);
    expect([await count(first!, 'AllergyIntolerance'), await count(second!, 'AllergyIntolerance')]).toEqual([1, 1]);
    for (const one of [first!, second!]) expect((await patientsOf(one)).join()).not.toContain('"link"');
    const told = (person: Person): Promise<number> =>
      edge.uow.run(
        async (tx) =>
          (await tx.persons.merges(undefined, 500)).filter(({ survivor, undoneAt }) => survivor === person.id && undoneAt !== undefined)
            .length,
      );
    expect(await told(first!)).toBe(1);
    await stored(linked([local(other)], [national(mine)]));
    expect(await byNumber(other)).toEqual(await bearing({ system: PIN, value: mine }));
  });

  it('A37: is refused of a link that another source made', async () => {
    const [mine, other] = [pin(), number()];
    await stored(known([national(mine)]));
    await stored(known([local(other)]));
    await stored(linked([national(mine)], [local(other)]));
    const foreign = Buffer.from(unlinked([national(mine)], [local(other)]))
      .toString()
      .replace(
        'NAIDIS-HIS|EE-NAIDISHAIGLA^urn:portolan:demo:ee:naidishaigla^URI',
        'KAUGE-HIS|EE-KAUGEHAIGLA^urn:portolan:demo:ee:kaugehaigla^URI',
      );
    expect(await accept(Buffer.from(foreign))).toMatchObject({ state: 'rejected', problems: [{ code: 'ingest.merge-conflict' }] });
    expect(await byNumber(other)).toEqual(await bearing({ system: PIN, value: mine }));
  });

  it('A37: says nothing of those whom nobody linked, and makes nobody of whom it takes something back', async () => {
    const [mine, other] = [pin(), number()];
    await stored(known([national(mine)]));
    await stored(unlinked([national(mine)], [local(other)]));
    expect(await byNumber(other)).toEqual([]);
    const [person] = await bearing({ system: PIN, value: mine });
    expect(await mergesOf(person!)).toEqual([]);
    expect(await patientsOf(person!)).toHaveLength(1);
  });
});

describe('a house joins no numbers that another gives', () => {
  const VOORAS = 'VOORAS-HIS|EE-VOORASHAIGLA^urn:portolan:demo:ee:voorashaigla^URI';
  const fromAnother = (bytes: Uint8Array): Uint8Array =>
    Buffer.from(bytes.toString().replace('NAIDIS-HIS|EE-NAIDISHAIGLA^urn:portolan:demo:ee:naidishaigla^URI', VOORAS));
  const its = (value: string): string => `${value}^^^VOORAS&2.999.77&ISO^MR`;
  const refused = (where: string) => ({ state: 'rejected', problems: [{ code: 'ingest.number-of-another-house', path: where }] });

  it.each<[string, string, readonly string[], string]>([
    ['A40', 'ADT_A39', ['MRG|'], 'MRG-1.1'],
    ['A47', 'ADT_A30', ['MRG|'], 'MRG-1.1'],
    ['A43', 'ADT_A43', ['MRG|'], 'MRG-1.1'],
    ['A24', 'ADT_A24', ['PV1|1|O', 'PID|2||'], 'PID[2]-3.1'],
  ])('%s: not as what they were before', async (event, structure, [...also], where) => {
    const [mine, old] = [pin(), number()];
    await stored(known([national(mine)]));
    await stored(known([local(old)]));
    const last = also.pop() ?? '';
    const message = adt(event, structure, { pid: [national(mine)], also: [...also, `${last}${local(old)}`] });
    expect(await accept(fromAnother(message))).toMatchObject(refused(where));
    expect(await byNumber(old)).not.toEqual(await bearing({ system: PIN, value: mine }));
    await stored(message);
    expect(await byNumber(old)).toEqual(await bearing({ system: PIN, value: mine }));
  });

  it('not as all that she goes on under; its own numbers and those of nobody it may', async () => {
    const [mine, old, theirs] = [pin(), number(), number()];
    await stored(known([local(old)]));
    expect(await accept(fromAnother(joined([local(old)], [its(theirs)])))).toMatchObject(refused('PID-3.1'));
    expect(await accept(fromAnother(joined([national(mine)], [its(theirs)])))).toMatchObject({ state: 'stored', problems: [] });
  });
});

describe("A43: a number was another person's until now", () => {
  const moved = (into: readonly string[], number: string, born?: string): Uint8Array =>
    adt('A43', 'ADT_A43', { pid: into, ...(born === undefined ? {} : { born }), also: [`MRG|${local(number)}`] });
  /** A number, joined to the wrong person, and the right one. */
  const wrongly = async (): Promise<{ wrong: string; right: string; old: string }> => {
    const [wrong, right, old] = [pin(), pin(), number()];
    for (const one of [[national(wrong)], [national(right)], [local(old)]]) await stored(known(one));
    await stored(joined([national(wrong)], [local(old)]));
    return { wrong, right, old };
  };
  const held = async (value: string): Promise<number> => {
    const [person] = await bearing({ system: PIN, value });
    return count(person!, 'AllergyIntolerance');
  };
  const refusal = (code: string) => ({
    state: 'rejected',
    problems: [{ code, path: expect.stringContaining('MRG'), severity: 'document' }],
  });

  it.each([
    ['alone', () => []],
    ['with the number among hers, as HL7 has it', (old: string) => [local(old)]],
  ])('goes to the right one with all that was filed under it, named %s; sent again it changes nothing', async (_how, also) => {
    const { wrong, right, old } = await wrongly();
    expect([await held(wrong), await held(right)]).toEqual([2, 1]);
    for (let times = 0; times < 2; times += 1) await stored(moved([national(right), ...also(old)], old));
    expect([await held(wrong), await held(right)]).toEqual([1, 2]);
    expect(await byNumber(old)).toEqual(await bearing({ system: PIN, value: right }));
    const [her, him] = [(await bearing({ system: PIN, value: right }))[0], (await bearing({ system: PIN, value: wrong }))[0]];
    const patients = async (person: Person | undefined): Promise<string> =>
      (await edge.uow.run((tx) => tx.resources.ofPerson(person!.id, 'all', 500)))
        .filter(({ type }) => type === 'Patient')
        .map(({ text }) => text)
        .join();
    expect(await patients(him)).not.toContain('"link"');
    expect(await patients(her)).toContain('"replaced-by"');
    // What comes late under the number is hers.
    await stored(known([local(old)]));
    expect([await held(wrong), await held(right)]).toEqual([1, 2]);
  });

  it('goes to whom PID-2 names in the form of 2.3, where PID-3 holds the number alone', async () => {
    const { wrong, right, old } = await wrongly();
    const bytes = (to: string): Uint8Array =>
      Buffer.from(
        Buffer.from(adt('A43', 'ADT_A43', { pid: [local(old)], also: [`MRG|${local(old)}|||${national(wrong)}`] }))
          .toString()
          .replace('PID|1||', `PID|1|${to}|`),
      );
    expect(await accept(bytes(''))).toMatchObject({ state: 'rejected' });
    for (let times = 0; times < 2; times += 1) await stored(bytes(national(right)));
    expect([await held(wrong), await held(right)]).toEqual([1, 2]);
    expect(await byNumber(old)).toEqual(await bearing({ system: PIN, value: right }));
  });

  it('goes to whom a number of the same kind names behind it', async () => {
    const { wrong, old } = await wrongly();
    const right = number();
    await stored(known([local(right)]));
    await stored(moved([local(old), local(right)], old));
    expect(await byNumber(old)).toEqual(await byNumber(right));
    expect(await held(wrong)).toBe(1);
  });

  it('ends the one joining and begins another', async () => {
    const { wrong, right, old } = await wrongly();
    const [[him], [her]] = [await bearing({ system: PIN, value: wrong }), await bearing({ system: PIN, value: right })];
    const [before] = await mergesOf(him!);
    await stored(moved([national(right)], old));
    const [ended, begun] = [await mergesOf(him!), await mergesOf(her!)];
    expect(ended.map(({ id, undoneAt }) => [id, undoneAt !== undefined])).toEqual([[before?.id, true]]);
    expect(begun.map(({ prior, undoneAt }) => [prior, undoneAt])).toEqual([[before?.prior, undefined]]);
  });

  it('is joined to the right one where it stood for itself, or nobody heard of it', async () => {
    const [right, old, unheard] = [pin(), number(), number()];
    await stored(known([national(right)]));
    await stored(known([local(old)]));
    for (const one of [old, unheard]) await stored(moved([national(right)], one));
    expect(await held(right)).toBe(2);
    expect(await byNumber(unheard)).toEqual(await bearing({ system: PIN, value: right }));
  });

  it('is refused, and nothing moved, where its entries cannot be told from others of the wrong one', async () => {
    const [wrong, right, old] = [pin(), pin(), number()];
    await stored(known([national(wrong), local(old)]));
    await stored(known([national(right)]));
    expect(await accept(moved([national(right)], old))).toMatchObject(refusal('ingest.move-entangled'));
    expect([await held(wrong), await held(right)]).toEqual([1, 1]);
    // Another number was joined to this one: whose that is, the move does not say.
    const [stays, other] = [number(), number()];
    for (const one of [stays, other]) await stored(known([local(one)]));
    await stored(joined([local(stays)], [local(other)]));
    expect(await accept(moved([national(right)], stays))).toMatchObject(refusal('ingest.move-entangled'));
    expect(await byNumber(other)).toEqual(await byNumber(stays));
  });

  it('is refused, and all stays as it was, of a joining that another source made, and where the two cannot be one', async () => {
    const { wrong, right, old } = await wrongly();
    const foreign = Buffer.from(moved([national(right)], old))
      .toString()
      .replace(
        'NAIDIS-HIS|EE-NAIDISHAIGLA^urn:portolan:demo:ee:naidishaigla^URI',
        'KAUGE-HIS|EE-KAUGEHAIGLA^urn:portolan:demo:ee:kaugehaigla^URI',
      );
    expect(await accept(Buffer.from(foreign))).toMatchObject(refusal('ingest.merge-conflict'));
    const child = number();
    await stored(known([local(child)], '20200101'));
    await stored(joined([national(wrong)], [local(child)]));
    expect(await accept(moved([national(right)], child, '19710101'))).toMatchObject(refusal('ingest.merge-conflict'));
    expect(await byNumber(child)).toEqual(await bearing({ system: PIN, value: wrong }));
    expect([await held(wrong), await held(right)]).toEqual([3, 1]);
  });
});

describe('A17: two lie where the other lay', () => {
  const lies = (event: string, structure: string, who: string, ward: string, also: readonly string[] = []): Uint8Array =>
    adt(event, structure, { pid: [national(who)], also: [visit(who, ward), ...also] });
  const visit = (who: string, ward: string): string =>
    `PV1|1|I|${ward}^1^1^EE-NAIDISHAIGLA||||||||||||||||V-${who}^^^EE-NAIDISHAIGLA-VISIT^VN`;
  const placeOf = async (who: string): Promise<string> => {
    const [person] = await bearing({ system: PIN, value: who });
    const all = await edge.uow.run((tx) => tx.resources.ofPerson(person!.id, 'all', 500));
    const stays = all.filter(({ type }) => type === 'Encounter');
    expect(stays).toHaveLength(1);
    return JSON.stringify((JSON.parse(stays[0]?.text ?? '{}') as { location?: unknown }).location);
  };
  const swap = (one: string, another: string, wards: readonly [string, string]): Uint8Array =>
    lies('A17', 'ADT_A17', one, wards[0], [`PID|2||${national(another)}||Proov^Peep|||M`, visit(another, wards[1])]);

  it('each keeps her own message, and no word of the other', async () => {
    const [one, another] = [pin(), pin()];
    await stored(lies('A02', 'ADT_A02', one, 'SISE'));
    await stored(lies('A02', 'ADT_A02', another, 'KIRURGIA'));
    const [here, there] = [await placeOf(one), await placeOf(another)];
    expect(here).not.toBe(there);
    const message = swap(one, another, ['KIRURGIA', 'SISE']);
    for (let times = 0; times < 2; times += 1) await stored(message);
    expect([await placeOf(one), await placeOf(another)]).toEqual([there, here]);
    const originals = await edge.uow.run(async (tx) => {
      const texts: string[] = [];
      for (const who of [one, another]) {
        const [person] = await bearing({ system: PIN, value: who });
        const stay = (await tx.resources.ofPerson(person!.id, 'all', 500)).find(({ type }) => type === 'Encounter');
        texts.push(Buffer.from((await tx.messages.get(stay?.messageId ?? ''))?.original ?? []).toString());
      }
      return texts;
    });
    expect(originals.map((text) => [text.includes(one), text.includes(another)])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('is told as refused where one of the two cannot be found for certain, and may be sent again', async () => {
    const [one, another] = [pin(), pin()];
    await stored(lies('A02', 'ADT_A02', one, 'SISE'));
    const message = Buffer.from(swap(one, another, ['KIRURGIA', 'SISE']))
      .toString()
      .replace(national(another), '');
    const answer = await accept(Buffer.from(message));
    expect(answer.state).toBe('rejected');
    expect(answer.problems[0]).toEqual({ code: 'translate.value-missing', path: 'PID-3', severity: 'document' });
    await stored(swap(one, another, ['KIRURGIA', 'SISE']));
    expect(await placeOf(one)).not.toBe(await placeOf(another));
  });
});

describe('what else is taken back', () => {
  it('A41: of an account that was joined to another nobody says any more that it is in use', async () => {
    const mine = pin();
    await stored(known([national(mine)]));
    await stored(adt('A41', 'ADT_A39', { pid: [national(mine)], also: [`MRG|${national(mine)}||ACC-1^^^EE-NAIDISHAIGLA^AN`] }));
    const [person] = await bearing({ system: PIN, value: mine });
    const accounts = (await edge.uow.run((tx) => tx.resources.ofPerson(person!.id, 'all', 500))).filter(({ type }) => type === 'Account');
    expect(accounts.map(({ text }) => (JSON.parse(text) as { status: string }).status)).toEqual(['unknown']);
  });

  it('A12: after a transfer that was cancelled she lies where she lay', async () => {
    const mine = pin();
    const stay = (event: string, ward: string): Uint8Array =>
      adt(event, event === 'A12' ? 'ADT_A12' : 'ADT_A02', {
        pid: [national(mine)],
        also: [`PV1|1|I|${ward}^1^1^EE-NAIDISHAIGLA||||||||||||||||V-${mine}^^^EE-NAIDISHAIGLA-VISIT^VN`],
      });
    const place = async (): Promise<string> => {
      const [person] = await bearing({ system: PIN, value: mine });
      const all = await edge.uow.run((tx) => tx.resources.ofPerson(person!.id, 'all', 500));
      return all.find(({ type }) => type === 'Encounter')?.text ?? '';
    };
    await stored(stay('A02', 'SISE'));
    const there = await place();
    await stored(stay('A02', 'KIRURGIA'));
    expect(await place()).not.toBe(there);
    await stored(stay('A12', 'SISE'));
    expect(await place()).toBe(there);
  });

  it('A29: a person whom a source keeps no more is inactive there, and her record stays', async () => {
    const mine = pin();
    await stored(known([national(mine)]));
    await stored(adt('A29', 'ADT_A21', { pid: [national(mine)], also: ['PV1|1|O'] }));
    const [person] = await bearing({ system: PIN, value: mine });
    const all = await edge.uow.run((tx) => tx.resources.ofPerson(person!.id, 'all', 500));
    expect(all.find(({ type }) => type === 'Patient')?.text).toContain('"active":false');
    expect(await count(person!, 'AllergyIntolerance')).toBe(1);
  });
});
