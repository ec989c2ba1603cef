import { randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResourceVersion } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { custodianOf } from '../person/proposed-entry.js';
import { heardByExchange } from '../testing/heard-by-exchange.js';
import { testEdge, type TestEdge } from '../testing/test-edge.js';

const SENDERS = {
  hospital: 'NAIDIS-HIS|EE-NAIDISHAIGLA',
  laboratory: 'NAIDIS-LIS|EE-NAIDISLABOR',
  assigner: 'KAUGE-HIS|EE-KAUGEHAIGLA',
} as const;
type Sender = keyof typeof SENDERS;
const DOCUMENTS = 'hospital-documents';
/** Numbers of stays by which nobody said whose they are, and those that the second hospital assigns. */
const [VISIT, ASSIGNED] = ['&2.999.1.60&ISO', '&2.999.1.61&ISO'];
const PIN = 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1';

let edge: TestEdge;
let headers: Record<string, string>;
beforeAll(async () => {
  const house = (value: string) => ({ organisation: { system: 'urn:portolan:demo:organisation', value, name: value } });
  edge = await testEdge('EE', {
    sources: [
      { name: SENDERS.hospital, ...house('hospital') },
      { name: SENDERS.laboratory, ...house('laboratory') },
      { name: SENDERS.assigner, ...house('assigner'), assigns: ['urn:oid:2.999.1.61'] },
      { name: DOCUMENTS, ...house('hospital') },
    ],
  });
  headers = { authorization: `Bearer ${await edge.token('operator')}`, 'content-type': 'application/json' };
});
afterAll(() => edge.close());

const pin = (): string => `4${randomInt(1e9, 1e10)}`;
const number = (kind: string): string => `${kind}-${randomUUID().slice(0, 8)}`;
const visit = (value: string, assigner = VISIT): string => `PV1|1|I|||||||||||||||||${value}^^^${assigner}^VN`;

/** One message, made a minute after the one before. */
let minutes = 0;
function message(type: string, who: string, also: readonly string[], sender: Sender): Uint8Array {
  minutes += 1;
  const at = `202611${String(1 + Math.floor(minutes / 60)).padStart(2, '0')}08${String(minutes % 60).padStart(2, '0')}00+0200`;
  const head = `MSH|^~\\&|${SENDERS[sender]}^urn:portolan:demo:ee:${sender}^URI|PORTOLAN|EE|${at}||${type}|${randomUUID().slice(0, 18)}|P|2.5.1||||||UNICODE UTF-8`;
  const segments = [head, ...(type.startsWith('ADT') ? [`EVN||${at}`] : []), `PID|1||${who}^^^EE-PIN^NI||Proov^Mall`, ...also];
  return Buffer.from(`${segments.join('\r')}\r`);
}
const admitted = (who: string, stay: string, assigner?: string): Uint8Array =>
  message('ADT^A01^ADT_A01', who, [visit(stay, assigner), 'DG1|1||J18.9^Kopsupõletik^I10|||A'], 'hospital');
