import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countryPack, type CountryPack } from '../../country-pack.js';
import { isFhirObject, toFhirJson, type FhirResource, type FhirValue, type SourceNode } from '../../engine/index.js';
import { translate, type Translation } from '../../translate.js';
import { readXml } from '../../xml/index.js';
import { fhirTree } from '../fhir-tree.js';
import summary from '../maps/summary.json' with { type: 'json' };
import { BackDocuments, type BackDocumentInput } from './index.js';
import { orderOf } from './order.js';

const own = join(import.meta.dirname, '../../../fixtures/cda');
const shared = join(import.meta.dirname, '../../../../../../shared/fixtures/ehdsi-patient-summary');
const countries = join(import.meta.dirname, '../../../../countries');
function folder(cc: string): Record<string, unknown> {
  const files = readdirSync(join(countries, cc), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(countries, cc, file), 'utf8'))]));
}
const packs = new Map<string, CountryPack>(['ee', 'pt', 'de'].map((cc) => [cc, countryPack(folder(cc))]));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const documents = BackDocuments.of();
const namespaces = {
  'urn:hl7-org:v3': '',
  'urn:hl7-org:pharm': 'pharm',
  'urn:epsos-org:ep:medication': 'pharm',
  'urn:hl7-org:sdtc': 'sdtc',
};
const xml = (text: string | Uint8Array): SourceNode => readXml(typeof text === 'string' ? Buffer.from(text) : text, 10_000_000, namespaces);

const read = (bytes: Uint8Array, cc: string): Translation =>
  translate({ bytes, format: 'cda', country: packs.get(cc)!, sha256, received: '2026-11-28T10:00:00.000Z' });

function inputFor({ resources, provenance, account }: Translation, cc: string): BackDocumentInput {
  return {
    resources,
    country: packs.get(cc)!,
    sha256,
    made: '2026-11-28T10:00:00Z',
    documentId: '6b2f3e5a-1111-8222-8333-000000000001',
    language: 'en',
    custodian: { root: '2.999.7', name: 'Nobody else' },
    original: { provenance, carried: account.carried, resources },
  };
}
const alone = ({ original: _, ...input }: BackDocumentInput): BackDocumentInput => input;

