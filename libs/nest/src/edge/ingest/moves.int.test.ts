import type { Person, ResourceVersion } from '@portolan/domain';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { custodianOf } from '../person/proposed-entry.js';
import { heardByExchange } from '../testing/heard-by-exchange.js';
import { testEdge, type TestEdge } from '../testing/test-edge.js';

let edge: TestEdge;
beforeAll(async () => {
  const house = (value: string) => ({ system: 'urn:portolan:demo:organisation', value, name: value });
  const hospital = { organisation: house('hospital'), assigns: [VISITS] };
  edge = await testEdge('EE', {
    sources: [
      { name: 'NAIDIS-HIS|EE-NAIDISHAIGLA', ...hospital },
      { name: 'NAIDIS-RIS|EE-NAIDISRADIO', ...hospital },
      { name: 'KAUGE-HIS|EE-KAUGEHAIGLA', organisation: house('another') },
      { name: 'NAIDIS-LIS|EE-NAIDISLABOR', organisation: house('laboratory') },
    ],
  });
});
afterAll(() => edge.close());

const SENDER = 'NAIDIS-HIS|EE-NAIDISHAIGLA^urn:portolan:demo:ee:naidishaigla^URI';
const [LABORATORY, RADIOLOGY] = [
  'NAIDIS-LIS|EE-NAIDISLABOR^urn:portolan:demo:ee:naidislabor^URI',
  'NAIDIS-RIS|EE-NAIDISRADIO^urn:portolan:demo:ee:naidisradio^URI',
];
const OTHER = 'KAUGE-HIS|EE-KAUGEHAIGLA^urn:portolan:demo:ee:kaugehaigla^URI';
/** The systems in which the hospital gives stays, and persons, their numbers. */
const VISITS = 'urn:portolan:demo:ee:naidishaigla:visit';
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
const results = (who: string, stay: string, filler: string, value: string, sender = SENDER): Uint8Array =>
  message(
    'ORU^R01^ORU_R01',
    who,
    [
      visit(stay),
      `OBR|1||${filler}^LAB|KREA^Kreatiniin^99EELAB|||20261101080000+0200|||||||||||||||20261101090000+0200|||F`,
      `OBX|1|NM|KREA^Kreatiniin^99EELAB||${value}|umol/L|45-84||||F|||20261101080000+0200`,
    ],
    sender,
  );
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

describe('a stay of which nobody heard until it was moved', () => {
  const [wrong, right, stay] = [number('H'), number('H'), number('V')];

  it('is moved from somebody of whom nobody heard either', async () => {
    for (let times = 0; times < 2; times += 1) await stored(moved({ from: wrong, stay, to: right }));
    expect(await countsOf(right)).toEqual({ Encounter: 1 });
  });

  it('is not written under the wrong one by what comes later, whatever else that calls her', async () => {
    const both = (bytes: Uint8Array): Uint8Array =>
      Buffer.from(
        Buffer.from(bytes)
          .toString()
          .replace('PID|1||', `PID|1||4${String(Date.now()).slice(-10)}^^^EE-PIN^NI~`),
      );
    for (const late of [admitted(wrong, stay), results(wrong, stay, number('F'), '99'), both(admitted(wrong, stay))])
      expect(await accept(late)).toMatchObject(refused('ingest.stay-moved'));
    await stored(admitted(wrong, number('V')));
    await stored(admitted(number('H'), stay));
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1, Condition: 1, Encounter: 1 });
    await stored(results(right, stay, number('F'), '71'));
  });

  it('of a person who is known is remembered alike, until it is moved back', async () => {
    const [known, other] = [number('H'), number('V')];
    await stored(admitted(known, number('V')));
    await stored(moved({ from: known, stay: other, to: right }));
    expect(await accept(results(known, other, number('F'), '99'))).toMatchObject(refused('ingest.stay-moved'));
    await stored(moved({ from: right, stay: other, to: known }));
    await stored(results(known, other, number('F'), '71'));
    expect(await accept(results(right, other, number('F'), '99'))).toMatchObject(refused('ingest.stay-moved'));
  });

  it('under another number is not written under the old one, and an account alone moves nothing', async () => {
    const [who, old, as] = [number('H'), number('V'), number('V')];
    await stored(moved({ from: who, stay: old, to: who, as }));
    expect(await accept(results(who, old, number('F'), '99'))).toMatchObject(refused('ingest.stay-moved'));
    await stored(moved({ from: who, stay: as, to: who }));
    await stored(results(who, as, number('F'), '71'));
  });

  it('is what its own house says: another one has a stay of that number, too', async () => {
    const theirs = number('V');
    await stored(moved({ from: wrong, stay: theirs, to: right }, OTHER));
    await stored(results(wrong, theirs, number('F'), '71'));
  });
});

