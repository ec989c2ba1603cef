import type { EdgeTx, ResourceVersion } from '@portolan/domain';
import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { custodianOf } from '../person/proposed-entry.js';
import { testEdge, type TestEdge } from '../testing/test-edge.js';

const PIN = 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1';
const LOINC = 'http://loinc.org';
let edge: TestEdge;
let copy: TestEdge;
let headers: Record<string, string>;
/** The system of the laboratory's codes, as the country's folder names it. */
let lab: string;
beforeAll(async () => {
  const sources = ['NAIDIS-LIS|EE-NAIDISLABOR'];
  edge = await testEdge('EE', { sources });
  copy = await testEdge('EE', { sources, copyOf: edge });
  headers = { authorization: `Bearer ${await edge.token('operator')}`, 'content-type': 'application/json' };
  lab = edge.parts.pack.codingSystems.get('99EELAB') ?? '';
});
afterAll(async () => {
  await copy.close();
  await edge.close();
});

interface Result {
  readonly code: string;
  readonly pin?: string;
  readonly specimen?: string;
}

/** One result of a laboratory. */
function report({ code, pin = `4${randomInt(1e9, 1e10)}`, specimen = randomUUID().slice(0, 12) }: Result): Uint8Array {
  const segments = [
    `MSH|^~\\&|NAIDIS-LIS|EE-NAIDISLABOR^urn:portolan:demo:ee:naidislabor^URI|PORTOLAN|EE|20261103080000+0200||ORU^R01^ORU_R01|${randomUUID().slice(0, 18)}|P|2.5.1||||||UNICODE UTF-8`,
    `PID|1||${pin}^^^EE-PIN^NI||Proov^Mall||19800101|F`,
    `OBR|1||${specimen}|24323-8^Panel^LN|||20261103073000+0200|||||||||||||||20261103075500+0200|||F`,
    `OBX|1|NM|${code}^Proov^99EELAB||5.4|mmol/l^mmol/l^99EELAB|||||F|||20261103073000+0200`,
  ];
  return Buffer.from(`${segments.join('\r')}\r`);
}

async function stored(bytes: Uint8Array, at = edge): Promise<string> {
  const { answer } = await at.ingest.accept({ bytes, via: 'mllp', source: undefined });
  expect(answer).toMatchObject({ state: 'stored' });
  return answer.messageId;
}
const call = async (path: string, body?: unknown, as = headers): Promise<{ status: number; json: Record<string, unknown> }> => {
  const init = body === undefined ? { headers: as } : { method: 'POST', headers: as, body: JSON.stringify(body) };
  const response = await fetch(`${edge.http}/operator/mappings${path}`, init);
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
};
type Question = { code: string; seen: number; system: string; map: string; rule: string };
const asked = async (code: string): Promise<Question | undefined> =>
  ((await call('')).json['questions'] as Question[]).find((one) => one.code === code);
const answer = (code: string, target: object): Promise<{ status: number; json: Record<string, unknown> }> =>
  call('/answer', { map: 'observation-codes', system: lab, code, target });
async function translateAgain(): Promise<number> {
  for (let translated = 0; ;) {
    const { json } = await call('/translate-again', {});
    translated += Number(json['translated']);
    if (json['left'] === false) return translated;
  }
}
/** The person's one result, as it stands. */
async function resultOf(tx: EdgeTx, pin: string): Promise<ResourceVersion | undefined> {
  const [person] = await tx.persons.byIdentifier({ system: PIN, value: pin });
  const all = person === undefined ? [] : await tx.resources.ofPerson(person.id, 'all', 100);
  return all.find(({ type }) => type === 'Observation');
}
const custodianOfResult = async (pin: string): Promise<unknown> =>
  edge.uow.run(async (tx) => {
    const result = await resultOf(tx, pin);
    return result && custodianOf(tx, result, edge.parts);
  });
async function codesOf(pin: string): Promise<{ codes: readonly string[]; version: number }> {
  const found = await edge.uow.run((tx) => resultOf(tx, pin));
  const { code } = JSON.parse(found?.text ?? '{}') as { code: { coding: { code: string }[] } };
  return { codes: code.coding.map((one) => one.code), version: found?.versionId ?? 0 };
}
const pinOf = (): string => `4${randomInt(1e9, 1e10)}`;
const codeOf = (): string => `T${randomUUID().slice(0, 8)}`;