const results = (who: string, stay: string, filler: string, value: string, sender: Sender = 'laboratory', assigner?: string): Uint8Array =>
  message(
    'ORU^R01^ORU_R01',
    who,
    [
      visit(stay, assigner),
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
  readonly sender?: Sender;
  readonly assigner?: string;
}
const moved = ({ from, stay, to, as = stay, sender = 'hospital', assigner = VISIT }: Move): Uint8Array =>
  message('ADT^A45^ADT_A45', to, [`MRG|${from}^^^EE-PIN^NI||||${stay}^^^${assigner}^VN`, visit(as, assigner)], sender);
/** A discharge letter of the hospital's that names the stay. */
function letter(who: string, stay: string): Uint8Array {
  const fixture = readFileSync(join(import.meta.dirname, '../../../../formats/fixtures/cda/pt-rui-ficticio-discharge.xml'), 'utf8');
  const ids = [
    [/<patientRole[^>]*>\s*<id [^>]*>/, `<patientRole><id root="1.3.6.1.4.1.28284.6.2.2.1" extension="${who}"/>`],
    [/<encompassingEncounter[^>]*>\s*<id [^>]*>/, `<encompassingEncounter><id root="2.999.1.60" extension="${stay}"/>`],
    [/<birthTime [^>]*>/, ''],
  ] as const;
  return Buffer.from(ids.reduce((text, [was, is]) => text.replace(was, is), fixture));
}

const accept = async (bytes: Uint8Array, source?: string) =>
  (await edge.ingest.accept({ bytes, via: source === undefined ? 'mllp' : 'http', source })).answer;
async function stored(bytes: Uint8Array, source?: string): Promise<void> {
  expect(await accept(bytes, source)).toMatchObject({ state: 'stored' });
}
const personOf = async (value: string): Promise<string> =>
  (await edge.uow.run((tx) => tx.persons.byIdentifier({ system: PIN, value })))[0]!.id;
const recordOf = async (value: string): Promise<readonly ResourceVersion[]> => {
  const person = await edge.uow.run((tx) => tx.persons.byIdentifier({ system: PIN, value }));
  return person[0] === undefined ? [] : edge.uow.run((tx) => tx.resources.ofPerson(person[0]!.id, 'all', 500));
};
/** The results of a record. */
const valuesOf = async (value: string): Promise<readonly unknown[]> =>
  (await recordOf(value))
    .filter(({ type }) => type === 'Observation')
    .map(({ text }) => (JSON.parse(text) as { valueQuantity?: { value: number } }).valueQuantity?.value)
    .toSorted();
const call = async (path: string, body?: unknown, as = headers): Promise<{ status: number; json: Record<string, unknown> }> => {
  const init = body === undefined ? { headers: as } : { method: 'POST', headers: as, body: JSON.stringify(body) };
  const response = await fetch(`${edge.http}/operator/stays${path}`, init);
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
};
interface Asked {
  readonly id: string;
  readonly encounter: string;
  readonly [element: string]: unknown;
}
/** What the operator is asked of a person's record. */
const askedOf = async (who: string): Promise<readonly Asked[]> => {
  const encounters = new Set((await recordOf(who)).filter(({ type }) => type === 'Encounter').map(({ id }) => id));
  const { stays } = (await call('')).json as { stays: readonly Asked[] };
  return stays.filter(({ encounter }) => encounters.has(encounter));
};
const reason = 'The laboratory confirmed it by telephone';
const answer = (id: string | undefined, what: 'move' | 'keep', as = headers) => call(`/${id ?? ''}/${what}`, { reason }, as);
const feedOf = async (who: string, act: string): Promise<readonly unknown[]> => {
  const person = await personOf(who);
  const feed = await edge.uow.run((tx) => tx.feed.after(person as never, '0', 100));
  return feed.map(({ body }) => body).filter((body) => (body as { act: string }).act === act);
};

/** A stay under the wrong person, with results of the hospital's (71) and a laboratory's (91). */
const wrongly = async (): Promise<{ wrong: string; right: string; stay: string; filler: string }> => {
  const [wrong, right, stay, filler] = [pin(), pin(), number('V'), number('F')];
  await stored(admitted(wrong, stay));
  await stored(results(wrong, stay, filler, '71', 'hospital'));
  await stored(results(wrong, stay, filler, '91'));
  await stored(message('ADT^A31^ADT_A05', right, [], 'hospital'));
  return { wrong, right, stay, filler };
};

describe("another organisation's results, where the stay is moved by one that does not assign its number", () => {
  it('stay, and an operator is asked: who sent what, who moved it, what to do; nobody’s name, number or result', async () => {
    const { wrong, right, stay } = await wrongly();
    const move = moved({ from: wrong, stay, to: right });
    const { messageId } = await accept(move);
    expect([await valuesOf(wrong), await valuesOf(right)]).toEqual([[91], [71]]);
    const [asked, ...more] = await askedOf(wrong);
    expect(more).toEqual([]);
    const controlId = Buffer.from(move).toString().split('|')[9];
    expect(asked).toMatchObject({ custodian: 'urn:portolan:demo:organisation|laboratory', why: 'of-another', messageId, controlId });
    expect(asked).toMatchObject({ source: SENDERS.hospital, next: expect.stringContaining('control id') });
    for (const secret of [wrong, right, stay, await personOf(wrong), await personOf(right), '91']) {
      expect(JSON.stringify({ ...asked, id: '', encounter: '', messageId: '', at: '', controlId: '' })).not.toContain(secret);
    }
    await accept(move);
    expect(await askedOf(wrong)).toEqual([asked]);
  });

  it('go where it went once the operator says so, meet what their source sends later, and both persons and the exchange hear it', async () => {
    const { wrong, right, stay, filler } = await wrongly();
    await stored(moved({ from: wrong, stay, to: right }));
    const [asked] = await askedOf(wrong);
    const [before, goes] = [await feedOf(right, 'stay-moved'), (await recordOf(wrong)).filter(({ text }) => text.includes('"value":91'))];
    await heardByExchange(edge);
    expect(await answer(asked?.id, 'move')).toMatchObject({ status: 200, json: { state: 'moved' } });
    expect([await valuesOf(wrong), await valuesOf(right)]).toEqual([[], [71, 91]]);
    expect(await askedOf(wrong)).toEqual([]);
    const told = await feedOf(right, 'stay-moved');
    expect(told).toHaveLength(before.length + 1);
    expect(told.at(-1)).toMatchObject({ reason, who: { role: 'operator' } });
    expect(await feedOf(wrong, 'stay-moved')).toHaveLength(2);
    expect(await heardByExchange(edge)).toContainEqual(
      expect.objectContaining({ type: 'Observation', id: goes[0]?.id, change: 'cancelled' }),
    );
    await stored(results(right, stay, filler, '92'));
    expect(await valuesOf(right)).toEqual([71, 92]);
    expect(await accept(results(wrong, stay, filler, '99'))).toMatchObject({ problems: [{ code: 'ingest.stay-moved' }] });
    const theirs = (await recordOf(right)).find(({ text }) => text.includes('"value":92'));
    expect(await edge.uow.run((tx) => custodianOf(tx, theirs!, edge.parts))).toMatchObject({ value: 'laboratory' });
    const record = await recordOf(right);
    const own = new Set(record.map((one) => `${one.type}/${one.id}`));
    for (const { text } of record.filter(({ type }) => type !== 'Provenance'))
      for (const [, name = ''] of text.matchAll(/"reference":"((?!Organization|Practitioner|Location)[^"]+)"/g))
        expect(own).toContain(name);
    expect(record.filter(({ type, text }) => type === 'Provenance' && text.includes(theirs?.id ?? '-')).length).toBeGreaterThan(0);
  });

  it('stay for good where the operator says so, however often it is moved anew; the person is told why', async () => {
    const { wrong, right, stay, filler } = await wrongly();
    await stored(moved({ from: wrong, stay, to: right }));
    const [asked] = await askedOf(wrong);
    expect(await answer(asked?.id, 'keep')).toMatchObject({ status: 200, json: { state: 'kept' } });
    expect(await feedOf(wrong, 'stay-kept')).toEqual([
      expect.objectContaining({ reason, who: expect.objectContaining({ role: 'operator' }) }),
    ]);
    await stored(moved({ from: wrong, stay, to: right }));
    await stored(results(wrong, stay, filler, '92'));
    expect(await askedOf(wrong)).toEqual([]);
    expect([await valuesOf(wrong), await valuesOf(right)]).toEqual([[92], [71]]);
  });

  it('are answered once, by an operator, with a reason', async () => {
    const { wrong, right, stay } = await wrongly();
    await stored(moved({ from: wrong, stay, to: right }));
    const [asked] = await askedOf(wrong);
    const system = { ...headers, authorization: `Bearer ${await edge.token('system')}` };
    for (const what of ['move', 'keep'] as const) {
      expect((await answer(asked?.id, what, system)).status).toBe(403);
      expect(await answer(randomUUID(), what)).toMatchObject({ status: 404, json: { code: 'operator.stay-unknown' } });
      expect(await answer('1', what)).toMatchObject({ json: { code: 'operator.id-invalid' } });
      expect(await call(`/${asked?.id ?? ''}/${what}`, {})).toMatchObject({ json: { code: 'operator.reason-missing' } });
    }
    expect((await call('', undefined, system)).status).toBe(403);
    const answers = await Promise.all([answer(asked?.id, 'move'), answer(asked?.id, 'move'), answer(asked?.id, 'keep')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    expect(await answer(asked?.id, 'move')).toMatchObject({ status: 409, json: { code: 'operator.stay-answered' } });
  });

  it('go on to a third, under another number, where the stay was moved on before anybody answered', async () => {
    const { wrong, right, stay, filler } = await wrongly();
    const [third, as, at] = [pin(), number('V'), number('V')];
    await stored(moved({ from: wrong, stay, to: right, as }));
    await stored(moved({ from: right, stay: as, to: third, as: at }));
    expect(await answer((await askedOf(wrong))[0]?.id, 'move')).toMatchObject({ status: 200 });
    expect([await valuesOf(wrong), await valuesOf(right), await valuesOf(third)]).toEqual([[], [], [71, 91]]);
    await stored(results(third, at, filler, '92'));
    expect(await valuesOf(third)).toEqual([71, 92]);
  });

  it('are asked of no more where it comes back, where their own source moves them, or where the person is erased', async () => {
    const [back, own, gone] = [await wrongly(), await wrongly(), await wrongly()];
    for (const { wrong, right, stay } of [back, own, gone]) {
      await stored(moved({ from: wrong, stay, to: right }));
      expect(await askedOf(wrong)).toHaveLength(1);
    }
    await stored(moved({ from: back.right, stay: back.stay, to: back.wrong }));
    expect(await askedOf(back.wrong)).toEqual([]);
    expect(await valuesOf(back.wrong)).toEqual([71, 91]);
    await stored(moved({ from: own.wrong, stay: own.stay, to: own.right, sender: 'laboratory' }));
    expect(await valuesOf(own.right)).toEqual([71, 91]);
    const [left] = await askedOf(gone.wrong);
    const person = await personOf(gone.wrong);
    await edge.uow.run((tx) => tx.persons.erase(person as never));
    expect(((await call('')).json['stays'] as Asked[]).map(({ id }) => id)).not.toContain(left?.id);
  });

  it('that come only after the move are filed as they are sent, and asked of', async () => {
    const [wrong, right, stay, filler] = [pin(), pin(), number('V'), number('F')];
    await stored(admitted(wrong, stay));
    const { messageId } = await accept(moved({ from: wrong, stay, to: right }));
    expect(await askedOf(wrong)).toEqual([]);
    await stored(results(wrong, stay, filler, '91'));
    await stored(results(wrong, stay, number('F'), '93'));
    const asked = await askedOf(wrong);
    expect(asked).toEqual([expect.objectContaining({ why: 'of-another', messageId })]);
    expect(await answer(asked[0]?.id, 'move')).toMatchObject({ status: 200 });
    expect([await valuesOf(wrong), await valuesOf(right)]).toEqual([[], [91, 93]]);
    await stored(results(right, number('V'), number('F'), '94'));
    expect(await askedOf(right)).toEqual([]);
  });
});

describe('what does not go along although it would', () => {
  it('as it cannot be told from another stay, is left alone, and the rest moves; it is not moved by an answer either', async () => {
    const [wrong, right, stay, filler] = [pin(), pin(), number('V'), number('F')];
    const move = { from: wrong, stay, to: right, sender: 'assigner', assigner: ASSIGNED } as const;
    await stored(message('ADT^A01^ADT_A01', wrong, [visit(stay, ASSIGNED), 'DG1|1||J18.9^Kopsupõletik^I10|||A'], 'assigner'));
    await stored(results(wrong, stay, filler, '71', 'assigner', ASSIGNED));
    // The hospital's diagnosis is of two stays; what the laboratory sent of the one is of that alone.
    for (const one of [stay, number('V')]) await stored(admitted(wrong, one, ASSIGNED));
    await stored(results(wrong, stay, filler, '91', 'laboratory', ASSIGNED));
    await stored(moved(move));
    expect([await valuesOf(wrong), await valuesOf(right)]).toEqual([[], [71, 91]]);
    const [asked, ...more] = await askedOf(wrong);
    expect(more).toEqual([]);
    expect(asked).toMatchObject({ why: 'entangled', custodian: 'urn:portolan:demo:organisation|hospital' });
    expect(await answer(asked?.id, 'move')).toMatchObject({ status: 409, json: { code: 'ingest.move-entangled' } });
    expect(await askedOf(wrong)).toEqual([asked]);
  });

  it('as it came in a document, which names its patient itself, is left whole until its sender takes it back', async () => {
    const { wrong, right, stay } = await wrongly();
    await stored(letter(wrong, stay), DOCUMENTS);
    const before = (await recordOf(wrong)).filter(({ type }) => type === 'MedicationStatement');
    expect(before).toHaveLength(1);
    await stored(moved({ from: wrong, stay, to: right }));
    const documents = async (): Promise<readonly Asked[]> => (await askedOf(wrong)).filter(({ why }) => why === 'document');
    const [asked] = await documents();
    expect(asked).toMatchObject({ custodian: 'urn:portolan:demo:organisation|hospital' });
    expect(await answer(asked?.id, 'move')).toMatchObject({ status: 409, json: { code: 'operator.stay-of-document' } });
    expect((await recordOf(wrong)).filter(({ type }) => type === 'MedicationStatement')).toEqual(before);
    expect(await valuesOf(right)).toContain(71);
    const encounter = (await recordOf(wrong)).find(({ id }) => id === asked?.encounter);
    await edge.uow.run((tx) => tx.resources.put({ ...encounter!, deleted: true }, []));
    expect(((await call('')).json['stays'] as Asked[]).map(({ id }) => id)).not.toContain(asked?.id);
  });
});