describe('what others sent under the number of a stay', () => {
  /** Results of a laboratory, which the hospital sends to it, and of the hospital's own radiology. */
  const fromAll = async (): Promise<{ wrong: string; right: string; stay: string; filler: string }> => {
    const all = await wrongly();
    await stored(results(all.wrong, all.stay, number('F'), '81', RADIOLOGY));
    await stored(results(all.wrong, all.stay, all.filler, '91.50', LABORATORY));
    return all;
  };
  const THREE = { Condition: 1, DiagnosticReport: 3, Encounter: 3, Observation: 3 };

  it('goes along where who moves it assigns the number, and stays the entry of who sent it', async () => {
    const { wrong, right, stay } = await fromAll();
    await stored(moved({ from: wrong, stay, to: right }));
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1 });
    expect(await countsOf(right)).toEqual(THREE);
    const record = await recordOf(right);
    const own = new Set(record.map(({ type, id }) => `${type}/${id}`));
    for (const { text } of record)
      for (const [, name = ''] of text.matchAll(/"reference":"((?!Organization|Practitioner|Location)[^"]+)"/g))
        expect(own).toContain(name);
    const theirs = record.find(({ type, text }) => type === 'Observation' && text.includes('91.50'));
    const houses = await Promise.all(
      record.filter(({ type }) => type === 'Observation').map((one) => edge.uow.run((tx) => custodianOf(tx, one, edge.parts))),
    );
    expect(houses.map(({ value }) => value).toSorted()).toEqual(['hospital', 'hospital', 'laboratory']);
    expect(await edge.uow.run((tx) => custodianOf(tx, theirs!, edge.parts))).toMatchObject({ value: 'laboratory' });
  });

  it('is met there by what they send later, and refused where they still send it under the wrong one', async () => {
    const { wrong, right, stay, filler } = await fromAll();
    await stored(moved({ from: wrong, stay, to: right }));
    for (const late of [filler, number('F')])
      expect(await accept(results(wrong, stay, late, '99', LABORATORY))).toMatchObject(refused('ingest.stay-moved'));
    await stored(results(right, stay, filler, '92.50', LABORATORY));
    expect(await countsOf(right)).toEqual(THREE);
    expect((await recordOf(right)).filter(({ text }) => text.includes('92.50'))).toHaveLength(1);
  });

  it('that comes only after the move is refused under the wrong one, and its own move is filed and moves nothing twice', async () => {
    const { wrong, right, stay } = await wrongly();
    await stored(moved({ from: wrong, stay, to: right }));
    expect(await accept(results(wrong, stay, number('F'), '99', LABORATORY))).toMatchObject(refused('ingest.stay-moved'));
    await stored(moved({ from: wrong, stay, to: right }, LABORATORY));
    await stored(results(right, stay, number('F'), '91', LABORATORY));
    expect(await countsOf(right)).toEqual({ ...WHOLE, DiagnosticReport: 2, Encounter: 2, Observation: 2 });
  });

  it('goes back with it, and under another number where the stay has one', async () => {
    const { wrong, right, stay, filler } = await fromAll();
    const as = number('V');
    await stored(moved({ from: wrong, stay, to: right, as }));
    expect(await countsOf(right)).toEqual(THREE);
    const numbers = (await treesOf(right, 'Encounter')).flatMap(({ identifier }) =>
      (identifier as { value: string }[]).map(({ value }) => value),
    );
    expect(numbers).toEqual([as, as, as]);
    await stored(moved({ from: right, stay: as, to: wrong, as: stay }));
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1, ...THREE });
    await stored(results(wrong, stay, filler, '93', LABORATORY));
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1, ...THREE });
  });

  it('stays where who moves it does not assign the number: a laboratory moves its own alone', async () => {
    const { wrong, right, stay } = await fromAll();
    await stored(moved({ from: wrong, stay, to: right }, LABORATORY));
    expect(await countsOf(right)).toEqual({ DiagnosticReport: 1, Encounter: 1, Observation: 1 });
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1, Condition: 1, DiagnosticReport: 2, Encounter: 2, Observation: 2 });
  });
});

