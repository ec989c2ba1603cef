import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countryPack, type CountryPack } from '../country-pack.js';
import { DecimalText, isFhirObject, toFhirJson, type FhirResource, type FhirValue } from '../engine/index.js';
import { parseHl7 } from '../hl7v2/index.js';
import { translate, type Translation } from '../translate.js';
import { BackMaps, type BackInput, type BackMessage } from './index.js';
import { fhirTree } from './fhir-tree.js';
import person from './maps/person.json' with { type: 'json' };

const own = join(import.meta.dirname, '../../fixtures/hl7v2');
const countries = join(import.meta.dirname, '../../../countries');
function folder(cc: string): Record<string, unknown> {
  const files = readdirSync(join(countries, cc), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(countries, cc, file), 'utf8'))]));
}
const packs = new Map<string, CountryPack>(['ee', 'pt'].map((cc) => [cc, countryPack(folder(cc))]));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const maps = BackMaps.of();

const read = (bytes: Uint8Array, cc: string): Translation =>
  translate({ bytes, format: 'hl7v2', country: packs.get(cc)!, sha256, received: '2026-11-28T10:00:00.000Z' });
const readFixture = (name: string): Translation => read(readFileSync(join(own, name)), name.slice(0, 2));

function inputFor({ message, resources, provenance, account }: Translation, cc: string): BackInput {
  const { name = '', organisation, application = '' } = message.sender;
  return {
    resources,
    message: message.type.slice(0, 3) as BackMessage,
    country: packs.get(cc)!,
    sha256,
    sender: { application, facility: name, ...(organisation !== name && { universalId: organisation }) },
    sent: message.sent ?? '20261128100000+0000',
    controlId: () => message.id,
    processing: 'P',
    event: message.type.slice(4),
    original: { provenance, carried: account.carried, resources },
  };
}

/** As it is compared: the codings of a concept have no order. */
function plain(value: FhirValue): FhirValue {
  if (Array.isArray(value)) return value.map(plain);
  if (!isFhirObject(value)) return value;
  const { coding } = value;
  const sorted = Array.isArray(coding) ? { coding: coding.toSorted((a, b) => (toFhirJson(a) < toFhirJson(b) ? -1 : 1)) } : {};
  return Object.fromEntries(Object.entries({ ...value, ...sorted }).map(([key, one]) => [key, key === 'coding' ? one : plain(one)]));
}
const byName = (resources: readonly FhirResource[]): Record<string, string> =>
  Object.fromEntries(resources.map((one) => [`${one.resourceType}/${one.id}`, toFhirJson(plain(one))]));

/** Without those to whom nothing refers: a message says who somebody is only where it says what they did. */
function referredTo(resources: readonly FhirResource[]): FhirResource[] {
  const all = toFhirJson([...resources]);
  return resources.filter((one) => one.resourceType !== 'Practitioner' || all.includes(`"reference":"Practitioner/${one.id}"`));
}

const messages = readdirSync(own).filter((name) => /^(ee|pt)-(oru|adt)-.*\.hl7$/.test(name) && !name.includes('damaged'));

describe('FHIR → HL7 v2 → FHIR gives the same resources', () => {
  it.each(messages)('%s', (name) => {
    const cc = name.slice(0, 2);
    const before = readFixture(name);
    const { text } = maps.write(inputFor(before, cc));
    const after = read(Buffer.from(text), cc);
    expect(after.account.rejects).toEqual([]);
    expect(byName(after.resources)).toEqual(byName(referredTo(before.resources)));
  });
  it('covers admissions and reports', () => expect(messages.length).toBeGreaterThan(7));
});

