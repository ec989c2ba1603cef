import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countryPack, fromFhirJson, type CountryPack } from '@portolan/formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filingsOf, sourcePlace } from './filing.js';
import { ackVerdict, earlierAnswer } from './ingest-answer.js';
import { messageProvenance } from './message-provenance.js';
import { readHead, readMessage, type Reading } from './reading.js';

const libs = join(import.meta.dirname, '../../..');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const fixture = (name: string): Buffer => readFileSync(join(libs, 'formats/fixtures', name));
const received = '2026-11-21T10:00:00.000Z';

function pack(country: string): CountryPack {
  const folder = join(libs, 'countries', country);
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  return countryPack(Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown])));
}

const ee = pack('ee');
const read = (bytes: Uint8Array, country = ee): Reading => readMessage({ bytes, country, sha256, received });
const adt = (changes: readonly (readonly [string, string])[] = []): Buffer =>
  Buffer.from(changes.reduce((text, [from, to]) => text.replace(from, to), fixture('hl7v2/ee-adt-a01.hl7').toString('utf8')));

describe('a message is read', () => {
  it('says who sent it and under which id, also where it is a document', () => {
    expect(read(adt())).toMatchObject({ kind: 'usable', format: 'hl7v2', controlId: 'EE-ADT-0001', sender: 'NAIDIS-HIS|EE-NAIDISHAIGLA' });
    expect(read(fixture('cda/ee-mari-naidis-summary.xml'))).toMatchObject({
      kind: 'usable',
      format: 'cda',
      controlId: '2.999.1.1^EE-PS-0001',
      sender: undefined,
    });
  });

  it('is a test where MSH-11 says T or D', () => {
    for (const letter of ['T', 'D']) expect(read(adt([['|P|2.5.1|', `|${letter}|2.5.1|`]])).kind).toBe('test');
  });

  it('names its place where it cannot be used', () => {
    const damaged = read(fixture('hl7v2/pt-adt-a08-damaged.hl7'), pack('pt'));
    expect(damaged).toMatchObject({
      kind: 'unusable',
      problems: [{ code: 'translate.value-invalid', path: 'PID-7', severity: 'document' }, {}],
    });
    expect(read(new Uint8Array())).toMatchObject({ kind: 'unusable', format: 'unknown', problems: [{ code: 'ingest.format-unknown' }] });
  });

  it('gives the header of a message whose text is not what it declares, or that is too large', () => {
    const wrong = Buffer.concat([adt(), Buffer.from([0xff])]);
    expect(read(wrong)).toMatchObject({
      kind: 'unusable',
      controlId: 'EE-ADT-0001',
      problems: [{ code: 'ingest.encoding-invalid', path: 'MSH-18' }],
    });
    const large = readMessage({ bytes: adt(), country: ee, sha256, received, maxBytes: 100 });
    expect(large).toMatchObject({ kind: 'unusable', controlId: 'EE-ADT-0001', problems: [{ code: 'ingest.too-large' }] });
    expect(readHead(wrong)).toMatchObject({ format: 'hl7v2', controlId: 'EE-ADT-0001' });
  });

  it('takes no control characters and no more than 200 signs of a name', () => {
    const reading = read(adt([['NAIDIS-HIS', `A\u0007${'x'.repeat(300)}`]]));
    expect(reading.sender).toHaveLength(200);
    expect(reading.sender).not.toContain('\u0007');
  });

  it('whatever the bytes are', () => {
    const noise = fc.tuple(
      fc.constantFrom('MSH', 'MSH|', 'MSH|^~\\&|', '<ClinicalDocument', '<kmehrmessage', '01380008205\r\n', ''),
      fc.uint8Array({ maxLength: 200 }),
    );
    const bytes = noise.map(([head, rest]) => Buffer.concat([Buffer.from(head), rest]));
    const cut = fc
      .tuple(fc.nat(adt().length), fc.nat(255))
      .map(([at, byte]) => Buffer.concat([adt().subarray(0, at), Buffer.from([byte]), adt().subarray(at + 1)]));
    fc.assert(
      fc.property(fc.oneof(bytes, cut), (one) => ['usable', 'test', 'unusable'].includes(read(one).kind)),
      { numRuns: 150 },
    );
  });
});

