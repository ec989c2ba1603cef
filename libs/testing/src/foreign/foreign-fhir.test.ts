import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isRefused } from '@portolan/domain';
import { bundleOf, detectFormat, formats, type FhirResource, type Translation } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { bytesOf, country, foreignFile, foreignNames, sha256, textAt, translated, validator } from './foreign.fixture.js';

const ips = (): Translation => translated(foreignFile('ee-ips-document.json'));
const codes = ({ account }: Translation): string[] => account.rejects.map(({ code, path }) => `${code} ${path}`);
const told = ({ account }: Translation): string[] => account.warnings.map(({ code, path }) => `${code} ${path}`);
const ofType = ({ resources }: Translation, type: string): FhirResource[] => resources.filter(({ resourceType }) => resourceType === type);
const openReferences = (resources: readonly FhirResource[]): string[] => {
  const own = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${id}`));
  const all = [...JSON.stringify(resources).matchAll(/"reference":"([^"#][^"]*)"/g)].map(([, reference = '']) => reference);
  return all.filter((reference) => !own.has(reference));
};

/** Leaves that the account does not tell of, and those told as mapped whole whose text does not stand where they are said to. */
function unaccounted(bytes: Uint8Array, { account, resources }: Translation): string[] {
  const root = formats.find(({ name }) => name === 'fhir')?.read(bytes, { maxBytes: 20_000_000, sha256 }).root;
  const byName = new Map(resources.map((one) => [`${one.resourceType}/${one.id}`, one]));
  const carried = new Set(account.carried.map(({ path }) => path));
  const mapped = new Map(account.mapped.map(({ path, to }) => [path, to]));
  return (root?.leaves() ?? []).flatMap(({ path, value = '' }) => {
    if (carried.has(path) || account.ignored.some((one) => one.path === path)) return [];
    const [name = '', place = ''] = mapped.get(path)?.split('#') ?? [];
    return textAt(byName.get(name) ?? '', place) === value ? [] : [path];
  });
}

describe('each foreign document of our own', () => {
  it.each(foreignNames)('%s: every value is accounted for, references are closed, every resource is R4, ids are stable', (name) => {
    const bytes = foreignFile(name);
    const translation = translated(bytes);
    expect(unaccounted(bytes, translation)).toEqual([]);
    expect(translation.account.mapped.length).toBeGreaterThan(0);
    expect(openReferences(translation.resources)).toEqual([]);
    for (const one of [...translation.resources, ...translation.beside])
      expect(validator.validate(one).filter((issue) => isRefused([issue]))).toEqual([]);
    expect(isRefused(validator.validate(bundleOf([...translation.resources, ...translation.beside], 'https://zz.example/fhir')))).toBe(
      false,
    );
    expect(translated(bytes).resources).toEqual(translation.resources);
    expect(detectFormat(bytes)).toBe('fhir');
  });
});

describe('an International Patient Summary from abroad', () => {
  it('is about its subject, made by its author and custodian', () => {
    const { persons, message, times } = ips();
    expect(persons).toMatchObject([{ identifiers: [{ system: 'urn:oid:2.999.7.2', value: 'SYN-240101-0001' }], birthDate: '1984-01-24' }]);
    expect(message).toMatchObject({
      id: 'urn:oid:2.999.7.1|IPS-SYNTHETIC-0001',
      type: '60591-5',
      authors: [
        { name: 'Tauno Synteetti', identifier: { value: 'DOC-0001' } },
        { name: 'Synthetic Health Centre', identifier: { value: 'ORG-0001' } },
      ],
    });
    expect(times.sent?.from).toBe(Date.parse('2026-10-05T06:30:00Z'));
  });
  it('loses one bad entry and no other, each told with its place', () => {
    expect(codes(ips())).toEqual([
      'translate.modifier-unknown Bundle.entry[7].resource.modifierExtension',
      'translate.resource-unread Bundle.entry[10].resource',
      'ingest.several-persons Bundle.entry[12].resource',
      'fhir.resource-invalid Bundle.entry[9].resource.status',
      'translate.reference-open Bundle.entry[13].resource.subject',
    ]);
    expect(ips().resources.map(({ resourceType }) => resourceType)).toEqual([
      'Composition',
      'Patient',
      'Practitioner',
      'Organization',
      'AllergyIntolerance',
      'Condition',
      'MedicationStatement',
      'Observation',
      'Procedure',
    ]);
    expect(ips().beside).toMatchObject([{ resourceType: 'OperationOutcome', issue: { length: 10 } }]);
  });
  it('keeps an open reference as an identifier, and tells of it', () => {
    const [observation] = ofType(ips(), 'Observation');
    expect(observation?.['performer']).toEqual([
      { identifier: { system: 'urn:ietf:rfc:3986', value: 'https://lab.example/fhir/Organization/77' } },
    ]);
    expect(told(ips())).toContain('translate.reference-open Bundle.entry[8].resource.hasMember[0].reference');
  });
  it('keeps digits, extensions, contained resources and gaps of lists', () => {
    const [observation] = ofType(ips(), 'Observation');
    expect(JSON.stringify(observation)).toContain('"value":5.20,');
    expect(ofType(ips(), 'Patient')[0]).toMatchObject({
      extension: [{ valueAddress: { city: 'Testville' } }],
      name: [{ given: ['Sanni', null] }],
    });
    expect(ofType(ips(), 'MedicationStatement')[0]).toMatchObject({
      contained: [{ id: 'med' }],
      medicationReference: { reference: '#med' },
    });
  });
  it('carries an extension of another version of FHIR, and keeps its neighbour', () => {
    expect(ofType(ips(), 'Condition')[0]?.['extension']).toEqual([
      { url: 'http://hl7.org/fhir/StructureDefinition/condition-dueTo', valueCodeableConcept: { text: 'Pollen (synthetic)' } },
    ]);
    expect(told(ips())).toContain('fhir.resource-invalid Bundle.entry[5].resource.extension[0].url');
  });
  it('keeps a narrative that is mere text, and carries an active one', () => {
    const { account } = ips();
    expect(ofType(ips(), 'Composition')[0]).toMatchObject({ text: { status: 'generated' } });
    expect(ofType(ips(), 'Procedure')[0]).not.toHaveProperty('text');
    expect(account.carried.find(({ path }) => path === 'Bundle.entry[11].resource.text.div')?.value).toContain('<script>');
    expect(JSON.stringify(ips().resources)).not.toContain('<script>');
  });
  it('loses no result for a contained resource that nothing refers to: that alone is carried', () => {
    const laboratory = { resourceType: 'Organization', id: 'lab', name: 'Laboratory (synthetic)' };
    const result = (...contained: unknown[]): unknown => ({
      resourceType: 'Bundle',
      type: 'collection',
      entry: [
        { resource: { resourceType: 'Patient', id: 'p', identifier: [{ system: 'urn:oid:2.999.7.2', value: 'SYN-1' }] } },
        {
          resource: {
            resourceType: 'Observation',
            id: 'o',
            status: 'final',
            code: { text: 'Glucose' },
            subject: { reference: 'Patient/p' },
            performer: [{ reference: '#lab' }],
            contained,
          },
        },
      ],
    });
    const orphan = { resourceType: 'Device', id: 'orphan' };
    const bytes = bytesOf(result(orphan, laboratory));
    const translation = translated(bytes);
    expect(ofType(translation, 'Observation')).toMatchObject([{ performer: [{ reference: '#lab' }], contained: [laboratory] }]);
    expect(told(translation)).toContain('fhir.resource-invalid Bundle.entry[1].resource.contained[0]');
    expect(translation.account.carried).toContainEqual({ path: 'Bundle.entry[1].resource.contained[0].id', value: 'orphan' });
    expect(unaccounted(bytes, translation)).toEqual([]);
    expect(ofType(translated(bytesOf(result(laboratory, { ...laboratory, id: 'lab2', active: 'yes' }))), 'Observation')).toHaveLength(1);
    expect(codes(translated(bytesOf(result({ ...laboratory, active: 'yes' }))))).toEqual([
      'fhir.resource-invalid Bundle.entry[1].resource.contained[0].active',
    ]);
  });
  it('claims no profile and no version of the server that it came from', () =>
    expect(JSON.stringify(translated(foreignFile('ee-transaction.json')).resources)).not.toMatch(/versionId|lastUpdated|"profile"/));
});

describe('ids of the house', () => {
  const patient = (id: string): unknown => ({ resourceType: 'Patient', id, identifier: [{ system: 'urn:oid:2.999.7.2', value: 'SYN-1' }] });
  const idOf = (document: unknown, source?: string): string | undefined =>
    translated(bytesOf(document), undefined, source).resources[0]?.id;
  it('are the same for a newer version of a resource, and differ between senders', () => {
    const newer = { ...(patient('1') as object), birthDate: '1990-01-01' };
    expect(idOf(newer, 'hospital-a')).toBe(idOf(patient('1'), 'hospital-a'));
    expect(idOf(patient('1'), 'hospital-b')).not.toBe(idOf(patient('1'), 'hospital-a'));
  });
  it('of a name that holds in its document alone differ between documents', () => {
    const collection = (value: string): unknown => ({
      resourceType: 'Bundle',
      identifier: { system: 'urn:oid:2.999.1', value },
      type: 'collection',
      entry: [{ resource: patient('p') }],
    });
    expect(idOf(collection('1'), 'a')).toBe(idOf(collection('1'), 'a'));
    expect(idOf(collection('1'), 'a')).not.toBe(idOf(collection('2'), 'a'));
  });
  it('a second entry of one address is carried', () => {
    const entry = { fullUrl: 'https://x.example/fhir/Patient/1', resource: patient('1') };
    const twice = translated(bytesOf({ resourceType: 'Bundle', type: 'collection', entry: [entry, entry] }));
    expect(codes(twice)).toEqual(['translate.value-conflict Bundle.entry[1].resource']);
  });
});

describe('references', () => {
  const bundle = (subject: unknown, extra: unknown[] = []): Uint8Array =>
    bytesOf({
      resourceType: 'Bundle',
      type: 'collection',
      entry: [
        {
          fullUrl: 'https://a.example/fhir/Patient/1',
          resource: { resourceType: 'Patient', id: '1', identifier: [{ system: 'urn:x', value: '1' }] },
        },
        { fullUrl: 'https://a.example/fhir/Condition/2', resource: { resourceType: 'Condition', id: '2', code: { text: 'x' }, subject } },
        ...extra,
      ],
    });
  it.each([
    ['relative', { reference: 'Patient/1' }],
    ['absolute', { reference: 'https://a.example/fhir/Patient/1' }],
    ['of a version', { reference: 'Patient/1/_history/7' }],
    ['logical', { identifier: { system: 'urn:x', value: '1' } }],
  ])('%s: about the person of the document', (_, subject) => expect(ofType(translated(bundle(subject)), 'Condition')).toHaveLength(1));
  it.each([
    ['of another person of the same server', { reference: 'Patient/9' }],
    ['of the same name on another server', { reference: 'https://b.example/fhir/Patient/1' }],
    ['to another by an identifier', { identifier: { system: 'urn:x', value: '2' } }],
    ['that nobody can tell', { reference: 'urn:uuid:33333333-3333-4333-8333-333333333333' }],
  ])('%s: never filed under the person of the document', (_, subject) => {
    const translation = translated(bundle(subject));
    expect(ofType(translation, 'Condition')).toEqual([]);
    expect(codes(translation)).toEqual(['translate.reference-open Bundle.entry[1].resource.subject']);
  });
  it('to what is left out are open, however long the chain', () => {
    const broken = { fullUrl: 'https://a.example/fhir/Encounter/3', resource: { resourceType: 'Encounter', id: '3' } };
    const procedure = {
      fullUrl: 'https://a.example/fhir/Procedure/4',
      resource: {
        resourceType: 'Procedure',
        id: '4',
        status: 'completed',
        subject: { reference: 'Patient/1' },
        encounter: { reference: 'Encounter/3' },
      },
    };
    const translation = translated(bundle({ reference: 'Patient/1' }, [broken, procedure]));
    expect(openReferences(translation.resources)).toEqual([]);
    expect(ofType(translation, 'Procedure')[0]).toMatchObject({
      encounter: { identifier: { value: 'https://a.example/fhir/Encounter/3' } },
    });
  });
});

describe('a country', () => {
  it('adds the counterpart of a foreign code by its own concept map, and keeps the original', () => {
    const map = {
      resourceType: 'ConceptMap',
      id: 'diagnosis-codes',
      status: 'active',
      group: [
        {
          source: 'http://snomed.info/sct',
          target: 'http://hl7.org/fhir/sid/icd-10',
          element: [{ code: '195967001', target: [{ code: 'J45.9', equivalence: 'equivalent' }] }],
        },
      ],
    };
    const translation = translated(foreignFile('ee-ips-document.json'), country('ZZ', { 'code-maps/diagnosis.json': map }));
    expect(ofType(translation, 'Condition')[0]).toMatchObject({ code: { coding: [{ code: 'J45.9' }, { code: '195967001' }] } });
    expect(unaccounted(foreignFile('ee-ips-document.json'), translation)).toEqual([]);
  });
  it('takes a type out of force by a rule', () => {
    const off = { map: 'zz/no-allergies', format: 'fhir', resources: [{ id: 'allergy-intolerance', off: { reason: 'kept elsewhere' } }] };
    const translation = translated(foreignFile('ee-ips-document.json'), country('ZZ', { 'maps/off.json': off }));
    expect(ofType(translation, 'AllergyIntolerance')).toEqual([]);
    expect(codes(translation)).toContain('translate.resource-unread Bundle.entry[4].resource');
  });
});

describe('what is refused', () => {
  const deep = `{"resourceType":"Patient","x":${'['.repeat(80)}${']'.repeat(80)}}`;
  const many = { resourceType: 'Bundle', type: 'collection', entry: Array.from({ length: 5_001 }, () => ({})) };
  it.each([
    ['no JSON', '{"resourceType":', 'ingest.malformed'],
    ['a member twice', '{"resourceType":"Patient","gender":"male","gender":"female"}', 'ingest.malformed'],
    ['nested too deep', deep, 'ingest.malformed'],
    ['no resource', '{"a":1}', 'ingest.malformed'],
    ['an empty Bundle', '{"resourceType":"Bundle","type":"collection"}', 'ingest.malformed'],
    ['too many entries', JSON.stringify(many), 'ingest.too-large'],
    ['too large', `{"resourceType":"Patient","x":"${'x'.repeat(1_100_000)}"}`, 'ingest.too-large'],
  ])('%s', (_, text, code) => expect(() => translated(new TextEncoder().encode(text))).toThrow(expect.objectContaining({ code })));
  it('what is not UTF-8', () =>
    expect(() => translated(Uint8Array.of(0x7b, 0xff, 0x7d))).toThrow(expect.objectContaining({ code: 'ingest.encoding-invalid' })));
  it.each([
    ['a Bundle of answers', { type: 'transaction-response' }, 'ingest.type-unsupported'],
    [
      'nobody whom it is about',
      { type: 'collection', entry: [{ resource: { resourceType: 'Organization', name: 'X' } }] },
      'translate.value-missing',
    ],
  ])('%s: as a document', (_, members, code) => {
    const entry = [{ resource: { resourceType: 'Patient', identifier: [{ system: 'urn:x', value: '1' }] } }];
    const { account } = translated(bytesOf({ resourceType: 'Bundle', entry, ...members }));
    expect(account.rejects.filter(({ severity }) => severity === 'document').map((one) => one.code)).toContain(code);
  });
});

const shared = fileURLToPath(new URL('../../../../../shared/fixtures/kmehr/medication-scheme/', import.meta.url));
const present = existsSync(shared);
describe.skipIf(!present)(`public FHIR documents${present ? '' : ' (../shared/fixtures is absent)'}`, () => {
  const names = present ? readdirSync(shared).filter((name) => name.endsWith('.fhir.json')) : [];
  it.each(names)('%s', (name) => {
    const bytes = readFileSync(`${shared}${name}`);
    const translation = translated(bytes);
    expect(unaccounted(bytes, translation)).toEqual([]);
    expect(openReferences(translation.resources)).toEqual([]);
    expect(translation.persons).toHaveLength(1);
  });
});