describe('the message', () => {
  const before = readFixture('ee-oru-r01-chemistry.hl7');
  const { text, types, mapVersion } = maps.write(inputFor(before, 'ee'));
  it('has the segments of its structure, each ended by CR', () => {
    expect(types).toEqual(['ORU^R01']);
    expect(mapVersion).toMatch(/^[0-9a-f]{64}$/);
    const names = parseHl7(text, { terminators: 'cr' }).segments.map((segment) => segment.name);
    expect(names.slice(0, 8)).toEqual(['MSH', 'PID', 'PV1', 'ORC', 'OBR', 'NTE', 'OBX', 'NTE']);
    expect(text.endsWith('\r')).toBe(true);
  });
  it('keeps digits, offsets, and the local code before the one that was added', () => {
    expect(text).toContain('|NM|GLUK^Glükoos^99EELAB^14749-6^');
    expect(text).toContain('||7.80|mmol/L^mmol/l^UCUM|4.1-6.1|');
    expect(text).toContain('|20261103073000+0200|');
  });
  it('is the same the second time', () => expect(maps.write(inputFor(before, 'ee')).text).toBe(text));
  it('has the layout of a text again, where the text is the same, and that of local segments; nothing of it adds a segment', () => {
    const layout = '\\.in+4\\one \\H\\two\\N\\\\.br\\a\\F\\b \\Z01\\ C:\\E\\x';
    const source = readFileSync(join(own, 'ee-oru-r01-immunology.hl7'), 'utf8');
    const changed =
      source.replace(/(\|FT\|KOMM[^|]*\|[^|]*\|)[^|]*/, (_, before: string) => `${before}${layout}`) + `ZZ1|${layout}|\\H\\\\X0D\\PID\r`;
    const before = read(Buffer.from(changed), 'ee');
    const { text, account } = maps.write(inputFor(before, 'ee'));
    expect(text.match(/\rOBX\|\d+\|..\|[^|]*KOMM[^|]*\|[^|]*\|([^|]*)/)?.[1]).toBe(layout);
    expect(text).toContain(`\rZZ1|${layout}|\\H\\\\X0D\\PID\r`);
    expect(account.left.map(({ path }) => path)).not.toContain('OBX-5');
    const other = inputFor(before, 'ee');
    const resources = other.resources.map((one) => (typeof one['valueString'] === 'string' ? { ...one, valueString: 'other' } : one));
    expect(maps.write({ ...other, resources }).text).toContain('|other|');
  });
  it('has what was carried of the original, and not without it', () => {
    expect(text).toContain('\rNTE|1|L|');
    const { original: _, ...alone } = inputFor(before, 'ee');
    expect(maps.write(alone).text).toContain('\rNTE|1||');
  });
  it('has segments of local meaning again, at the end', () => {
    const file = readFileSync(join(own, 'ee-oru-r01-chemistry.hl7'), 'utf8');
    const local = read(Buffer.from(`${file}ZEE|1|a\\T\\b^c~d\r`), 'ee');
    expect(maps.write(inputFor(local, 'ee')).text.endsWith('\rZEE|1|a\\T\\b^c~d\r')).toBe(true);
  });
  it('tells in its account what became of every value', () => {
    const { account } = maps.write(inputFor(before, 'ee'));
    const told = [...account.mapped, ...account.left].map(({ path }) => path).sort();
    const all = fhirTree(before.resources)
      .root.leaves()
      .map(({ path }) => path);
    expect(told).toEqual(all.sort());
    expect(account.left.filter(({ rule }) => rule === '(no place)').map(({ path }) => path.replace(/^.*#/, ''))).toEqual([
      'note[0].text',
      'note[0].text',
    ]);
  });
  it.each(['A01', 'A03', 'A04', 'A08', 'A11'])('that came as ADT^%s goes again to who sent it as that', (event) => {
    const { original: _, ...input } = inputFor(readFixture('ee-adt-a01.hl7'), 'ee');
    expect(maps.write({ ...input, event }).types).toEqual([`ADT^${event}`]);
  });
  it('of an event that no map has is refused', () =>
    void refusal(() => maps.write({ ...inputFor(before, 'ee'), event: 'A02' }), 'translate.back-unwritable', 'message'));
});

describe('values of FHIR that no HL7 v2 message brought', () => {
  const patient: FhirResource = { resourceType: 'Patient', id: 'p', identifier: [{ system: 'urn:oid:1.2.3', value: '1' }] };
  const written = (value: Record<string, FhirValue>): string => {
    const result: FhirResource = { resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'x' }, ...value };
    const report: FhirResource = {
      resourceType: 'DiagnosticReport',
      id: 'd',
      status: 'final',
      code: { text: 'y' },
      result: [{ reference: 'Observation/o' }],
    };
    const { text } = maps.write({
      ...inputFor(readFixture('ee-oru-r01-chemistry.hl7'), 'ee'),
      original: undefined!,
      resources: [patient, report, result],
    });
    return /\rOBX\|1\|([^\r]*)/.exec(text)?.[1] ?? '';
  };
  it.each<[Record<string, FhirValue>, string]>([
    [{ valueQuantity: { value: new DecimalText('1.50'), unit: 'g' } }, 'NM|^^^^^^^^x||1.50|g|||||F'],
    [{ valueQuantity: { value: 5, comparator: '<' } }, 'SN|^^^^^^^^x||<^5||||||F'],
    [{ valueRange: { low: { value: 1 }, high: { value: 2 } } }, 'SN|^^^^^^^^x||^1^-^2||||||F'],
    [{ valueRatio: { numerator: { value: 1 }, denominator: { value: 32 } } }, 'SN|^^^^^^^^x||^1^:^32||||||F'],
    [{ valueInteger: 7 }, 'NM|^^^^^^^^x||7||||||F'],
    [{ valueBoolean: true }, 'CWE|^^^^^^^^x||Y||||||F'],
    [{ valueDateTime: '2026-11-03T07:30:00Z' }, 'TS|^^^^^^^^x||20261103073000+0000||||||F'],
    [{ valueDateTime: '2026-11' }, 'TS|^^^^^^^^x||202611||||||F'],
    [{ valueTime: '07:30:00' }, 'TM|^^^^^^^^x||073000||||||F'],
    [{ valueString: 'a'.repeat(200) }, `TX|^^^^^^^^x||${'a'.repeat(200)}||||||F`],
    [{ referenceRange: [{ low: { value: 4 } }] }, '|^^^^^^^^x||||>=4||||F'],
  ])('%j', (value, expected) => expect(written(value)).toBe(expected));
});

