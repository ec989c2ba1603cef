import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { PortolanError } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { toFhirJson, type FhirResource } from '../engine/index.js';
import { codedValues, textsOf, unaccounted } from '../testing/documents.js';
import { inventedValues, openReferences, sharedIds } from '../testing/oracles.js';
import { translate, type Translation } from '../translate.js';
import { ldtCodeMaps } from './code-maps/index.js';
import { ldt } from './index.js';

const file = join(import.meta.dirname, '../../fixtures/ldt/de-erika-beispiel-lab.ldt');
const de = join(import.meta.dirname, '../../../countries/de');
const names = readdirSync(de, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
const country = Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(join(de, name), 'utf8')) as unknown]));
const pack = countryPack(country);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const source = readFileSync(file);

/** The fixture's lines without their lengths, changed, as bytes again: a change of content never breaks the lengths. */
function changed(change: (lines: string[]) => string[], charset: BufferEncoding = 'latin1'): Uint8Array {
  const lines = change(
    source
      .toString('latin1')
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(3)),
  );
  return Buffer.concat(
    lines

      .map((line) => Buffer.from(line, charset))
      .map((b) => Buffer.concat([Buffer.from(String(b.length + 5).padStart(3, '0')), b, Buffer.from('\r\n')])),
  );
}
const replaced =
  (from: string, to: string) =>
  (lines: string[]): string[] =>
    lines.map((line) => (line === from ? to : line));
const translateBytes = (bytes: Uint8Array): Translation =>
  translate({ bytes, format: 'auto', country: pack, sha256, received: '2026-11-21T10:00:00.000Z' });
const only = (translation: Translation, type: string): FhirResource[] => translation.resources.filter((r) => r.resourceType === type);