/** As it is compared: the codings of a concept, the sections of a document, their entries, and the elements of an object, have no order. */
const unordered = new Set(['coding', 'section', 'entry']);
function plain(value: FhirValue): FhirValue {
  if (Array.isArray(value)) return value.map(plain);
  if (!isFhirObject(value)) return value;
  const entries = Object.entries(value).map(([key, one]): [string, FhirValue] => {
    const inner = plain(one);
    return [key, unordered.has(key) && Array.isArray(inner) ? inner.toSorted((a, b) => (toFhirJson(a) < toFhirJson(b) ? -1 : 1)) : inner];
  });
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
const byName = (resources: readonly FhirResource[]): Map<string, string> =>
  new Map(resources.map((one) => [`${one.resourceType}/${one.id}`, toFhirJson(plain(one))]));

/** Types of the resources that are not the same after the way there and back, each once for every resource. */
function changed(before: readonly FhirResource[], after: readonly FhirResource[]): string[] {
  const [old, now] = [byName(before), byName(after)];
  const names = new Set([...old.keys(), ...now.keys()]);
  return [...names].filter((name) => old.get(name) !== now.get(name)).map((name) => name.replace(/\/.*/, ''));
}

const publicOnes = existsSync(shared) ? readdirSync(shared).filter((name) => name.endsWith('.xml')) : [];
const ownSummaries = readdirSync(own).filter((name) => name.endsWith('-summary.xml'));
const samples = [
  ...ownSummaries.map((name) => ({ name, file: join(own, name), cc: name.slice(0, 2) })),
  ...publicOnes.map((name) => ({ name, file: join(shared, name), cc: 'pt' })),
];

/** A section that every summary has is written where the document had none: its table of contents names that it is empty. */
const filledUp = Object.fromEntries(ownSummaries.map((name) => [name, ['Composition']]));
/** "Health status" within a problem: an Observation that has the Condition as its focus, which the map does not write yet, and its section does not name. */
const healthStatus = { 'L3_PS_ReferenceTestData_W3.xml': ['Observation', 'Observation', 'Composition'] };
/** What differs, each with its reason. */
const withOriginal: Readonly<Record<string, readonly string[]>> = {
  ...filledUp,
  ...healthStatus,
  // The organisation of a person who signed, who has no name, hangs on nothing in FHIR.
  'PT_CDA_W3_898765392_HipReplacement.xml': ['Organization'],
};
const withoutOriginal: Readonly<Record<string, readonly string[]>> = {
  ...withOriginal,
  // Sections without entries: their narrative is not written, so they have their title for a text.
  'RTD_W2_known_absence.xml': ['Composition'],
  // The person's only identifier has a root that is no UID: she has none in FHIR, so another id, and all that refers to her.
  'RTD_W4_known_absence.xml': [
    'AllergyIntolerance',
    'Composition',
    'Condition',
    'Device',
    'DeviceUseStatement',
    'DocumentReference',
    'MedicationStatement',
    'Patient',
    'Patient',
    'Procedure',
    'RelatedPerson',
  ],
};

describe('CDA → FHIR → CDA → FHIR gives the same resources', () => {
  it.each(samples)('$name, of the resources alone', ({ name, file, cc }) => {
    const before = read(readFileSync(file), cc);
    const after = read(Buffer.from(documents.write(alone(inputFor(before, cc))).text), cc);
    expect(after.account.rejects).toEqual([]);
    expect(changed(before.resources, after.resources).sort()).toEqual([...(withoutOriginal[name] ?? [])].sort());
  });
  it.each(samples)('$name, with what was carried', ({ name, file, cc }) => {
    const before = read(readFileSync(file), cc);
    const after = read(Buffer.from(documents.write(inputFor(before, cc)).text), cc);
    // What could not be used of the original was carried, stands in its section again, and can be used no more than before.
    const refused = ({ account }: Translation): object[] => account.rejects.map(({ code, rule, severity }) => ({ code, rule, severity }));
    expect(refused(after)).toEqual(refused(before));
    expect(changed(before.resources, after.resources)).toEqual(withOriginal[name] ?? []);
  });
  it.skipIf(publicOnes.length === 0)('the public ones, too (skipped where ../shared/fixtures is absent)', () =>
    expect(publicOnes.length).toBeGreaterThan(4),
  );
  it('of every country that has a summary', () => expect(ownSummaries.length).toBeGreaterThan(3));
});

/** Elements whose children stand otherwise than CDA's schema has them. */
function disordered(node: SourceNode): string[] {
  const order = orderOf(node.name);
  const children = node.children.filter(({ name }) => !/^[@#]/.test(name));
  const ranks = order === undefined ? [] : children.map(({ name }) => order.get(name) ?? -1);
  const wrong = ranks.some((rank, i) => rank < 0 || rank < (ranks[i - 1] ?? 0));
  return [...(wrong ? [`${node.path}: ${children.map(({ name }) => name).join(' ')}`] : []), ...children.flatMap(disordered)];
}

describe('the order of elements', () => {
  it.each(samples)('$name has the one that is written down as the schema’s', ({ file }) => {
    expect(disordered(xml(readFileSync(file)))).toEqual([]);
  });
  it.each(samples)('what is written of $name has it, too', ({ file, cc }) => {
    const input = inputFor(read(readFileSync(file), cc), cc);
    for (const one of [input, alone(input)]) expect(disordered(xml(documents.write(one).text))).toEqual([]);
  });
  it('is told where it is wrong', () =>
    expect(disordered(xml('<observation xmlns="urn:hl7-org:v3"><value/><code/></observation>'))).toEqual(['observation: value code']));
});

const mari = read(readFileSync(join(own, 'ee-mari-naidis-summary.xml')), 'ee');

describe('the document', () => {
  const input = inputFor(mari, 'ee');
  const { text, mapVersion, account } = documents.write(input);
  it('claims no template, and says whose summary it is', () => {
    expect(mapVersion).toMatch(/^[0-9a-f]{64}$/);
    expect(text).not.toContain('templateId');
    expect(text).toContain('<id root="1.3.6.1.4.1.28284.6.2.2.1" extension="47101010033"/>');
    expect(text).toContain('<code code="60591-5" codeSystem="2.16.840.1.113883.6.1"');
  });
  it('keeps digits, times, and every code with its object identifier', () => {
    expect(text).toContain('<value xsi:type="PQ" value="71.50" unit="kg"/>');
    expect(text).toContain('<effectiveTime value="20261110093000+0200"/>');
    expect(text).toContain('<translation code="44054006" codeSystem="2.16.840.1.113883.6.96"');
  });
  it('is the same the second time', () => expect(documents.write(input).text).toBe(text));
  it('has what was carried of the original, in place of the map’s own words, and not without it', () => {
    expect(text).toContain('<title>Allergiad</title>');
    expect(text).toContain('<setId root="2.999.1.1" extension="EE-PS-0001-SET"/>');
    expect(text).toContain('<id root="2.999.1.4" extension="ALG-ACT-1"/>');
    expect(text).toMatch(/<act classCode="ACT" moodCode="EVN">\s*<id root="2.999.1.4" extension="ALG-ACT-1"/);
  });
  it('has the words of its sections and its setId of the table of contents, and the map’s own without it', () => {
    const made = documents.write(alone(input)).text;
    for (const said of ['<title>Allergiad</title>', '<setId root="2.999.1.1" extension="EE-PS-0001-SET"/>']) expect(made).toContain(said);
    const resources = input.resources.filter(({ resourceType }) => resourceType !== 'Composition');
    const bare = documents.write({ ...alone(input), resources }).text;
    expect(bare).toContain('<title>Allergies and intolerances</title>');
    expect(bare).not.toContain('EE-PS-0001-SET');
  });
  it('has a narrative of what its entries say, to which they point', () => {
    const { id } = mari.resources.find(({ resourceType }) => resourceType === 'AllergyIntolerance')!;
    const made = documents.write(alone(input)).text;
    expect(made).toContain(`<item ID="AllergyIntolerance-${id}">`);
    expect(made).toContain(`<reference value="#AllergyIntolerance-${id}"/>`);
    expect(made).toContain('<content>Nõgestõbi</content>');
  });
  it('tells in its account what became of every value', () => {
    const told = [...account.mapped, ...account.left].map(({ path }) => path).sort();
    const all = fhirTree(mari.resources)
      .root.leaves()
      .map(({ path }) => path);
    expect(told).toEqual(all.sort());
    expect(account.left.filter(({ rule }) => rule === '(no place)').map(({ path }) => path)).toEqual([]);
  });
});

const patient: FhirResource = { resourceType: 'Patient', id: 'p', identifier: [{ system: 'urn:oid:1.2.3', value: '1' }] };
const written = (...resources: readonly FhirResource[]): string =>
  documents.write({ ...alone(inputFor(mari, 'ee')), resources: [patient, ...resources] }).text;

describe('values of FHIR that no CDA document brought', () => {
  const observation = (more: Record<string, FhirValue>): string =>
    written({
      resourceType: 'Observation',
      id: 'o',
      status: 'final',
      category: [{ coding: [{ code: 'laboratory' }] }],
      code: { text: 'x' },
      ...more,
    });
  it.each<[string, Record<string, FhirValue>, string]>([
    [
      'a bound is no quantity',
      { valueQuantity: { value: 5, comparator: '<', code: 'mg' } },
      '<high value="5" inclusive="false" unit="mg"/>',
    ],
    ['whole numbers', { valueInteger: 7 }, '<value xsi:type="INT" value="7"/>'],
    ['times', { valueDateTime: '2026-11-03T07:30:00Z' }, '<value xsi:type="TS" value="20261103073000+0000"/>'],
    [
      'a code without a URI for its system, in words',
      { code: { coding: [{ system: 'local', code: '1', display: 'Eins' }] } },
      '<originalText>Eins</originalText>',
    ],
    [
      'a code of a system without an object identifier',
      { code: { coding: [{ system: 'urn:x:y', code: '1', display: 'Eins' }] } },
      'codeSystem="3CE7C90E-C09F-8A03-9F8B-2F21431853BC" codeSystemName="urn:x:y" displayName="Eins"',
    ],
    [
      'a table of HL7 v2',
      { code: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'NI' }] } },
      'codeSystem="2.16.840.1.113883.12.203"',
    ],
    [
      'an identifier without a system',
      { id: '6b2f3e5a-1111-8222-8333-00000000000a', identifier: [{ value: '1' }] },
      '<id root="6B2F3E5A-1111-8222-8333-00000000000A"/>',
    ],
    [
      'an identifier without an object identifier',
      { identifier: [{ system: 'https://x.example/ids', value: 'a/1 ä' }] },
      '<id root="2.16.840.1.113883.4.873" extension="https://x.example/ids/a%2F1%20%C3%A4" assigningAuthorityName="https://x.example/ids"/>',
    ],
    [
      'an identifier that is a URI',
      { identifier: [{ system: 'urn:ietf:rfc:3986', value: 'https://x.example/1' }] },
      '<id root="2.16.840.1.113883.4.873" extension="https://x.example/1"/>',
    ],
    [
      'a unit of another system than UCUM',
      { valueQuantity: { value: 3, unit: 'drop', system: 'urn:x:units', code: '00005' } },
      '<translation value="3" code="00005" codeSystem="42BDA4FC-054F-807B-A69A-AB074C6EC0BA" codeSystemName="urn:x:units" displayName="drop"/>',
    ],
    ['a demanded value that is absent', {}, '<effectiveTime nullFlavor="UNK"/>'],
  ])('%s', (_, more, expected) => expect(observation(more)).toContain(expected));
  it('the two numbers of a blood pressure, in its entry and in words', () => {
    const loinc = 'http://loinc.org';
    const part = (code: string, display: string, value: number): FhirValue => ({
      code: { coding: [{ system: loinc, code, display }] },
      valueQuantity: { value, unit: 'mm[Hg]', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
    });
    const text = observation({
      category: [{ coding: [{ code: 'vital-signs' }] }],
      code: { coding: [{ system: loinc, code: '85354-9', display: 'Blood pressure panel' }] },
      effectiveDateTime: '2026-10-02T09:00:00Z',
      component: [part('8480-6', 'Systolic', 121), part('8462-4', 'Diastolic', 79)],
    });
    expect(text.replace(/>\s+</g, '><')).toContain('<content><content>Systolic</content><content>121 mm[Hg]</content></content>');
    const { resources, account } = read(Buffer.from(text), 'ee');
    expect(account.rejects).toEqual([]);
    const codes = resources.flatMap(({ resourceType, code }) => (resourceType === 'Observation' ? [JSON.stringify(code)] : []));
    expect(codes.join()).toMatch(/85354-9/);
    const [panel] = resources.filter(({ resourceType }) => resourceType === 'Observation');
    expect(toFhirJson(panel?.['component'] as FhirValue)).toMatch(/8480-6.*121.*8462-4.*79/);
    expect(account.carried.filter(({ path }) => path.includes('COMP'))).toEqual([]);
    expect(disordered(xml(text))).toEqual([]);
  });
  it('a code that cannot be said is no code', () => {
    const text = observation({ code: { coding: [{ system: 'local', code: 'LOCAL' }] } });
    expect(text).not.toContain('code="LOCAL"');
    expect(text).toContain('<code nullFlavor="OTH"/>');
  });
  it.each([
    { system: 'https://x.example/ids', value: 'a/1 ä|:%' },
    { system: 'urn:x:y', value: '1:2/3' },
    { system: 'urn:ietf:rfc:3986', value: 'https://x.example/1' },
    { system: 'urn:ietf:rfc:3986', value: 'urn:oid:2.999.1' },
  ])('identifier $system $value comes back as it was', (identifier) => {
    const { resources } = read(Buffer.from(observation({ identifier: [identifier] })), 'ee');
    expect(resources.find(({ resourceType }) => resourceType === 'Observation')?.['identifier']).toEqual([identifier]);
  });
  it('a section that every summary has stands without entries as one of which nothing is known', () => {
    const text = written();
    expect(text.match(/<section [^>]*nullFlavor="NI"/g)).toHaveLength(5);
    expect(text).not.toContain('no-known');
  });
});

describe('stays, visits and what relatives had', () => {
  const snomed = 'http://snomed.info/sct';
  const act = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
  const she = mari.resources.find(({ resourceType }) => resourceType === 'Patient')!;
  const ward: FhirResource = {
    resourceType: 'Location',
    id: 'ward',
    name: 'Ward 4',
    identifier: [{ system: 'urn:oid:2.999.3', value: 'W4' }],
  };
  const stay: FhirResource = {
    resourceType: 'Encounter',
    id: 'stay',
    identifier: [{ system: 'urn:oid:2.999.2', value: 'STAY-1' }],
    status: 'finished',
    class: { system: act, code: 'IMP', display: 'inpatient encounter' },
    type: [{ coding: [{ system: snomed, code: '32485007', display: 'Hospital admission' }], text: 'Admission | <ward>' }],
    subject: { reference: `Patient/${she.id}` },
    period: { start: '2026-10-01T08:00:00+03:00', end: '2026-10-05T11:30:00+03:00' },
    reasonCode: [{ coding: [{ system: snomed, code: '195967001', display: 'Asthma' }] }],
    hospitalization: { dischargeDisposition: { coding: [{ system: snomed, code: '306689006', display: 'Discharge to home' }] } },
    location: [{ location: { reference: 'Location/ward' } }],
  };
  const mother: FhirResource = {
    resourceType: 'FamilyMemberHistory',
    id: 'mother',
    identifier: [{ system: 'urn:oid:2.999.2', value: 'FAM-1' }],
    status: 'completed',
    patient: { reference: `Patient/${she.id}` },
    relationship: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH', display: 'mother' }] },
    bornDate: '1931',
    deceasedBoolean: true,
    condition: [
      {
        code: { coding: [{ system: snomed, code: '22298006', display: 'Myocardial infarction' }] },
        contributedToDeath: true,
        onsetAge: { value: 57, unit: 'a', system: 'http://unitsofmeasure.org', code: 'a' },
      },
    ],
  };
  const written = documents.write({ ...alone(inputFor(mari, 'ee')), resources: [...mari.resources, ward, stay, mother] });
  const back = read(Buffer.from(written.text), 'ee');
  const of = (type: string): FhirResource => back.resources.find(({ resourceType }) => resourceType === type)!;
  const said = ({ id: _id, meta: _meta, text: _text, ...rest }: FhirResource): Record<string, FhirValue> => rest;

  it('come back as they were, the class of a stay also among the codes of its type', () => {
    expect(back.account.rejects).toEqual([]);
    const [type] = stay['type'] as FhirResource[];
    const expected = {
      ...said(stay),
      type: [{ ...type, coding: [...(type!['coding'] as FhirValue[]), stay['class']!] }],
      location: [{ location: { reference: `Location/${of('Location').id}` } }],
    };
    expect(toFhirJson(plain(said(of('Encounter'))))).toBe(toFhirJson(plain(expected)));
    expect(toFhirJson(plain(said(of('Location'))))).toBe(toFhirJson(plain(said(ward))));
    expect(toFhirJson(plain(said(of('FamilyMemberHistory'))))).toBe(toFhirJson(plain(said(mother))));
  });
  it('are the same when they go round again', () => {
    const again = read(Buffer.from(documents.write(alone(inputFor(back, 'ee'))).text), 'ee');
    expect(changed(back.resources, again.resources)).toEqual([]);
  });
  it('stand in the order of the schema, and every value of theirs is told of', () => {
    expect(disordered(xml(written.text))).toEqual([]);
    const lost = written.account.left.filter(({ rule }) => rule === '(no place)').map(({ path }) => path);
    expect(lost).toEqual([]);
  });
  it('a stay without a type says that it has none, and keeps its class', () => {
    const { type: _, ...plainer } = stay;
    const { text } = documents.write({ ...alone(inputFor(mari, 'ee')), resources: [...mari.resources, ward, plainer] });
    expect(text).toMatch(/<code nullFlavor="UNK">\s*<translation code="IMP"/);
    expect(disordered(xml(text))).toEqual([]);
  });
});

describe('a text', () => {
  const signs = fc.constantFrom(
    '<',
    '>',
    '&',
    '"',
    "'",
    ']]>',
    '<!--',
    '<?x',
    '</title>',
    '" a="',
    '&amp;',
    '&#60;',
    '\t',
    '\n',
    '\r',
    '\u0000',
    '\u001c',
    '\ud800',
    '\uffff',
    'õ',
    '😀',
    'a',
  );
  const nasty = fc.array(signs, { minLength: 1, maxLength: 12 }).map((parts) => `x${parts.join('')}x`);
  const input = alone(inputFor(mari, 'ee'));
  const shape = (text: string): string[] =>
    xml(text)
      .leaves()
      .map(({ path }) => path);
  const usual = shape(documents.write({ ...input, resources: input.resources.map((one) => replaceTexts(one, 'x') as FhirResource) }).text);

  it('whatever it holds, adds neither element nor attribute, and comes back as it was', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const resources = input.resources.map((one) => replaceTexts(one, text) as FhirResource);
        const document = documents.write({ ...input, resources }).text;
        expect(shape(document)).toEqual(usual);
        const held = text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
        const values = xml(document)
          .leaves()
          .map(({ value }) => value);
        expect(values.filter((value) => value === held).length).toBeGreaterThan(10);
      }),
      { numRuns: 60 },
    );
  });
});