describe('what is filed', () => {
  const reading = read(fixture('hl7v2/ee-oru-r01-chemistry.hl7'));
  if (reading.kind !== 'usable') throw new Error('the fixture is not usable');
  const filings = filingsOf(reading.translation, sha256, {});

  it('stands in one order, with its categories, rows and exact text', () => {
    const names = filings.map(({ type, id }) => `${type}/${id}`);
    expect(names).toEqual(names.toSorted());
    const glucose = filings.find(({ text }) => text.includes('"GLUK"'));
    expect(glucose).toMatchObject({ type: 'Observation', categories: ['laboratory'], personal: true, mention: false });
    expect(glucose!.text).toContain('7.80');
    expect(glucose!.search).toContainEqual(expect.objectContaining({ kind: 'token', param: 'code', code: 'GLUK' }));
    expect(glucose!.sha256).toBe(sha256(Buffer.from(glucose!.text)));
  });

  it('belongs to the person, but for who acted and where', () => {
    expect(new Set(filings.filter(({ personal }) => !personal).map(({ type }) => type))).toEqual(new Set(['Practitioner', 'Location']));
    expect(filings.filter(({ mention }) => mention).map(({ type }) => type)).toEqual(['Encounter', 'Patient']);
  });

  it('knows where the message says something', () => {
    const { resource } = reading.translation.persons[0]!;
    expect(sourcePlace(reading.translation, resource, 'birthDate')).toBe('PID-7');
    expect(sourcePlace(reading.translation, resource, 'deceased')).toBe('Patient.deceased');
  });

  it('has a Provenance with the organisation, the node and the message', () => {
    const text = messageProvenance({
      messageId: 'm',
      recorded: received,
      targets: ['Patient/p/_history/1'],
      organisation: { system: 'urn:o', value: '1', name: 'Haigla' },
      country: 'EE',
      mapVersion: 'a'.repeat(64),
    });
    expect(fromFhirJson(text)).toMatchObject({
      resourceType: 'Provenance',
      target: [{ reference: 'Patient/p/_history/1' }],
      agent: [{ who: { identifier: { system: 'urn:o', value: '1' } } }, { who: { identifier: { value: 'EE' } } }],
      entity: [{ role: 'source', what: { identifier: { value: 'm' } } }],
    });
  });
});

describe('the answer', () => {
  it('is an acceptance with warnings, an error, or a rejection', () => {
    expect(ackVerdict({ problems: [] })).toEqual({ outcome: 'accept', errors: [] });
    expect(ackVerdict({ problems: [{ code: 'translate.value-missing', path: 'OBX-3', severity: 'entry' }] })).toMatchObject({
      outcome: 'accept',
      errors: [{ severity: 'W' }],
    });
    expect(ackVerdict({ problems: [{ code: 'ingest.person-conflict', path: 'PID-7', severity: 'document' }] }).outcome).toBe('error');
    expect(ackVerdict({ problems: [{ code: 'ingest.type-unsupported', path: 'MSH-9', severity: 'document' }] }).outcome).toBe('reject');
  });

  it('to a message that came before is the same, and refuses where its account was erased', () => {
    const answer = { messageId: 'm', state: 'stored', problems: [] } as const;
    expect(earlierAnswer('m', 'rejected', { v: 1, answer })).toEqual(answer);
    expect(earlierAnswer('m', 'stored', undefined)).toEqual(answer);
    expect(earlierAnswer('m', 'rejected', undefined).problems).toMatchObject([{ code: 'store.key-destroyed', severity: 'document' }]);
  });
});