describe('a German laboratory report', () => {
  const answer = translateBytes(source);

  it('is recognised, and names report, version and laboratory', () => {
    expect(answer.format).toBe('ldt');
    expect(answer.message).toEqual({
      id: 'BEFUND-0042',
      type: 'LDT3.2.14',
      processing: 'P',
      sender: { organisation: '200000002', name: 'Labor Beispiel' },
      supported: true,
    });
    expect(answer.account.rejects).toEqual([]);
  });

  it('finds the person by the number of her insurance', () => {
    expect(answer.persons).toEqual([
      {
        resource: 0,
        identifiers: [{ system: 'http://fhir.de/sid/gkv/kvid-10', value: 'X000000001' }],
        family: 'Beispiel',
        given: ['Erika'],
        birthDate: '1964-08-12',
        gender: 'female',
      },
    ]);
  });

  it('makes a report with its results, specimen, times in the zone of the country, and text', () => {
    const [report] = only(answer, 'DiagnosticReport');
    expect(report).toMatchObject({
      status: 'final',
      category: [{ coding: [{ code: 'LAB' }] }],
      effectiveDateTime: '2026-11-12T07:45:00+01:00',
      issued: '2026-11-12T14:25:00+01:00',
      conclusion: 'Nierenfunktion eingeschränkt.\nBitte Verlaufskontrolle.',
    });
    expect(report!['result']).toHaveLength(5);
    expect(only(answer, 'Specimen')).toMatchObject([
      { type: { text: 'Serum' }, collection: { collectedDateTime: '2026-11-12T07:45:00+01:00' } },
    ]);
  });

  it('makes numeric results digit by digit, with unit, range and flag', () => {
    const glucose = toFhirJson(only(answer, 'Observation')[0]!);
    expect(glucose).toContain('"valueQuantity":{"value":7.80,"unit":"mmol/l","system":"http://unitsofmeasure.org","code":"mmol/L"}');
    expect(glucose).toContain('"low":{"value":3.90,');
    expect(glucose).toContain('"high":{"value":5.60,');
    expect(glucose).toContain('"coding":[{"system":"http://loinc.org","code":"14749-6"');
    expect(only(answer, 'Observation').map((o) => (o['interpretation'] as ReturnType<typeof JSON.parse>)[0].coding[0].code)).toEqual([
      'H',
      'HH',
      'N',
      'N',
      'N',
    ]);
  });

  it('takes LOINC from the laboratory where it names it, and keeps its own code', () => {
    expect(only(answer, 'Observation')[1]).toMatchObject({
      code: {
        coding: [
          { system: 'http://loinc.org', code: '14682-9' },
          { system: 'urn:portolan:demo:de:lab', code: 'KREA' },
        ],
        text: 'Kreatinin',
      },
      note: [{ text: 'Kontrolle in 4 Wochen empfohlen.\nKeine Gelegenheitsmedikation beachten.' }],
    });
  });

  it('makes a result below a limit and one in words; a corrected one says so', () => {
    const [, , , troponin, antigen] = only(answer, 'Observation');
    expect(toFhirJson(troponin!['valueQuantity']!)).toBe('{"value":5.0,"comparator":"<","unit":"ng/l"}');
    expect(troponin).toMatchObject({ referenceRange: [{ text: 'unter 14' }] });
    expect(antigen).toMatchObject({ status: 'corrected', valueString: 'negativ' });
    expect(answer.account.warnings).toContainEqual(expect.objectContaining({ code: 'translate.code-unmapped', rule: 'result.unit' }));
  });

  it('accounts for every value; references lead somewhere, ids are of one resource each and the same every time', () => {
    expect(unaccounted(ldt, source, answer)).toEqual([]);
    expect(openReferences(answer.resources)).toEqual([]);
    expect(sharedIds(answer.resources)).toEqual([]);
    expect(translateBytes(source).resources.map((r) => r.id)).toEqual(answer.resources.map((r) => r.id));
  });

  it('has nothing in the output that is not of the source, a code map or a rule', () => {
    // Date and time of day are two fields of one timestamp.
    const joined = source.toString('latin1').replace(/7278(\d{8})\r\n\d{3}7279(\d{6})/g, '$1$2');
    expect(inventedValues(joined, answer, textsOf({ maps: ldtCodeMaps, country }))).toEqual([]);
  });

  it('has nine of ten of its coded and dated values in typed elements', () => {
    // Codes, identifiers and times by their fields; the envelope's own time and the report's second one are carried.
    const where = /\/(3103|3110|3119|7260|7266|7278|7279|7303|7304|7306|7364|7365|84\d\d)(\[\d+\])?(\/#text)?$/;
    const { values, typed } = codedValues(answer, where);
    expect(values).toBeGreaterThan(80);
    expect(typed / values).toBeGreaterThanOrEqual(0.92);
  });

  it('loses no child of a field to an unknown field between them', () => {
    const odd = changed((lines) =>
      lines.flatMap((line) => {
        const unknown = /^(8410GLU|8420|8461|7306)/.test(line) ? ['9871neu', '9872auch neu'] : [];
        return line === '8411Glukose' ? [line, '9873Neues', '8002Obj_0099', '9874darin', '8003Obj_0099'] : [line, ...unknown];
      }),
    );
    const other = translateBytes(odd);
    expect(toFhirJson([...other.resources])).toBe(toFhirJson([...answer.resources]));
    const added = other.account.carried.filter(({ path }) => /98\d\d/.test(path));
    expect(added.filter(({ path }) => path.includes('/9873/Obj_0099/9874'))).toEqual([expect.objectContaining({ value: 'darin' })]);
    expect(added.length).toBeGreaterThan(10);
  });

  it('says which specimen a result is of, whether the person had fasted, and what kind of limit was kept', () => {
    expect(only(answer, 'Specimen')).toMatchObject([{ collection: { fastingStatusCodeableConcept: { text: 'nüchtern' } } }]);
    expect(only(answer, 'Observation')[0]).toMatchObject({
      specimen: { reference: expect.stringContaining('Specimen/') as string, identifier: { value: 'GEFAESS-01' } },
      referenceRange: [{ type: { coding: [{ system: 'urn:portolan:ldt:8424', code: '10' }] } }],
    });
  });

  it('is read in UTF-8 as well', () => {
    const utf8 = translateBytes(changed((lines) => lines, 'utf8'));
    expect(utf8.resources.map(toFhirJson)).toEqual(answer.resources.map(toFhirJson));
  });

  it.each([
    ['a byte order mark before', '\ufeff', ''],
    ['an empty line behind', '', '\r\n'],
    ['the sign for the end of a file behind', '', '\x1a'],
    ['empty lines and that sign behind', '', '\n\r\n\x1a\r\n'],
  ])('is the same with %s', (_, before, behind) => {
    const bytes = Buffer.concat([Buffer.from(before), changed((lines) => lines, 'utf8'), Buffer.from(behind)]);
    expect(translateBytes(bytes).resources.map(toFhirJson)).toEqual(answer.resources.map(toFhirJson));
  });

  it('carries a number that is none, and warns', () => {
    const odd = translateBytes(changed(replaced('84207.80', '84201x10^6')));
    expect(only(odd, 'Observation')[0]).not.toHaveProperty('valueQuantity.value');
    expect(odd.account.carried.map((c) => c.value)).toContain('1x10^6');
    expect(odd.account.warnings).toContainEqual(expect.objectContaining({ code: 'translate.value-invalid' }));
  });
});

describe('a file that cannot be used', () => {
  const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length - 40);
  it.each([
    ['truncated', cut(source), 'ingest.malformed'],
    ['with a wrong length', Buffer.from(source.toString('latin1').replace('84207.80', '84207.8'), 'latin1'), 'ingest.malformed'],
    ['with an object that ends as another', changed(replaced('8003Obj_0045', '8003Obj_0047')), 'ingest.malformed'],
    ['with a set in a set', changed((lines) => lines.flatMap((line) => (line === '80008205' ? [line, line] : [line]))), 'ingest.malformed'],
    ['with a field outside a set', changed((lines) => [...lines, '3101Beispiel']), 'ingest.malformed'],
    ['without a laboratory', changed((lines) => lines.filter((line) => !/^020[013]/.test(line))), 'ingest.header-incomplete'],
  ])('is refused: %s', (_name, bytes, code) => {
    expect(() => translateBytes(bytes)).toThrow(code);
  });

  it('of an older version is told as a reject of the document', () => {
    expect(translateBytes(changed(replaced('0001LDT3.2.14', '0001LDT1014.01'))).account.rejects).toMatchObject([
      { code: 'ingest.type-unsupported' },
    ]);
  });

  it('fails with a code of the registry, whatever the bytes', () => {
    const damaged = fc.tuple(fc.nat(source.length - 1), fc.uint8Array({ minLength: 1, maxLength: 3 })).map(([at, bytes]) => {
      const copy = Uint8Array.from(source);
      copy.set(bytes.subarray(0, copy.length - at), at);
      return copy;
    });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        try {
          ldt.detect(bytes);
          ldt.read(bytes, { maxBytes: 1_000_000 });
        } catch (error) {
          expect(error).toBeInstanceOf(PortolanError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