describe('a text', () => {
  const signs = fc.constantFrom(
    '|',
    '^',
    '~',
    '\\',
    '&',
    '\r',
    '\n',
    '\r\n',
    '"',
    '""',
    '\\F\\',
    '\\.br\\',
    '\\X0D\\',
    'MSH|',
    '\rZZZ|1',
    '\u000b',
    '\u001c',
    'õ',
    '€',
    '😀',
    'a',
  );
  const nasty = fc.array(signs, { minLength: 1, maxLength: 12 }).map((parts) => `x${parts.join('')}x`);
  const base = readFixture('ee-oru-r01-chemistry.hl7');
  const input = inputFor(base, 'ee');
  const count = parseHl7(maps.write(input).text, { terminators: 'any' }).segments.length;

  it('whatever it holds, adds neither segment nor field, and comes back as it was', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const resources = base.resources.map((one) => replaceTexts(one, text) as FhirResource);
        const written = maps.write({ ...input, resources }).text;
        const { segments } = parseHl7(written, { terminators: 'any' });
        expect(segments).toHaveLength(count);
        expect(written).not.toMatch(/[\u000b\u001c\n]/);
        if (/[\u000b\u001c]/.test(text)) return;
        const again = read(Buffer.from(written), 'ee').resources.filter(({ resourceType }) => resourceType === 'Patient');
        expect(toFhirJson(again[0]!['name']!)).toContain(`"family":${JSON.stringify(text)}`);
      }),
      { numRuns: 60 },
    );
  });

  it('of a stay, a vaccination, a medicine or a part of a result does neither', () => {
    const patient = base.resources.filter(({ resourceType }) => resourceType === 'Patient');
    const { event: _, original: __, ...alone } = input;
    const record = (text: string): FhirResource[] => [
      ...patient,
      { resourceType: 'Encounter', id: 'e', status: 'finished', class: { code: text, display: text }, reasonCode: [{ text }] },
      { resourceType: 'Observation', id: 'o', status: 'final', code: { text }, component: [{ code: { text }, valueString: text }] },
      { resourceType: 'MedicationStatement', id: 'm', status: 'active', medicationCodeableConcept: { text }, dosage: [{ text }] },
      {
        resourceType: 'Immunization',
        id: 'i',
        identifier: [{ system: text, value: text }],
        status: 'not-done',
        statusReason: { text },
        vaccineCode: { text },
        occurrenceDateTime: '2026',
        lotNumber: text,
        doseQuantity: { value: 1, unit: text },
        route: { text },
      },
    ];
    const names = (text: string): string[] =>
      parseHl7(maps.write({ ...alone, message: 'all', resources: record(text) }).text, { terminators: 'any' }).segments.map(
        ({ name }) => name,
      );
    const plainNames = names('plain');
    expect(plainNames.filter((name) => ['OBX', 'RXA', 'RXR'].includes(name))).toHaveLength(8);
    fc.assert(
      fc.property(nasty, (text) => {
        expect(names(text)).toEqual(plainNames);
      }),
      { numRuns: 60 },
    );
  });
});

