import type { Person, ResourceVersion } from '@portolan/domain';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heardByExchange } from '../testing/heard-by-exchange.js';
import { testEdge, type TestEdge } from '../testing/test-edge.js';

let edge: TestEdge;
beforeAll(async () => {
  edge = await testEdge('EE', { sources: ['NAIDIS-HIS|EE-NAIDISHAIGLA', 'KAUGE-HIS|EE-KAUGEHAIGLA'] });
});
afterAll(() => edge.close());

const SENDER = 'NAIDIS-HIS|EE-NAIDISHAIGLA^urn:portolan:demo:ee:naidishaigla^URI';
const OTHER = 'KAUGE-HIS|EE-KAUGEHAIGLA^urn:portolan:demo:ee:kaugehaigla^URI';
/** The system of the hospital's own numbers. */
const HOSPITAL = 'urn:portolan:demo:ee:naidishaigla:patient';
const number = (kind: string): string => `${kind}-${randomUUID().slice(0, 8)}`;
const local = (value: string): string => `${value}^^^EE-NAIDISHAIGLA^MR`;
const visit = (value: string, place = ''): string => `PV1|1|I|${place}||||||||||||||||${value}^^^EE-NAIDISHAIGLA-VISIT^VN`;

/** One message, made a minute after the one before. */
let minutes = 0;
function message(type: string, who: string, also: readonly string[], sender = SENDER): Uint8Array {
  minutes += 1;
  const at = `202611${String(1 + Math.floor(minutes / 60)).padStart(2, '0')}08${String(minutes % 60).padStart(2, '0')}00+0200`;
  const segments = [
    `MSH|^~\\&|${sender}|PORTOLAN|EE|${at}||${type}|${randomUUID().slice(0, 18)}|P|2.5.1||||||UNICODE UTF-8`,
    ...(type.startsWith('ADT') ? [`EVN||${at}`] : []),
    `PID|1||${local(who)}||Proov^Mall||19760503|F`,
    ...also,
  ];
  return Buffer.from(`${segments.join('\r')}\r`);
}
const admitted = (who: string, stay: string): Uint8Array =>
  message('ADT^A01^ADT_A01', who, [
    visit(stay, 'SISE^1^1^EE-NAIDISHAIGLA'),
    'AL1|1|DA|PENI^Penitsilliin^99EEALL|SV',
    'DG1|1||J18.9^Kopsupõletik^I10|||A',
  ]);
const results = (who: string, stay: string, filler: string, value: string): Uint8Array =>
  message('ORU^R01^ORU_R01', who, [
    visit(stay),
    `OBR|1||${filler}^LAB|KREA^Kreatiniin^99EELAB|||20261101080000+0200|||||||||||||||20261101090000+0200|||F`,
    `OBX|1|NM|KREA^Kreatiniin^99EELAB||${value}|umol/L|45-84||||F|||20261101080000+0200`,
  ]);
interface Move {
  readonly from: string;
  readonly stay: string;
  readonly to: string;
  readonly as?: string;
}
const moved = ({ from, stay, to, as = stay }: Move, sender = SENDER): Uint8Array =>
  message('ADT^A45^ADT_A45', to, [`MRG|${local(from)}||ACC-1^^^EE-NAIDISHAIGLA^AN||${stay}^^^EE-NAIDISHAIGLA-VISIT^VN`, visit(as)], sender);