/** A rule that the country did not have when the message came. */
const flag = {
  map: 'ee/flag',
  format: 'hl7v2',
  notice: 'For this test alone',
  resources: [
    {
      id: 'stay-flag',
      resource: 'Flag',
      each: ['//OBX'],
      under: 'patient',
      key: [['OBX-3/1']],
      elements: [
        { to: 'status', constant: 'active' },
        { to: 'code.text', from: 'OBX-3.1', as: 'string' },
        { to: 'subject', from: '.', as: 'reference', rule: 'patient', scope: 'nearest', required: 'entry' },
        { to: 'encounter', from: '.', as: 'reference', rule: 'encounter', scope: 'nearest' },
      ],
    },
  ],
};

describe('what is translated again after its stay was moved', () => {
  /** A code of the laboratory that no map knows. */
  const unknown = (): string => `T${randomUUID().slice(0, 8)}`;
  const measured = (who: string, stay: string, filler: string, code: string, hour = '09'): Uint8Array =>
    message('ORU^R01^ORU_R01', who, [
      visit(stay),
      `OBR|1||${filler}^LAB|24323-8^Panel^LN|||20261101080000+0200|||||||||||||||20261101${hour}0000+0200|||F`,
      `OBX|1|NM|${code}^Proov^99EELAB||5.40|mmol/l^mmol/l^99EELAB|||||F|||20261101080000+0200`,
    ]);
  const answered = async (code: string, loinc: string): Promise<void> => {
    const system = edge.parts.pack.codingSystems.get('99EELAB');
    const answer = {
      map: 'observation-codes',
      system,
      code,
      target: { system: 'http://loinc.org', code: loinc, equivalence: 'equivalent' },
    };
    expect(await edge.uow.run(({ mappings }) => mappings.answer(answer, new Date().toISOString()))).toBe(true);
  };
  const again = async (id: string): Promise<void> => {
    expect(await edge.ingest.translateAgain(id)).toBe(true);
    expect(await edge.uow.run(({ mappings }) => mappings.waiting(100))).toEqual([]);
  };
  const codesOf = async (who: string): Promise<readonly string[]> =>
    (await treesOf(who, 'Observation')).flatMap(({ code }) => (code as { coding: { code: string }[] }).coding.map((one) => one.code));

  /** A stay with a result of an unknown code, moved to the right one. */
  const asked = async (): Promise<{ wrong: string; right: string; stay: string; filler: string; code: string; sent: string }> => {
    const [wrong, right, stay, filler, code] = [number('H'), number('H'), number('V'), number('F'), unknown()];
    await stored(admitted(wrong, stay));
    const { messageId: sent } = await accept(measured(wrong, stay, filler, code));
    await stored(moved({ from: wrong, stay, to: right }));
    return { wrong, right, stay, filler, code, sent };
  };

  it('reaches the entries where they stand, each time it is answered, and nothing comes back to the wrong one', async () => {
    const { wrong, right, code, sent } = await asked();
    const before = await recordOf(right);
    for (const loinc of ['2345-7', '718-7']) {
      await heardByExchange(edge);
      await answered(code, loinc);
      await again(sent);
      expect(await codesOf(right)).toEqual([loinc, code]);
      const [observation] = await treesOf(right, 'Observation');
      expect(await heardByExchange(edge)).toEqual([
        expect.objectContaining({ person: (await personOf(right)).id, id: observation?.id, change: 'superseded' }),
      ]);
    }
    const house = edge.parts.sources[0]?.organisation;
    for (const entry of await recordOf(right)) expect(await edge.uow.run((tx) => custodianOf(tx, entry, edge.parts))).toBe(house);
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1 });
    expect(await countsOf(right)).toEqual(WHOLE);
    const names = new Set((await recordOf(wrong)).map(({ type, id }) => `${type}/${id}`));
    for (const { text, id, messageId } of await recordOf(right)) {
      for (const name of names) expect(text).not.toContain(name);
      expect(messageId).toBe(before.find((one) => one.id === id)?.messageId);
    }
  });

  it('is told to the right one, under whose key it is, and stands in no Provenance of the wrong one', async () => {
    const { wrong, right, code, sent } = await asked();
    const ingested = async (who: string): Promise<number> =>
      (await edge.uow.run(async (tx) => tx.audit.list({ person: (await personOf(who)).id, type: 'record-ingested' }, 50))).length;
    const before = await ingested(right);
    await answered(code, '2345-7');
    await again(sent);
    const [observation] = (await recordOf(right)).filter(({ type }) => type === 'Observation');
    const provenances = async (who: string): Promise<readonly string[]> => {
      const all = await edge.uow.run(async (tx) => tx.resources.ofPerson((await personOf(who)).id, 'all', 500));
      return all.filter(({ type }) => type === 'Provenance').map(({ text }) => text);
    };
    const version = `Observation/${observation?.id ?? ''}/_history/${observation?.versionId ?? 0}`;
    expect((await provenances(right)).filter((text) => text.includes(version))).toHaveLength(1);
    expect((await provenances(wrong)).filter((text) => text.includes(observation?.id ?? ''))).toHaveLength(0);
    expect((await ingested(right)) - before).toBe(1);
  });

  it('follows the stay on to a third, and back', async () => {
    const { wrong, right, stay, code, sent } = await asked();
    const third = number('H');
    await stored(moved({ from: right, stay, to: third }));
    await answered(code, '2345-7');
    await again(sent);
    expect(await codesOf(third)).toEqual(['2345-7', code]);
    await stored(moved({ from: third, stay, to: wrong }));
    await answered(code, '718-7');
    await again(sent);
    expect(await codesOf(wrong)).toEqual(['718-7', code]);
    for (const who of [right, third]) expect(await countsOf(who)).toEqual({});
  });

  it('and under another number of the same person', async () => {
    const { right, stay, code, sent } = await asked();
    await stored(moved({ from: right, stay, to: right, as: number('V') }));
    await answered(code, '2345-7');
    await again(sent);
    expect(await codesOf(right)).toEqual(['2345-7', code]);
    expect(await countsOf(right)).toEqual(WHOLE);
  });

  it('replaces nothing that the right one’s own messages said later', async () => {
    const { right, stay, filler, code, sent } = await asked();
    const newer = Buffer.from(measured(right, stay, filler, code, '12'))
      .toString()
      .replace('5.40', '6.10');
    await stored(Buffer.from(newer));
    await answered(code, '2345-7');
    expect(await edge.ingest.translateAgain(sent)).toBe(true);
    expect((await treesOf(right, 'Observation'))[0]).toMatchObject({ valueQuantity: { value: 6.1 } });
    expect(await codesOf(right)).toEqual([code]);
    const [later] = await edge.uow.run(({ mappings }) => mappings.waiting(100));
    await again(later ?? '');
    expect((await treesOf(right, 'Observation'))[0]).toMatchObject({ valueQuantity: { value: 6.1 } });
    expect(await codesOf(right)).toEqual(['2345-7', code]);
  });

  it('brings what is her own to the wrong one as ever', async () => {
    const { wrong, code, sent } = await asked();
    const versions = async (): Promise<readonly number[]> => (await recordOf(wrong)).map(({ versionId }) => versionId);
    const before = await versions();
    await answered(code, '2345-7');
    await again(sent);
    expect(await versions()).toEqual(before);
    expect(await countsOf(wrong)).toEqual({ AllergyIntolerance: 1 });
  });

  it('says of the move itself nothing that was not said, and takes nothing back that was said since', async () => {
    const { wrong, right, stay } = await asked();
    const { messageId: move } = await accept(moved({ from: right, stay, to: wrong }));
    await stored(admitted(wrong, stay));
    const before = (await recordOf(wrong)).map(({ type, text }) => [type, text]);
    expect(await edge.ingest.translateAgain(move)).toBe(true);
    expect((await recordOf(wrong)).map(({ type, text }) => [type, text])).toEqual(before);
    expect(await countsOf(right)).toEqual({});
  });

  it('brings an entry that only the rules of today make of it to where its stay is', async () => {
    const { wrong, right, sent } = await asked();
    const countries = mkdtempSync(join(tmpdir(), 'portolan-countries-'));
    cpSync(join(import.meta.dirname, '../../../../countries'), countries, { recursive: true });
    writeFileSync(join(countries, 'ee/maps/flag.json'), JSON.stringify(flag));
    const today = await testEdge('EE', { copyOf: edge, countries, sources: edge.parts.sources });
    try {
      expect(await today.ingest.translateAgain(sent)).toBe(true);
      const [made] = await treesOf(right, 'Flag');
      const [[patient], [encounter]] = [await treesOf(right, 'Patient'), await treesOf(right, 'Encounter')];
      expect(made).toMatchObject({
        subject: { reference: `Patient/${patient?.id ?? ''}` },
        encounter: { reference: `Encounter/${encounter?.id ?? ''}` },
      });
      expect(await treesOf(wrong, 'Flag')).toEqual([]);
    } finally {
      await today.close();
      rmSync(countries, { recursive: true, force: true });
    }
  });
});