/** Every family name, and every name of who assigns identifiers, as `text`. */
function replaceTexts(value: FhirValue, text: string): FhirValue {
  if (Array.isArray(value)) return value.map((one) => replaceTexts(one, text));
  if (!isFhirObject(value)) return value;
  const texts = value['code'] === undefined ? ['family', 'display'] : ['family'];
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, texts.includes(key) ? text : replaceTexts(one, text)]));
}

describe('a record that is more than one message', () => {
  const { resources: held } = readFixture('ee-adt-a01.hl7');
  const patient = held.find(({ resourceType }) => resourceType === 'Patient')!;
  const subject = { reference: `Patient/${patient.id}` };
  const concept = (text: string): FhirValue => ({ text });
  const coding = (name: string, code: string): FhirValue => ({
    coding: [{ system: `http://terminology.hl7.org/CodeSystem/${name}`, code }],
  });
  const stay = (id: string, status: string): FhirResource => ({
    resourceType: 'Encounter',
    id,
    identifier: [{ system: 'urn:oid:1.2.3', value: id }],
    status,
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject,
  });
  const entry = (resourceType: string, id: string, more: Record<string, FhirValue> = {}): FhirResource => ({
    resourceType,
    id,
    code: concept(id),
    subject,
    ...more,
  });
  const of = (...resources: FhirResource[]): ReturnType<typeof maps.write> => {
    const { original: _, event: __, ...input } = inputFor(readFixture('ee-adt-a01.hl7'), 'ee');
    return maps.write({ ...input, message: 'all', controlId: (number) => `M-${number}`, resources: [patient, ...resources] });
  };
  const messages = (text: string): string[] => text.split(/(?=^MSH)|(?<=\r)(?=MSH)/).filter(Boolean);

  it.each(['in-progress', 'finished', 'onleave', 'planned', 'cancelled', 'unknown'])(
    'is never a visit in the reader’s house, also where a stay is %s: no event, number, bed or physician of one',
    (status) => {
      const place: FhirResource = { resourceType: 'Location', id: 'bed', name: 'Ward 7', physicalType: { coding: [{ code: 'bd' }] } };
      const { text, types, account } = of(
        { ...stay('V-77', status), location: [{ location: { reference: 'Location/bed' }, status: 'active' }] },
        place,
        entry('DiagnosticReport', 'report', { status: 'final', encounter: { reference: 'Encounter/V-77' } }),
        entry('Condition', 'found', { encounter: { reference: 'Encounter/V-77' } }),
      );
      expect(types).toEqual(['ADT^A31', 'ORU^R01']);
      expect(text.match(/\rPV1[^\r]*/g)).toEqual(['\rPV1|1|N']);
      expect(text).not.toMatch(/V-77|Ward 7|\rPV2/);
      expect(account.left.find(({ path }) => path.endsWith('V-77#identifier[0].value'))?.reason).toMatch(/stay|house/);
      const after = messages(text).flatMap((one) => read(Buffer.from(one), 'ee').resources);
      expect(after.map(({ resourceType }) => resourceType)).not.toContain('Encounter');
    },
  );
  it('tells of each stay that it was, with its kind, time, reason, diagnoses and procedures, and not of one that was not', () => {
    const { text } = of(
      entry('Observation', 'seen', { status: 'final' }),
      {
        ...stay('first', 'finished'),
        period: { start: '2026-03-01', end: '2026-03-03' },
        reasonCode: [concept('fall')],
        diagnosis: [{ condition: { reference: 'Condition/of-first' }, use: coding('v2-0052', 'A') }],
      },
      stay('second', 'cancelled'),
      { ...stay('third', 'in-progress'), period: { start: '2026-11-20' } },
      entry('Condition', 'of-first', { encounter: { reference: 'Encounter/first' } }),
      entry('Condition', 'of-no-stay'),
      entry('Procedure', 'of-first', { encounter: { reference: 'Encounter/first' } }),
    );
    const [said] = messages(text);
    const segments = said?.split('\r').filter((line) => /^(OBX|DG1|PR1)/.test(line));
    const history = '46240-8^History of Hospitalizations+Outpatient visits^LN';
    expect(segments).toEqual([
      'OBX|1||^^^^^^^^seen||||||||F',
      `OBX|2|CWE|${history}|2.1|I^^HL70004||||||F|||20260301`,
      `OBX|3|DR|${history}|2.2|20260301^20260303||||||F|||20260301`,
      `OBX|4|CWE|${history}|2.3|^^^^^^^^fall||||||F|||20260301`,
      `OBX|5|CWE|${history}|4.1|I^^HL70004||||||P|||20261120`,
      `OBX|6|DR|${history}|4.2|20261120||||||P|||20261120`,
      'DG1|1||^^^^^^^^of-first|||A^^HL70052',
      'DG1|2||^^^^^^^^of-no-stay',
      'PR1|1||^^^^^^^^of-first',
    ]);
  });
  it('has a diagnosis that is read as one of a visit only where the message speaks of one', () => {
    const categories = (text: string): unknown[] =>
      read(Buffer.from(text), 'ee')
        .resources.filter(({ resourceType }) => resourceType === 'Condition')
        .map(({ category, encounter }) => [category, encounter]);
    const { text } = of(entry('Condition', 'a'));
    expect(categories(text)).toEqual([[undefined, undefined]]);
    expect(categories(text.replace(/\rPV1[^\r]*/, ''))).toEqual([[undefined, undefined]]);
    const inVisit = text.replace('\rPV1|1|N', '\rPV1|1|I|||||||||||||||||V-1');
    expect(categories(inVisit)).toMatchObject([
      [[{ coding: [{ code: 'encounter-diagnosis' }] }], { reference: expect.stringMatching(/^Encounter/) as unknown }],
    ]);
  });
  it('is one where the person is all there is', () => expect(of().types).toEqual(['ADT^A31']));
  it.each<[string, FhirResource, string]>([
    [
      'an allergy that was ruled out',
      entry('AllergyIntolerance', 'a', { verificationStatus: coding('allergyintolerance-verification', 'refuted') }),
      'AL1',
    ],
    [
      'an allergy entered in error',
      entry('AllergyIntolerance', 'a', { verificationStatus: coding('allergyintolerance-verification', 'entered-in-error') }),
      'AL1',
    ],
    [
      'an allergy that is over',
      entry('AllergyIntolerance', 'a', { clinicalStatus: coding('allergyintolerance-clinical', 'resolved') }),
      'AL1',
    ],
    ['a diagnosis that was ruled out', entry('Condition', 'a', { verificationStatus: coding('condition-ver-status', 'refuted') }), 'DG1'],
    ['a procedure that was not done', entry('Procedure', 'a', { status: 'not-done' }), 'PR1'],
  ])('does not say that there is %s', (_, resource, segment) => {
    const { text, account } = of(resource);
    expect(text).not.toContain(`\r${segment}|`);
    expect(account.left.find(({ path }) => path.endsWith('#code.text'))).toMatchObject({ rule: 'not-so' });
    const { verificationStatus: _no, clinicalStatus: __, status: ___, ...said } = resource;
    expect(of(said as FhirResource).text).toContain(`\r${segment}|1|`);
  });
  it.each<[string, Record<string, FhirValue>, string]>([
    ['of a system without a name stands by its words', { system: 'urn:nobody', code: 'X1', display: 'words' }, '^words'],
    ['without words, of a system without a name, is written out', { system: 'urn:nobody', code: 'X1' }, '^^^^^^^^X1 (urn:nobody)'],
    ['without a system is the reader’s to know', { code: 'X1', display: 'words' }, 'X1^words'],
    ['of a named system is a code', { system: 'http://snomed.info/sct', code: '38341003' }, '38341003^^SCT'],
  ])('a code %s', (_, one, expected) => {
    expect(of(entry('Condition', 'a', { code: { coding: [one] } })).text).toContain(`\rDG1|1||${expected}\r`);
  });
  it('an abnormal flag of FHIR is that of HL7’s table', () => {
    const interpretation = [coding('v3-ObservationInterpretation', 'HH')];
    const { text } = of(entry('Observation', 'a', { status: 'final', valueInteger: 1, interpretation }));
    expect(text).toContain('|HH^^HL70078|||F');
  });
  describe('the parts of a result', () => {
    const part = (text: string, value: number): FhirValue => ({ code: concept(text), valueQuantity: { value, unit: 'mm[Hg]' } });
    const whole = entry('Observation', 'whole', {
      status: 'final',
      effectiveDateTime: '2026-11-03',
      component: [part('upper', 120), { ...(part('lower', 80) as object), interpretation: [coding('v3-ObservationInterpretation', 'L')] }],
    });
    const report = entry('DiagnosticReport', 'report', { status: 'final', result: [{ reference: 'Observation/whole' }] });
    const tied =
      /\rOBX\|1\|\|\^{8}whole\|1\|{7}F\|{3}20261103\rOBX\|2\|NM\|\^{8}upper\|1.1\|120\|mm.*?\|F\|{3}20261103\rOBX\|3\|NM\|\^{8}lower\|1.2\|80\|mm.*?\|F\|{3}20261103\r/;
    const observations = (text: string): FhirResource[] =>
      messages(text)
        .flatMap((one) => read(Buffer.from(one), 'ee').resources)
        .filter(({ resourceType }) => resourceType === 'Observation');

    it.each([
      ['of a person', [whole]],
      ['of a report', [whole, report]],
    ])('%s are tied to it by OBX-4, share its time, and are read as its parts', (_, resources) => {
      const { text } = of(...resources);
      expect(text).toMatch(tied);
      const [only, ...more] = observations(text);
      expect(more).toEqual([]);
      expect(only).not.toHaveProperty('extension');
      expect(only?.['component']).toMatchObject([
        { code: { text: 'upper' }, valueQuantity: { value: new DecimalText('120') } },
        { code: { text: 'lower' }, valueQuantity: { value: new DecimalText('80') }, interpretation: [{ coding: [{ code: 'L' }, {}] }] },
      ]);
    });
    it.each([
      ['is corrected', /(lower.*?\|)F(\|{3}20261103)/, '$1C$2'],
      ['has another time', /(lower.*?)20261103/, '$120261104'],
      ['has a number of its own', /(lower.*?20261103)/, '$1|||||||77'],
      ['belongs to another', /\|1\.2\|/, '|2.1|'],
      ['is a picture', /NM(\|\^{8}lower)/, 'ED$1'],
    ])('of which one %s: that is a result of its own', (_, found, other) => {
      const { text } = of(whole);
      const changed = text.replace(found, other);
      expect(changed).not.toBe(text);
      expect(observations(changed).map(({ component }) => (component as FhirValue[] | undefined)?.length)).toEqual([1, undefined]);
    });
  });
  describe('a vaccination', () => {
    const given = entry('Immunization', 'shot', {
      identifier: [{ system: 'urn:oid:1.2.3', value: 'shot' }],
      status: 'completed',
      vaccineCode: concept('tetanus'),
      occurrenceDateTime: '2026-10-02',
      lotNumber: 'LOT-7',
      doseQuantity: { value: new DecimalText('0.50'), unit: 'mL', system: 'http://unitsofmeasure.org', code: 'mL' },
      route: concept('arm'),
    });
    it('is VXU^V04, as one that somebody else gave', () => {
      const { text, types } = of(given);
      expect(types).toEqual(['VXU^V04']);
      expect(text).toMatch(
        /\rORC\|RE\|\|shot\^\^1\.2\.3\^ISO\rRXA\|0\|1\|20261002\|20261002\|\^{8}tetanus\|0\.50\|mL\^mL\^UCUM\|\|01\^[^|]*\^NIP001\|{6}LOT-7\|{5}CP\rRXR\|\^{8}arm\r/,
      );
      const [back] = read(Buffer.from(text), 'ee').resources.filter(({ resourceType }) => resourceType === 'Immunization');
      const { status, vaccineCode, occurrenceDateTime, lotNumber, doseQuantity, route } = given;
      expect(back).toMatchObject({ status, vaccineCode, occurrenceDateTime, lotNumber, doseQuantity, route });
    });
    it('that was not done says so, with the reason and no dose', () => {
      const { doseQuantity: _, ...dose } = given;
      const { text } = of({ ...dose, status: 'not-done', statusReason: concept('fever') });
      expect(text).toMatch(/\rRXA\|0\|1\|20261002\|20261002\|\^{8}tetanus\|999\|.*\|\^{8}fever\|\|NA\r/);
      expect(read(Buffer.from(text), 'ee').resources.find(({ resourceType }) => resourceType === 'Immunization')).toMatchObject({
        status: 'not-done',
      });
    });
    it.each([
      ['that was entered in error', { status: 'entered-in-error' }, 'not-so'],
      ['without a date', { occurrenceDateTime: undefined!, occurrenceString: 'as a child' }, 'no-day'],
    ])('%s is left out, with the reason', (_, more, rule) => {
      const { text, account } = of(JSON.parse(JSON.stringify({ ...given, ...more })) as FhirResource);
      expect(text).not.toContain('RXA');
      expect(account.left.map((one) => one.rule)).toContain(rule);
    });
  });
  it('a medicine that she takes is a finding with its dosage and period, and no order; one that she does not take is none', () => {
    const medicine = { resourceType: 'Medication', id: 'drug', code: concept('metformin') };
    const taken = (id: string, status: string): FhirResource => ({
      resourceType: 'MedicationStatement',
      id,
      status,
      subject,
      medicationReference: { reference: 'Medication/drug' },
      dosage: [{ text: 'one\neach morning' }],
      effectivePeriod: { start: '2020' },
    });
    const { text, types, account } = of(medicine, taken('now', 'active'), taken('once', 'stopped'));
    const history = '10160-0^History of Medication use^LN';
    expect(types).toEqual(['ADT^A31']);
    expect(text.split('\r').filter((line) => line.startsWith('OBX'))).toEqual([
      `OBX|1|CWE|${history}|1.1|^^^^^^^^metformin||||||F`,
      `OBX|2|TX|${history}|1.2|one\\.br\\each morning||||||F`,
      `OBX|3|DR|${history}|1.3|2020||||||F`,
    ]);
    expect(account.left.find(({ path }) => path === 'MedicationStatement/once#dosage[0].text')?.rule).toBe('not-taken');
  });
  it('an identifier whose system has no name has it as universal id, beside the name of its assigner', () => {
    const identifier = [{ system: 'urn:nobody', value: '7', assigner: { display: 'SOMEBODY' } }];
    expect(of(entry('Condition', 'a', { identifier })).text).toContain('|7^SOMEBODY^urn:nobody^URI\r');
  });
});