describe('a code that no map knows', () => {
  it('is asked about once, and counted; nothing of whose record it is', async () => {
    const [code, pin] = [codeOf(), pinOf()];
    await stored(report({ code, pin }));
    const bytes = report({ code });
    await stored(bytes);
    await stored(bytes);
    expect(await asked(code)).toMatchObject({ map: 'observation-codes', system: lab, code, rule: 'OBX-3', seen: 2 });
    expect(JSON.stringify((await call('')).json)).not.toContain(pin);
  });

  it('once answered is mapped in what comes, and in what came: a new version, and the answer is audited', async () => {
    const [code, pin, later] = [codeOf(), pinOf(), pinOf()];
    await stored(report({ code, pin }));
    expect(await codesOf(pin)).toEqual({ codes: [code], version: 1 });
    expect(await answer(code, { system: LOINC, code: '2345-7', equivalence: 'equivalent' })).toMatchObject({ status: 200 });
    expect(await asked(code)).toBeUndefined();
    await stored(report({ code, pin: later }));
    expect((await codesOf(later)).codes).toEqual(['2345-7', code]);
    expect(await translateAgain()).toBe(1);
    expect(await codesOf(pin)).toEqual({ codes: ['2345-7', code], version: 2 });
    // It is the laboratory's own entry still.
    expect(await custodianOfResult(pin)).toBe(edge.parts.sources[0]?.organisation);
    expect(await translateAgain()).toBe(0);
    expect(await codesOf(pin)).toMatchObject({ version: 2 });
    const audited = await edge.uow.run((tx) => tx.audit.list({ type: 'mapping-answered' }, 50));
    expect(audited.length).toBeGreaterThan(0);
  });

  it('may be answered anew, and by there being no counterpart', async () => {
    const [code, pin] = [codeOf(), pinOf()];
    await stored(report({ code, pin }));
    await answer(code, { equivalence: 'unmatched' });
    await translateAgain();
    expect((await codesOf(pin)).codes).toEqual([code]);
    await answer(code, { system: LOINC, code: '718-7', equivalence: 'narrower', comment: 'of blood alone' });
    const other = pinOf();
    await stored(report({ code, pin: other }));
    expect((await codesOf(other)).codes).toEqual([code, '718-7']);
  });

  it('what is newer stands when an older message is translated again', async () => {
    const [code, pin, specimen] = [codeOf(), pinOf(), randomUUID().slice(0, 12)];
    await stored(report({ code, pin, specimen }));
    const newer = Buffer.from(report({ code, pin, specimen }))
      .toString()
      .replace('20261103075500', '20261103085500')
      .replace('||5.4|', '||6.1|');
    await stored(Buffer.from(newer));
    await answer(code, { system: LOINC, code: '2345-7', equivalence: 'equal' });
    expect(await translateAgain()).toBe(2);
    const value = await edge.uow.run(async (tx) => {
      const [person] = await tx.persons.byIdentifier({ system: PIN, value: pin });
      return (await tx.resources.ofPerson(person!.id, 'all', 100)).filter(({ type }) => type === 'Observation').map(({ text }) => text);
    });
    expect(value).toEqual([expect.stringMatching(/2345-7.*6\.1/)]);
  });

  it('of another copy of the role is in force after five seconds at most', async () => {
    const [code, pin] = [codeOf(), pinOf()];
    await stored(report({ code }), copy);
    await answer(code, { system: LOINC, code: '2345-7', equivalence: 'equal' });
    await new Promise((resolve) => setTimeout(resolve, 5_100));
    await stored(report({ code, pin }), copy);
    expect((await codesOf(pin)).codes).toEqual(['2345-7', code]);
  });
});

describe('an answer is refused', () => {
  const target = { system: LOINC, code: '2345-7', equivalence: 'equivalent' };
  it.each([
    ['an equivalence that is none', { target: { ...target, equivalence: 'roughly' } }],
    ['a code with a wrong check digit', { target: { ...target, code: '2345-8' } }],
    ['a code without system', { target: { code: '2345-7', equivalence: 'equal' } }],
    ['narrower without a comment', { target: { ...target, equivalence: 'narrower' } }],
    ['no target', { target: undefined }],
    ['a text too long', { target: { ...target, display: 'x'.repeat(501) } }],
    ['no map', { map: '', target }],
  ])('%s', async (_name, changed) => {
    const body = { map: 'observation-codes', system: lab, code: 'X', ...changed };
    expect(await call('/answer', body)).toMatchObject({ status: 400, json: { code: 'operator.mapping-invalid' } });
  });
  it('of what nobody asked', async () =>
    expect(await answer('NOBODY-ASKED', target)).toMatchObject({ status: 404, json: { code: 'operator.mapping-unknown' } }));
  it('from somebody who is no operator', async () => {
    const system = { ...headers, authorization: `Bearer ${await edge.token('system')}` };
    expect((await call('', undefined, system)).status).toBe(403);
    expect((await call('/answer', { map: 'm', code: 'c', target }, system)).status).toBe(403);
    expect((await call('/translate-again', {}, system)).status).toBe(403);
  });
});
