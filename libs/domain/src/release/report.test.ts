import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DATA_CATEGORIES } from '../kernel/index.js';
import { minimise } from './minimise.js';
import { assembleReport, reportKindOf } from './report.js';
import { objects, text, type JsonObject, type Resource } from './resource.js';
import { englishWording } from './wording.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const subject = { reference: 'Patient/p' };
const encounter = { reference: 'Encounter/e' };
const category = (system: string, code: string): JsonObject[] => [{ coding: [{ system, code }] }];
const laboratory = category('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory');
const record: readonly Resource[] = [
  { resourceType: 'Patient', id: 'p', name: [{ family: 'Näidis' }] },
  { resourceType: 'Organization', id: 'lab', name: 'Labor' },
  {
    resourceType: 'Encounter',
    id: 'e',
    status: 'finished',
    class: { code: 'IMP' },
    subject,
    period: { start: '2026-11-01', end: '2026-11-05' },
    diagnosis: [{ condition: { reference: 'Condition/c' } }, { condition: { reference: 'Procedure/gone' } }],
  },
  { resourceType: 'Condition', id: 'c', code: { text: 'Pneumonia' }, subject, encounter },
  { resourceType: 'Condition', id: 'old', code: { text: 'Asthma' }, subject },
  { resourceType: 'ServiceRequest', id: 's', status: 'completed', intent: 'order', subject },
  {
    resourceType: 'DiagnosticReport',
    id: 'r',
    status: 'final',
    category: category('http://terminology.hl7.org/CodeSystem/v2-0074', 'CH'),
    code: { text: 'Panel' },
    subject,
    encounter,
    issued: '2026-11-02T10:00:00+02:00',
    performer: [{ reference: 'Organization/lab' }],
    basedOn: [{ reference: 'ServiceRequest/s' }],
    result: [{ reference: 'Observation/o' }],
  },
  { resourceType: 'Observation', id: 'o', status: 'final', category: laboratory, code: { text: 'Glucose' }, subject, encounter },
  { resourceType: 'Observation', id: 'x', status: 'final', category: laboratory, code: { text: 'Sodium' }, subject },
];

const content = minimise(record, { categories: DATA_CATEGORIES }, [])!;
const custodian = { country: 'EE', identifier: { system: 'urn:x', value: 'node' }, name: 'Node' };
const assembly = { content, custodian, wording: englishWording, timestamp: '2026-11-20T00:00:00Z', sha256 };
const documentOf = (root: string): { composition: Resource; names: readonly string[] } => {
  const made = assembleReport(assembly, root);
  const [first] = objects(made?.bundle['entry']);
  return {
    composition: (first?.['resource'] ?? {}) as Resource,
    names: (made?.entries ?? []).map(({ source }) => source).toSorted(),
  };
};

describe('the document of a report', () => {
  it('holds the report, what was found, by whom and on which order, and nothing else that was found', () => {
    const { composition, names } = documentOf('DiagnosticReport/r');
    expect(names).toEqual(['DiagnosticReport/r', 'Observation/o', 'Organization/lab', 'Patient/p', 'ServiceRequest/s']);
    expect(composition).toMatchObject({
      status: 'final',
      type: { coding: [{ code: '11502-2' }] },
      date: '2026-11-02T10:00:00+02:00',
      title: 'Laboratory report',
    });
    expect(composition['encounter']).toBeUndefined();
    expect(objects(composition['section']).map((one) => [one['title'], objects(one['entry']).length])).toEqual([['Results', 2]]);
    expect(JSON.stringify(composition['author'])).not.toBe(JSON.stringify([composition['custodian']]));
  });

  it('has the same id however often it is made', () => {
    expect(text(documentOf('DiagnosticReport/r').composition, 'id')).toBe(text(documentOf('DiagnosticReport/r').composition, 'id'));
    expect(text(documentOf('DiagnosticReport/r').composition, 'id')).not.toBe(text(documentOf('Encounter/e').composition, 'id'));
  });
});

it.each([
  ['11502-2', 'laboratory'],
  ['18748-4', 'imaging'],
  ['11506-3', undefined],
])('a report from abroad without a category is known by its LOINC code %s', (code, kind) => {
  const report: Resource = { resourceType: 'DiagnosticReport', id: 'f', code: { coding: [{ system: 'http://loinc.org', code }] } };
  expect(reportKindOf(report)).toBe(kind);
});

describe('the document of a stay', () => {
  it('holds what names the stay, and what these refer to', () => {
    const { composition, names } = documentOf('Encounter/e');
    expect(names).toEqual([
      'Condition/c',
      'DiagnosticReport/r',
      'Encounter/e',
      'Observation/o',
      'Organization/lab',
      'Patient/p',
      'ServiceRequest/s',
    ]);
    expect(composition).toMatchObject({ type: { coding: [{ code: '34105-7' }] }, date: '2026-11-05', title: 'Hospital discharge summary' });
    expect(text(composition['encounter'], 'reference')).toMatch(/^urn:uuid:/);
    expect(objects(composition['section']).map((one) => one['title'])).toEqual(['Problems', 'Results', 'Referrals']);
  });

  it('names no diagnosis that does not cross', () => {
    const stay = content.resources.find(({ resourceType }) => resourceType === 'Encounter');
    expect(stay?.['diagnosis']).toEqual([{ condition: { reference: 'Condition/c' } }]);
  });

  it('is preliminary while it lasts', () => {
    expect(reportKindOf({ resourceType: 'Condition', id: 'c' })).toBeUndefined();
    const lasting = {
      ...content,
      resources: content.resources.map((one) => (one['id'] === 'e' ? { ...one, status: 'in-progress' } : one)),
    };
    const made = assembleReport({ ...assembly, content: lasting }, 'Encounter/e');
    expect(objects(made?.bundle['entry'])[0]).toMatchObject({ resource: { status: 'preliminary' } });
    expect(assembleReport(assembly, 'Condition/c')).toBeUndefined();
    expect(assembleReport(assembly, 'Encounter/unknown')).toBeUndefined();
  });
});

describe('an extension whose value stays with the custodian', () => {
  it('goes with it: it would say nothing', () => {
    const url = 'http://hl7.org/fhir/StructureDefinition/workflow-supportingInfo';
    const extension = [{ url, extension: [{ url: 'x', valueAttachment: { contentType: 'text/plain', data: 'aGVsbG8=' } }] }];
    const one: Resource = { resourceType: 'Condition', id: 'c', code: { text: 'Pneumonia' }, subject, extension };
    const cleaned = minimise([record[0]!, one], { categories: DATA_CATEGORIES }, []);
    expect(cleaned?.resources[0]).not.toHaveProperty('extension');
  });
});
