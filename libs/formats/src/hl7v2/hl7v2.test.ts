import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { countryPack, type CountryPack } from '../country-pack.js';
import { toFhirJson, type FhirResource } from '../engine/index.js';
import { inventedValues, lostValues, openReferences, sharedIds } from '../testing/oracles.js';
import { translate, type Translation } from '../translate.js';
import { hl7v2CodeMaps } from './code-maps/index.js';
import { unescapeText } from './escapes.js';
import { readHl7 } from './message.js';

const own = join(import.meta.dirname, '../../fixtures/hl7v2');
const shared = join(import.meta.dirname, '../../../../../shared/fixtures/hl7v2');
const countries = join(import.meta.dirname, '../../../countries');

function folder(cc: string): Record<string, unknown> {
  const files = readdirSync(join(countries, cc), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(countries, cc, file), 'utf8'))]));
}
const packs = new Map<string, CountryPack>(['ee', 'pt'].map((cc) => [cc, countryPack(folder(cc))]));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function translated(file: string, change: (text: string) => string = (text) => text): Translation {
  const bytes = readFileSync(join(own, file));
  const charset = file.startsWith('pt') ? 'latin1' : 'utf8';
  return translateBytes(Buffer.from(change(bytes.toString(charset)), charset), file.slice(0, 2));
}
function translateBytes(bytes: Uint8Array, cc = 'ee'): Translation {
  return translate({ bytes, format: 'auto', country: packs.get(cc)!, sha256, received: '2026-11-21T10:00:00.000Z' });
}
function only(translation: Translation, type: string): FhirResource[] {
  return translation.resources.filter((resource) => resource.resourceType === type);
}
function observation(translation: Translation, loinc: string): FhirResource {
  const found = only(translation, 'Observation').find((one) => toFhirJson(one['code']!).includes(`"${loinc}"`));
  expect(found, loinc).toBeDefined();
  return found!;
}