const accept = async (bytes: Uint8Array) => (await edge.ingest.accept({ bytes, via: 'mllp', source: undefined })).answer;
async function stored(bytes: Uint8Array): Promise<void> {
  expect(await accept(bytes)).toMatchObject({ state: 'stored', problems: [] });
}
const personOf = async (value: string): Promise<Person> => {
  const [person] = await edge.uow.run((tx) => tx.persons.byIdentifier({ system: HOSPITAL, value }));
  if (person === undefined) throw new Error('nobody has this number');
  return person;
};
const recordOf = async (value: string): Promise<readonly ResourceVersion[]> => {
  const person = await personOf(value);
  return (await edge.uow.run((tx) => tx.resources.ofPerson(person.id, 'all', 500))).filter(({ type }) => type !== 'Provenance');
};
/** How many entries of each type a record has, its Patient left out. */
const countsOf = async (value: string): Promise<Record<string, number>> =>
  Object.fromEntries(
    [
      ...Map.groupBy(
        (await recordOf(value)).filter(({ type }) => type !== 'Patient'),
        ({ type }) => type,
      ),
    ]
      .map(([type, all]) => [type, all.length] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
const WHOLE = { Condition: 1, DiagnosticReport: 1, Encounter: 1, Observation: 1 };
const treesOf = async (value: string, type: string): Promise<readonly { id: string; [element: string]: unknown }[]> =>
  (await recordOf(value)).filter((one) => one.type === type).map(({ text }) => JSON.parse(text) as { id: string });
const refused = (code: string) => ({ state: 'rejected', problems: [{ code, severity: 'document' }] });

/** A stay with its results, sent under the wrong person. */
const wrongly = async (): Promise<{ wrong: string; right: string; stay: string; filler: string }> => {
  const [wrong, right, stay, filler] = [number('H'), number('H'), number('V'), number('F')];
  await stored(admitted(wrong, stay));
  await stored(results(wrong, stay, filler, '71.50'));
  await stored(message('ADT^A31^ADT_A05', right, []));
  return { wrong, right, stay, filler };
};

describe("A45: a stay was another's until now", () => {
  it('goes to the right one with what belongs to it, as it was known; what is the person’s own stays', async () => {
    const { wrong, right, stay } = await wrongly();
    const before = await treesOf(wrong, 'Encounter');
    await stored(moved({ from: wrong, stay, to: right }));
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1 });
    expect(await countsOf(right)).toEqual(WHOLE);
    const [after] = await treesOf(right, 'Encounter');
    expect(after?.['location']).toEqual(before[0]?.['location']);
    expect(after?.['status']).toBe(before[0]?.['status']);
    expect((await treesOf(right, 'Observation'))[0]).toMatchObject({ valueQuantity: { value: 71.5 } });
    const record = await recordOf(right);
    const own = new Set(record.map(({ type, id }) => `${type}/${id}`));
    expect(record.find(({ type }) => type === 'Observation')?.text).toContain('71.50');
    const theirs = (await recordOf(wrong)).map(({ type, id }) => `${type}/${id}`);
    for (const { text } of record) for (const name of theirs) expect(text).not.toContain(name);
    const [report] = await treesOf(right, 'DiagnosticReport');
    expect(own).toContain((report?.['encounter'] as { reference: string }).reference);
    expect(own).toContain((report?.['result'] as { reference: string }[])[0]?.reference);
  });

  it('is moved once, however often it is said, and under another number where it has one', async () => {
    const { wrong, right, stay } = await wrongly();
    const as = number('V');
    for (let times = 0; times < 2; times += 1) await stored(moved({ from: wrong, stay, to: right, as }));
    expect(await countsOf(right)).toEqual(WHOLE);
    const [after] = await treesOf(right, 'Encounter');
    expect((after?.['identifier'] as { value: string }[]).map(({ value }) => value)).toEqual([as]);
  });

  it('meets what its source says of it later, under the right person', async () => {
    const { wrong, right, stay, filler } = await wrongly();
    await stored(moved({ from: wrong, stay, to: right }));
    await stored(results(right, stay, filler, '74.00'));
    await stored(admitted(right, stay));
    expect(await countsOf(right)).toEqual({ AllergyIntolerance: 1, ...WHOLE });
    expect((await treesOf(right, 'Observation'))[0]).toMatchObject({ valueQuantity: { value: 74 } });
  });

  it('leaves what the right person’s own messages said of it already', async () => {
    const { wrong, right, stay, filler } = await wrongly();
    await stored(results(right, stay, filler, '74.00'));
    await stored(moved({ from: wrong, stay, to: right }));
    expect(await countsOf(right)).toEqual(WHOLE);
    expect((await treesOf(right, 'Observation'))[0]).toMatchObject({ valueQuantity: { value: 74 } });
  });

  it('is not taken back by what still comes under the wrong one: that is refused, and kept', async () => {
    const { wrong, right, stay, filler } = await wrongly();
    await stored(moved({ from: wrong, stay, to: right }));
    for (const late of [results(wrong, stay, filler, '99'), results(wrong, stay, number('F'), '99'), admitted(wrong, stay)])
      expect(await accept(late)).toMatchObject(refused('ingest.stay-moved'));
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1 });
    expect(await countsOf(right)).toEqual(WHOLE);
    // Another stay of hers is hers, also where she has in it what the other had.
    await stored(admitted(wrong, number('V')));
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1, Condition: 1, Encounter: 1 });
  });

  it('may go back, and on to a third, and is still met by its results', async () => {
    const { wrong, right, stay, filler } = await wrongly();
    const third = number('H');
    for (const [from, to] of [
      [wrong, right],
      [right, wrong],
      [wrong, third],
    ] as const) {
      await stored(moved({ from, stay, to }));
      await stored(results(to, stay, filler, '74.00'));
      expect(await countsOf(to)).toMatchObject(WHOLE);
    }
    expect(await countsOf(right)).toEqual({});
  });

  it('leaves the history with whom it was filed under, and both persons see that it moved', async () => {
    const { wrong, right, stay } = await wrongly();
    const [before] = await treesOf(wrong, 'Encounter');
    const persons = [await personOf(wrong), await personOf(right)];
    await stored(moved({ from: wrong, stay, to: right }));
    const history = await edge.uow.run((tx) => tx.resources.history('Encounter', before?.id ?? '', 10));
    expect(history.map(({ deleted, person }) => [deleted, person])).toEqual([
      [true, persons[0]?.id],
      ...history.slice(1).map(() => [false, persons[0]?.id]),
    ]);
    for (const person of persons) {
      const feed = await edge.uow.run((tx) => tx.feed.after(person.id, '0', 100));
      expect(feed.filter(({ body }) => (body as { act: string }).act === 'stay-moved')).toHaveLength(1);
    }
  });

  it('is told to the exchange, entry by entry, as no longer the wrong one’s', async () => {
    const { wrong, right, stay } = await wrongly();
    const person = (await personOf(wrong)).id;
    const goes = (await recordOf(wrong)).filter(({ type }) => type in WHOLE);
    await heardByExchange(edge);
    await stored(moved({ from: wrong, stay, to: right }));
    const heard = await heardByExchange(edge);
    expect(heard).toHaveLength(goes.length);
    for (const { type, id } of goes) expect(heard).toContainEqual(expect.objectContaining({ person, type, id, change: 'cancelled' }));
  });

  it('of one person gets its new number in all that refers to it, or only another account', async () => {
    const { wrong, stay } = await wrongly();
    const as = number('V');
    await stored(moved({ from: wrong, stay, to: wrong, as }));
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1, ...WHOLE });
    const [[encounter], [report]] = [await treesOf(wrong, 'Encounter'), await treesOf(wrong, 'DiagnosticReport')];
    expect(report?.['encounter']).toMatchObject({ reference: `Encounter/${encounter?.id ?? ''}` });
    await stored(moved({ from: wrong, stay: as, to: wrong }));
    const [again] = await treesOf(wrong, 'Encounter');
    expect(again).toEqual(encounter);
  });

  it('is refused, and nothing moved, where it cannot be told from another stay of the wrong one', async () => {
    const { wrong, right, stay, filler } = await wrongly();
    // The same diagnosis in the next stay: one entry, named by both.
    await stored(admitted(wrong, number('V')));
    expect(await accept(moved({ from: wrong, stay, to: right }))).toMatchObject(refused('ingest.move-entangled'));
    expect(await countsOf(right)).toEqual({});
    await stored(results(wrong, stay, filler, '72'));
  });

  it('moves nothing of another source’s, nor where nobody heard of the stay', async () => {
    const { wrong, right, stay } = await wrongly();
    await stored(moved({ from: wrong, stay: number('V'), to: right, as: number('V') }));
    await stored(moved({ from: number('H'), stay, to: right, as: number('V') }));
    await stored(moved({ from: wrong, stay, to: right, as: number('V') }, OTHER));
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1, ...WHOLE });
    expect(await countsOf(right)).toEqual({ Encounter: 3 });
  });
});