describe('the character set that the reader has', () => {
  const sets = ['8859/1', '8859/9', '8859/15', 'UNICODE UTF-8', 'UNICODE UTF-16'] as const;
  const before = readFixture('ee-oru-r01-chemistry.hl7');
  it.each(sets)('%s: MSH-18 says it, and what is read of the bytes is the same', (charset) => {
    const { bytes, text } = maps.write({ ...inputFor(before, 'ee'), charset });
    expect(text).toContain(`|${charset}\r`);
    const after = read(bytes, 'ee');
    expect(after.account.rejects).toEqual([]);
    expect(byName(after.resources)).toEqual(byName(referredTo(before.resources)));
  });
  it.each([
    ['ASCII', 'PID-5'],
    ['8859/4', 'OBX-6'],
    ['8859/5', 'PID-5'],
    ['8859/8', 'PID-5'],
  ] as const)('%s lacks a sign: refused, with the place and without the sign', (charset, where) => {
    const { message: told } = refusal(() => maps.write({ ...inputFor(before, 'ee'), charset }), 'translate.charset-lacking', where);
    expect(told).toContain(charset);
    expect(told).not.toMatch(/[^\p{ASCII}]/u);
  });
});

function refusal(act: () => unknown, code: string, where: string): Error {
  try {
    act();
  } catch (error) {
    expect(error).toMatchObject({ code, where });
    return error as Error;
  }
  throw new Error('was not refused');
}