/** Every name, display and text of words, as `text`. */
function replaceTexts(value: FhirValue, text: string): FhirValue {
  if (Array.isArray(value)) return value.map((one) => replaceTexts(one, text));
  if (!isFhirObject(value)) return value;
  const texts = ['family', 'display', 'text', 'description', 'patientInstruction', 'lotNumber'];
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, texts.includes(key) ? text : replaceTexts(one, text)]));
}

describe('what cannot be written is refused', () => {
  it('nobody', () =>
    expect(() => documents.write({ ...alone(inputFor(mari, 'ee')), resources: [] })).toThrow(
      expect.objectContaining({ code: 'translate.back-unwritable', where: 'recordTarget' }),
    ));
  it('more elements than a document may have', () => {
    const many = Array.from({ length: 8_000 }, (_, i) => ({ resourceType: 'Condition', id: String(i), code: { text: 'x' } }));
    expect(() => written(...many)).toThrow(expect.objectContaining({ code: 'translate.back-unwritable', where: 'document' }));
  });
});

describe('a map is checked when it is loaded', () => {
  it.each([
    ['a conversion that is none', { to: 'id', as: 'nothing' }, 'id'],
    ['a concept map that is none', { to: '@code', from: 'gender', map: 'nothing' }, '@code'],
    ['a path that is none', { to: 'id', from: 'gender[' }, 'id'],
    ['a constant beside a value', { to: '@code', from: 'gender', constant: 'F' }, '@code'],
    ['elements beside a conversion', { to: 'id', as: 'II', elements: [{ to: '@root' }] }, 'id'],
    ['a place that is none', { to: '@a/b' }, '(map)'],
  ])('%s', (_, element, rule) =>
    expect(() => BackDocuments.of({ ...summary, elements: [element] })).toThrow(
      expect.objectContaining({ code: 'translate.map-invalid', where: `back/maps/summary.json ${rule}` }),
    ),
  );
});