describe('ADT', () => {
  it('admits a person with an encounter, an allergy and two diagnoses', () => {
    const answer = translated('ee-adt-a01.hl7');
    expect(answer.message).toMatchObject({ id: 'EE-ADT-0001', type: 'ADT^A01', processing: 'P', supported: true });
    expect(answer.persons).toEqual([
      {
        resource: answer.resources.findIndex((one) => one.resourceType === 'Patient'),
        identifiers: [
          { system: 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1', value: '47101010033' },
          { system: 'urn:portolan:demo:ee:naidishaigla:patient', value: 'H-100001' },
        ],
        family: 'Näidis',
        given: ['Mari'],
        birthDate: '1971-01-01',
        gender: 'female',
      },
    ]);
    const [encounter] = only(answer, 'Encounter');
    expect(encounter).toMatchObject({ status: 'in-progress', class: { code: 'IMP' }, period: { start: '2026-11-02T08:00:00+02:00' } });
    const [allergy] = only(answer, 'AllergyIntolerance');
    expect(allergy!['code']).toEqual({
      coding: [
        { system: 'http://snomed.info/sct', code: '373270004', display: 'Penicillin' },
        { system: 'urn:portolan:demo:ee:allergens', code: 'PENI', display: 'Penitsilliin' },
      ],
    });
    expect(only(answer, 'Condition')).toHaveLength(2);
    expect(answer.account.rejects).toEqual([]);
  });

  it('gives an update the ids of what it updates, and ends the encounter', () => {
    const [before, after] = [translated('ee-adt-a01.hl7'), translated('ee-adt-a08.hl7')];
    for (const type of ['Patient', 'Encounter']) expect(only(after, type)[0]!.id).toBe(only(before, type)[0]!.id);
    expect(only(after, 'Encounter')[0]).toMatchObject({ status: 'finished', period: { end: '2026-11-05T08:30:00+02:00' } });
  });

  it('registers an outpatient whose telephone is mobile', () => {
    const answer = translated('ee-adt-a04.hl7');
    expect(only(answer, 'Patient')[0]!['telecom']).toEqual([{ value: '+372 5550 0002', system: 'phone', use: 'home' }]);
    expect(only(answer, 'Encounter')[0]).toMatchObject({ class: { code: 'AMB' } });
  });

  it('reads ISO 8859-1 where MSH-18 says so', () => {
    expect(translated('pt-adt-a01.hl7').persons[0]).toMatchObject({ given: ['Ana', 'Conceição'] });
  });

  it('refuses the document whose birth date is none, carries every value, and takes it once repaired', () => {
    const damaged = translated('pt-adt-a08-damaged.hl7');
    expect(damaged.account.rejects).toContainEqual({ code: 'translate.value-invalid', path: 'PID-7', rule: 'PID-7', severity: 'document' });
    expect(damaged.account.carried).toContainEqual({ path: 'PID-7', value: '19801350' });
    expect(damaged.persons).toEqual([]);
    expect(translated('pt-adt-a08-repaired.hl7').account.rejects).toEqual([]);
  });

  it('refuses the document without a patient identifier, and names the field', () => {
    const answer = translated('ee-adt-a01.hl7', (text) => text.replace(/47101010033.*?\^MR/, ''));
    expect(answer.account.rejects).toContainEqual({ code: 'translate.value-missing', path: 'PID-3', rule: 'PID-3', severity: 'document' });
  });

  it('keeps senders apart: the same person sent by another organisation is another resource', () => {
    const other = translated('ee-adt-a01.hl7', (text) =>
      text.replace('urn:portolan:demo:ee:naidishaigla^URI', 'urn:portolan:demo:ee:teine^URI'),
    );
    expect(only(other, 'Patient')[0]!.id).not.toBe(only(translated('ee-adt-a01.hl7'), 'Patient')[0]!.id);
  });

  it('says what mode the sender processes in', () => {
    for (const mode of ['T', 'D']) {
      expect(translated('ee-adt-a01.hl7', (text) => text.replace('|P|2.5.1', `|${mode}|2.5.1`)).message.processing).toBe(mode);
    }
  });

  it('carries an explicit null and makes nothing of it', () => {
    const answer = translated('ee-adt-a01.hl7', (text) => text.replace('|HL70296|M', '').replace('|19710101|F|', '|""|F|'));
    expect(only(answer, 'Patient')[0]).not.toHaveProperty('birthDate');
    expect(answer.account.carried).toContainEqual({ path: 'PID-7', value: '""' });
  });
});

describe('a code beside the table that HL7 binds its field to', () => {
  const patientOf = (language: string): FhirResource =>
    only(
      translated('ee-adt-a04.hl7', (text) => text.replace('est^Eesti keel^HL70296', language)),
      'Patient',
    )[0]!;

  it('keeps the system where the table has it, and stands without one where it has not', () => {
    const married = (code: string): unknown =>
      only(
        translated('ee-adt-a04.hl7', (text) => text.replace('HL70296|S', `HL70296|${code}`)),
        'Patient',
      )[0]!['maritalStatus'];
    expect(married('C')).toMatchObject({ coding: [{ code: 'C' }, { system: 'http://terminology.hl7.org/CodeSystem/v2-0002', code: 'C' }] });
    expect(married('ZZ')).toEqual({ coding: [{ code: 'ZZ' }] });
  });

  it('becomes a language of BCP 47 in either length and case', () => {
    for (const code of ['est', 'EST', 'et', 'ET'])
      expect(patientOf(`${code}^Eesti keel^HL70296`)['communication']).toEqual([
        {
          language: {
            coding: [
              { system: 'urn:ietf:bcp:47', code: 'et' },
              { system: 'http://terminology.hl7.org/CodeSystem/v2-0296', code, display: 'Eesti keel' },
            ],
          },
        },
      ]);
  });

  it('is a text where FHIR allows languages of BCP 47 alone and it is none', () => {
    expect(patientOf('EESTI^Eesti keel^HL70296')['communication']).toEqual([{ language: { text: 'Eesti keel' } }]);
    expect(patientOf('EESTI')['communication']).toEqual([{ language: { text: 'EESTI' } }]);
  });
});

describe('ORU', () => {
  it('keeps the digits, units, flags and ranges of numeric results', () => {
    const answer = translated('ee-oru-r01-chemistry.hl7');
    const json = toFhirJson(observation(answer, '14749-6'));
    expect(json).toContain('"valueQuantity":{"value":7.80,"unit":"mmol/l","system":"http://unitsofmeasure.org","code":"mmol/L"}');
    expect(json).toContain('"code":"H","display":"High"');
    expect(json).toContain('"low":{"value":4.1,');
    expect(toFhirJson(observation(answer, '1988-5'))).toContain('"comparator":"<","value":1.0');
    expect(toFhirJson(observation(answer, '14647-2'))).toContain('"referenceRange":[{"text":"<5.0"}]');
  });

  it('gives coded, structured and formatted values their own types', () => {
    const answer = translated('ee-oru-r01-immunology.hl7');
    expect(observation(answer, '883-9')['valueCodeableConcept']).toMatchObject({
      coding: [{ system: 'http://snomed.info/sct', code: '112144000' }, { code: 'VG-A' }],
    });
    expect(toFhirJson(observation(answer, '5048-4')['valueRatio']!)).toBe('{"numerator":{"value":1},"denominator":{"value":80}}');
    expect(observation(answer, '8251-1')['valueString']).toBe('Määratud kahel meetodil.\nTulemus & meetod kokku \\ arhiivis.');
    expect(observation(answer, '718-7')).toMatchObject({ status: 'preliminary', note: [{ text: 'Esialgne tulemus.' }] });
  });

  it('gives formatted text its lines, and keeps the layout that text has not beside', () => {
    // The example of HL7 v2.8 §2.7.6.
    const layout = ['\\.in+4\\\\.ti-4\\1. Normal silhouette.', '\\.sp\\\\.ti-4\\2. \\H\\Ground glass\\N\\.', 'See \\Z01\\.'];
    const answer = translated('ee-oru-r01-immunology.hl7', (text) =>
      text.replace(/(\|FT\|KOMM[^|]*\|[^|]*\|)[^|]*/, `$1${layout.join('^')}`),
    );
    expect(observation(answer, '8251-1')['valueString']).toBe('1. Normal silhouette.\n2. Ground glass.\nSee \ufffd.');
    const kept = answer.account.carried.filter(({ escaped }) => escaped);
    expect(kept.map(({ value }) => value)).toEqual([layout[0], layout[1]?.replace('\\.sp\\', '\n'), layout[2]]);
    expect(kept.every(({ path }) => answer.account.mapped.some((one) => one.path === path))).toBe(true);
  });

  it('makes nothing of a value that is layout alone', () => {
    const answer = translated('ee-oru-r01-immunology.hl7', (text) => text.replace(/(\|FT\|KOMM[^|]*\|[^|]*\|)[^|]*/, '$1\\H\\\\N\\'));
    expect(observation(answer, '8251-1')['valueString']).toBeUndefined();
    expect(answer.account.carried).toContainEqual(expect.objectContaining({ value: '\\H\\\\N\\', escaped: true }));
  });

  it.each([
    ['DT', '20261103', 'valueDateTime', '2026-11-03'],
    ['TM', '0730', 'valueTime', '07:30:00'],
    ['TS', '20261103073000.5+0100', 'valueDateTime', '2026-11-03T07:30:00.5+01:00'],
    ['ST', 'negatiivne', 'valueString', 'negatiivne'],
    ['TX', 'pikk tekst', 'valueString', 'pikk tekst'],
    ['SN', '^10^-^20', 'valueRange', { low: { value: 10 }, high: { value: 20 } }],
    ['SN', '<>^10', 'valueString', '<> 10'],
    ['SN', '>=^10.50', 'valueQuantity', { comparator: '>=', value: 10.5 }],
    ['SN', '^2^+', 'valueString', '2 +'],
    ['NR', '1^2', 'valueRange', { low: { value: 1 }, high: { value: 2 } }],
    ['CE', 'NEG^Negatiivne^99EERES', 'valueCodeableConcept', { coding: [{ code: '260385009' }, { code: 'NEG' }] }],
    ['DR', '20261103^20261104', 'valuePeriod', { start: '2026-11-03', end: '2026-11-04' }],
  ])('reads OBX-2 %s of %s', (type, value, element, expected) => {
    const answer = translated('ee-oru-r01-immunology.hl7', (text) =>
      text.replace('|CWE|ABO', `|${type}|ABO`).replace('VG-A^Veregrupp A^99EERES', value),
    );
    expect(JSON.parse(toFhirJson(observation(answer, '883-9')))).toMatchObject({ [element]: expected });
  });

  it('makes components of a repeated value', () => {
    const answer = translated('ee-oru-r01-chemistry.hl7', (text) => text.replace('|7.80|', '|7.80~7.90|'));
    expect(toFhirJson(observation(answer, '14749-6')['component']!)).toMatch(/"value":7\.80.*"value":7\.90/);
  });

  it('attaches each note and result to its own parent', () => {
    const answer = translated('ee-oru-r01-chemistry.hl7');
    const [chemistry, lipids] = only(answer, 'DiagnosticReport');
    expect([chemistry!['conclusion'], lipids!['conclusion']]).toEqual(['Proov võetud tühja kõhuga.', 'Hinnatud SCORE2 järgi.']);
    expect(chemistry!['result']).toHaveLength(4);
    expect(lipids!['result']).toEqual([{ reference: `Observation/${observation(answer, '14647-2').id}` }]);
    expect(observation(answer, '14749-6')['note']).toEqual([{ text: 'Kordusanalüüs kinnitas tulemuse.' }]);
    expect(observation(answer, '14682-9')).not.toHaveProperty('note');
    expect(lipids).not.toHaveProperty('specimen');
  });

  it('makes one person of two groups that name the same, and carries what contradicts', () => {
    const pid = /PID\|[^\r]*\r/;
    const answer = translated('ee-oru-r01-immunology.hl7', (text) => {
      const again = pid.exec(text)![0].replace('|F\r', '|M\r').replace('^^^^^L', '^Mai^^^^L');
      return text.replace(/(?=ORC\|RE\|T-0004)/, again);
    });
    const [person, ...others] = only(answer, 'Patient');
    expect(others).toEqual([]);
    expect(person).toMatchObject({ gender: 'female', name: [{ given: ['Mari'] }, { given: ['Mari', 'Mai'] }] });
    expect(answer.account.carried).toContainEqual({ path: 'PID[2]-8', value: 'M' });
    expect(answer.account.warnings).toContainEqual({ code: 'translate.value-conflict', path: 'PID[2]-8', rule: 'PID-8' });
    expect(new Set(only(answer, 'Observation').map((one) => toFhirJson(one['subject']!))).size).toBe(1);
  });

  it('says that it only mentions the person and the visit', () => {
    const answer = translated('ee-oru-r01-chemistry.hl7');
    expect(answer.mentions.map((i) => answer.resources[i]!.resourceType).sort()).toEqual(['Encounter', 'Patient']);
    expect(translated('ee-adt-a01.hl7').mentions).toEqual([]);
  });

  it('lets one broken result not spoil the others', () => {
    const answer = translated('ee-oru-r01-chemistry.hl7', (text) => text.replace('|58|', '|palju|'));
    expect(only(answer, 'Observation')).toHaveLength(4);
    expect(answer.account.rejects).toEqual(
      [{ code: 'translate.value-invalid', path: 'OBX[2]-5', rule: 'OBX-value.OBX-5.NM.value', severity: 'entry' }].map((one) => ({
        ...one,
        rule: expect.any(String),
      })),
    );
    expect(answer.account.carried).toContainEqual({ path: 'OBX[2]-5', value: 'palju' });
    expect(openReferences(answer.resources)).toEqual([]);
  });

  it('gives a corrected result the id of the one it corrects', () => {
    const corrected = translated('ee-oru-r01-chemistry.hl7', (text) =>
      text.replace('EE-ORU-0001', 'EE-ORU-0009').replace('7.80|', '7.10|').replace('|H|||F|', '|H|||C|'),
    );
    expect(observation(corrected, '14749-6')).toMatchObject({
      id: observation(translated('ee-oru-r01-chemistry.hl7'), '14749-6')['id'],
      status: 'corrected',
    });
  });

  it('keeps a code that no map knows, and says so', () => {
    const answer = translated('ee-oru-r01-chemistry.hl7', (text) => text.replace('GLUK^Glükoos', 'GLUKX^Tundmatu'));
    const found = only(answer, 'Observation').find((one) => toFhirJson(one).includes('GLUKX'));
    expect(found!['code']).toEqual({ coding: [{ system: 'urn:portolan:demo:ee:lab', code: 'GLUKX', display: 'Tundmatu' }] });
    expect(answer.account.warnings).toContainEqual({ code: 'translate.code-unmapped', path: 'OBX-3.1', rule: 'OBX-3' });
  });

  it('never fills in an unmapped status silently', () => {
    const answer = translated('ee-oru-r01-chemistry.hl7', (text) => text.replace('|H|||F|', '|H|||R|'));
    const status = observation(answer, '14749-6');
    expect(status['status']).toBe('unknown');
    expect(answer.account.carried).toContainEqual({ path: 'OBX-11', value: 'R' });
    expect(answer.account.constants.filter(({ rule, value }) => rule === 'OBX-11' && value === 'unknown')).toHaveLength(1);
    expect(answer.account.warnings).toContainEqual({ code: 'translate.code-unmapped', path: 'OBX-11', rule: 'OBX-11' });
  });

  it('does not invent an offset', () => {
    const bare = (text: string): string => text.replaceAll('+0000', '');
    const pt = translated('pt-oru-r01.hl7', bare);
    expect(observation(pt, '14749-6')['effectiveDateTime']).toBe('2026-11-11');
    expect(pt.account.carried).toContainEqual({ path: 'OBX-14', value: '20261111063000' });
    const ee = translated('ee-oru-r01-chemistry.hl7', (text) => text.replaceAll('+0200', ''));
    expect(observation(ee, '14749-6')['effectiveDateTime']).toBe('2026-11-03T07:30:00+02:00');
    expect(ee.account.warnings).toContainEqual({ code: 'translate.zone-assumed', path: 'OBX-14', rule: 'OBX-14' });
  });
});

describe('what cannot be read', () => {
  const cases: [string, (text: string) => string, string][] = [
    ['no format', () => 'what is this', 'ingest.format-unknown'],
    ['no delimiters', () => 'MSH', 'ingest.malformed'],
    ['delimiters that are letters', (text) => text.replace('|^~\\&|', '|ABCD|'), 'ingest.malformed'],
    ['no sender', (text) => text.replace(/(MSH\|.{4}\|)[^|]*\|[^|]*\|/, '$1||'), 'ingest.header-incomplete'],
    ['no control id', (text) => text.replace('EE-ADT-0001', ''), 'ingest.header-incomplete'],
    ['an unknown character set', (text) => text.replace('UNICODE UTF-8', 'KLINGON'), 'ingest.charset-unsupported'],
    ['too many segments', (text) => text + 'NTE|1\r'.repeat(20_001), 'ingest.too-large'],
    ['too many bytes', (text) => `${text}NTE|1||${'x'.repeat(1_048_576)}`, 'ingest.too-large'],
  ];
  it.each(cases)('%s', (_name, change, code) => {
    expect(() => translated('ee-adt-a01.hl7', change)).toThrow(expect.objectContaining({ code }));
  });
  it('bytes that are not in the declared character set', () => {
    const bytes = Buffer.from(readFileSync(join(own, 'ee-adt-a01.hl7')).toString('utf8'), 'latin1');
    expect(() => translateBytes(bytes)).toThrow(expect.objectContaining({ code: 'ingest.encoding-invalid' }));
  });
  it('a line that is no segment is carried, and the document refused', () => {
    const answer = translated('ee-adt-a01.hl7', (text) => text.replace('lööve', 'lööve\rja sügelus'));
    expect(answer.account.rejects).toContainEqual({ code: 'ingest.malformed', path: 'line[6]', rule: '(segments)', severity: 'document' });
    expect(answer.account.carried.some(({ path }) => path === 'line[6]')).toBe(true);
  });
  it('a type that is not read is translated as far as rules fit, and refused', () => {
    const answer = translated('ee-adt-a01.hl7', (text) => text.replace('ADT^A01^ADT_A01', 'ADT^A99'));
    expect(answer.account.rejects).toMatchObject([{ code: 'ingest.event-unsupported', path: 'MSH-9.2', severity: 'document' }]);
    expect(answer.persons).toHaveLength(1);
  });
});

interface TargetCode {
  code?: string;
  display?: string;
}
interface ConceptMapJson {
  group: { target?: string; element: { code: string; target?: TargetCode[] }[] }[];
}
const codeMaps = (cc: string): ConceptMapJson[] =>
  [
    ...Object.values(hl7v2CodeMaps),
    ...Object.entries(folder(cc)).flatMap(([file, json]) => (file.startsWith('code-maps/') ? [json] : [])),
  ] as ConceptMapJson[];

/** The source's values, split by hand: not by the parser under test. */
function sourceTexts(bytes: Uint8Array): string[] {
  const { separators, charset } = readHl7(bytes, { maxBytes: 1e6, terminators: 'any' });
  const text = new TextDecoder(charset.startsWith('8859') ? 'latin1' : 'utf-8').decode(bytes);
  return text.split(/[|^~&\r\n]/).map((part) => unescapeText(part, separators, () => undefined));
}

function checkOracles(bytes: Uint8Array, cc: string): void {
  const answer = translateBytes(bytes, cc);
  const maps = codeMaps(cc);
  const elements = maps.flatMap((map) => map.group.flatMap((group) => group.element));
  const systems = [...packs.get(cc)!.codingSystems, ...packs.get(cc)!.assigningAuthorities];
  const coded = new Set([...elements.map(({ code }) => code), ...systems.map(([name]) => name)]);
  const targets = new Set([
    ...elements.flatMap(({ target = [] }) => target.flatMap(({ code, display }) => [code, display])),
    ...maps.flatMap((map) => map.group.map(({ target }) => target)),
    ...systems.map(([, uri]) => uri),
    'http://unitsofmeasure.org',
  ]) as Set<string>;
  const texts = sourceTexts(bytes);
  const typeNames = ['true', 'false', 'ISO', 'GUID', 'UUID', 'UCUM', 'Internet'];
  expect(lostValues(texts, answer, (text) => coded.has(text) || typeNames.includes(text) || /^HL7\d{4}$/.test(text))).toEqual([]);
  expect(inventedValues(texts.join('\n'), answer, targets)).toEqual([]);
  expect(openReferences(answer.resources)).toEqual([]);
  expect(sharedIds(answer.resources)).toEqual([]);
  expect(toFhirJson([...translateBytes(bytes, cc).resources])).toBe(toFhirJson([...answer.resources]));
  const named = new Set([...answer.account.mapped, ...answer.account.carried, ...answer.account.ignored].map(({ path }) => path));
  expect(answer.provenance.every(({ source }) => named.has(source))).toBe(true);
}

describe('oracles over own messages', () => {
  const files = readdirSync(own).filter((file) => file.endsWith('.hl7'));
  it.each(files)('%s', (file) => checkOracles(readFileSync(join(own, file)), file.slice(0, 2)));
  it('there are messages', () => expect(files.length).toBeGreaterThanOrEqual(9));
});

const foreign = existsSync(shared) ? readdirSync(shared) : [];
describe.skipIf(foreign.length === 0)('oracles over public messages (../shared/fixtures/hl7v2)', () => {
  it.each(foreign)('%s', (file) => checkOracles(readFileSync(join(shared, file)), 'ee'));
});

describe('errors name places, never values', () => {
  it('of a refusal', () => {
    const answer = translated('pt-adt-a08-damaged.hl7');
    expect(JSON.stringify([answer.account.rejects, answer.account.warnings])).not.toMatch(/Exemplo|999000001|1980/);
  });
  it('of an unreadable message', () => {
    try {
      translated('ee-adt-a01.hl7', (text) => text.replace('UNICODE UTF-8', 'KLINGON'));
    } catch (error) {
      expect((error as PortolanError).message).not.toMatch(/Näidis|KLINGON/);
      return;
    }
    expect.unreachable();
  });
});