describe('what cannot be written is refused', () => {
  const input = inputFor(readFixture('ee-oru-r01-chemistry.hl7'), 'ee');
  it.each([
    ['nobody', (one: FhirResource) => one.resourceType !== 'Patient', 'PID'],
    ['no report', (one: FhirResource) => one.resourceType !== 'DiagnosticReport', 'order'],
  ])('%s', (_, keep, where) => {
    const resources = input.resources.filter(keep);
    expect(() => maps.write({ ...input, message: 'ORU', resources })).toThrow(
      expect.objectContaining({ code: 'translate.back-unwritable', where }),
    );
  });
  it('more segments than a message may have', () => {
    const many = Array.from({ length: 20_001 }, (_, i) => ({ resourceType: 'AllergyIntolerance', id: String(i), code: { text: 'x' } }));
    const person = input.resources.filter(({ resourceType }) => resourceType === 'Patient');
    expect(() => maps.write({ ...input, message: 'ADT', resources: [...person, ...many] })).toThrow(
      expect.objectContaining({ code: 'translate.back-unwritable' }),
    );
  });
});

describe('a map is checked when it is loaded', () => {
  const pid = { id: 'PID', segment: 'PID' };
  it.each([
    ['a conversion that is none', { ...pid, elements: [{ to: '3', as: 'nothing' }] }, 'PID-3'],
    ['a concept map that is none', { ...pid, elements: [{ to: '8', from: 'gender', map: 'nothing' }] }, 'PID-8'],
    ['a path that is none', { ...pid, elements: [{ to: '8', from: 'gender[' }] }, 'PID-8'],
    ['a reference to no type', { ...pid, elements: [{ to: '8', from: 'a->b' }] }, 'PID-8'],
    ['a reference from no type', { ...pid, elements: [{ to: '8', from: 'a<-b' }] }, 'PID-8'],
    ['a constant beside a value', { ...pid, elements: [{ to: '8', from: 'gender', constant: 'F' }] }, 'PID-8'],
    ['elements without a segment', { id: 'nowhere', elements: [{ to: '8' }] }, 'nowhere'],
    ['a type that is none', { ...pid, as: 'nothing' }, 'PID'],
    ['a group that is none', { ...pid, within: 'nothing' }, 'PID'],
    ['a group that holds itself', { id: 'outer', within: 'round' }, 'round'],
    ['a field that is none', { ...pid, elements: [{ to: '0' }] }, '(map)'],
  ])('%s', (_, segment, rule) => {
    const map = { ...person, groups: { round: [{ id: 'round', within: 'round' }] }, segments: [segment] };
    expect(() => BackMaps.of({ 'person.json': map })).toThrow(
      expect.objectContaining({ code: 'translate.map-invalid', where: `back/maps/person.json ${rule}` }),
    );
  });
});
