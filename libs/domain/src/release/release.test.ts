import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { categoriesOf } from './categories.js';
import { covers } from './covers.js';
import type { StoredResource } from './record-source.port.js';
import { release, type ReleasePlan } from './release.js';
import { narrow } from './scope.js';
import { isWellFormed } from './well-formed.fixture.js';
import { englishWording } from './wording.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const EE_ID = { system: 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1', value: '47101010033' };

const stored = (resource: Record<string, unknown>, text = JSON.stringify(resource)): StoredResource => ({
  type: String(resource['resourceType']),
  id: String(resource['id']),
  versionId: '3',
  lastUpdated: '2026-11-01T08:00:00.000Z',
  text,
  categories: categoriesOf(resource as never),
  custodian: 'EE',
});
const subject = { reference: 'Patient/p1', display: 'Mari Näidis' };
const lab = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }];

const patient = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [EE_ID, { system: 'urn:hospital', value: 'MRN-778899' }],
  name: [{ family: 'Näidis', given: ['Mari'], extension: [{ url: 'urn:portolan:carried', valueString: 'CARRIED' }] }],
  birthDate: '1971-01-01',
  gender: 'female',
  telecom: [{ system: 'phone', value: '+372 5550 1234' }],
  address: [{ line: ['Näidise 1'] }],
};
const sodium = `{"resourceType":"Observation","id":"o1","meta":{"versionId":"3","tag":[{"code":"internal"}]},"status":"final",
 "category":${JSON.stringify(lab)},"code":{"text":"Sodium <b>&"},"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2026-10-01T08:00:00+03:00",
 "encounter":{"reference":"Encounter/e1","display":"Psychiatry ward"},"performer":[{"reference":"Practitioner/d1"}],"specimen":{"reference":"Specimen/s1"},
 "valueQuantity":{"value":140.50,"unit":"mmol/L"},"interpretation":[{"coding":[{"code":"H","display":"High"}]}],
 "extension":[{"url":"urn:portolan:carried","valueString":"CARRIED"}],"text":{"status":"generated","div":"<div>SOURCE NARRATIVE</div>"}}`;
const record: readonly StoredResource[] = [
  stored(patient),
  stored({ resourceType: 'Observation', id: 'o1', category: lab, status: 'final' }, sodium),
  stored({
    resourceType: 'DiagnosticReport',
    id: 'r1',
    status: 'final',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: 'LAB' }] }],
    code: { text: 'Electrolytes' },
    subject,
    effectiveDateTime: '2026-10-01T08:00:00+03:00',
    result: [{ reference: 'Observation/o1' }],
    basedOn: [{ reference: 'ServiceRequest/sr1' }],
    presentedForm: [{ contentType: 'application/pdf', data: 'T1JJR0lOQUw=' }],
  }),
  stored({
    resourceType: 'Condition',
    id: 'c1',
    subject,
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/event-performer', valueReference: { reference: 'Practitioner/d2' } }],
    code: { coding: [{ system: 'http://snomed.info/sct', code: '44054006', display: 'Diabetes mellitus type 2' }] },
    clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
    evidence: [{ detail: [{ reference: 'Observation/o1', display: 'Sodium' }] }],
    asserter: { reference: 'Practitioner/d1', display: 'Dr Proov' },
  }),
  stored({
    resourceType: 'MedicationStatement',
    id: 'm1',
    status: 'active',
    subject,
    medicationCodeableConcept: { text: 'Metformin 500 mg' },
    reasonReference: [{ reference: 'Condition/c1', display: 'Diabetes mellitus type 2' }],
  }),
  stored({ resourceType: 'ServiceRequest', id: 'sr1', status: 'active', intent: 'order', subject, code: { text: 'Secret referral' } }),
  stored({
    resourceType: 'DocumentReference',
    id: 'dr1',
    status: 'current',
    subject,
    content: [{ attachment: { contentType: 'text/plain', data: 'T1JJRw==' } }],
  }),
  stored({ resourceType: 'Provenance', id: 'pv1', target: [{ reference: 'Observation/o1' }], agent: [{ who: { display: 'PROVENANCE' } }] }),
  stored({ resourceType: 'Practitioner', id: 'd1', name: [{ text: 'Dr Proov' }], telecom: [{ value: '+372 000' }] }),
  stored({ resourceType: 'Practitioner', id: 'd2', name: [{ text: 'Dr Unseen' }] }),
  stored({ resourceType: 'Specimen', id: 's1', subject, type: { text: 'Serum' }, request: [{ reference: 'ServiceRequest/sr1' }] }),
  stored({
    resourceType: 'Observation',
    id: 'o9',
    category: lab,
    status: 'final',
    code: { text: 'Foreign' },
    subject: { reference: 'Patient/p2' },
    effectiveDateTime: '2026-10-01',
  }),
];

const plan = (categories: ReleasePlan['permit']['categories'], more: Partial<ReleasePlan> = {}): ReleasePlan => ({
  permit: { categories, identifiers: [EE_ID] },
  asked: { categories },
  gathered: record,
  custodian: { country: 'EE', identifier: { system: 'urn:ee:organisation', value: '90000001' }, name: 'Näidise haigla' },
  wording: englishWording,
  timestamp: '2026-11-21T10:00:00.000Z',
  sha256,
  ...more,
});
const textOf = (p: ReleasePlan): string => release(p)?.text ?? '';
const bundleOf = (p: ReleasePlan): fhir4.Bundle => JSON.parse(textOf(p)) as fhir4.Bundle;
const types = (bundle: fhir4.Bundle): string[] => (bundle.entry ?? []).map((e) => e.resource?.resourceType ?? '');
const composition = (bundle: fhir4.Bundle): fhir4.Composition => bundle.entry?.[0]?.resource as fhir4.Composition;
const section = (bundle: fhir4.Bundle, code: string): fhir4.CompositionSection | undefined =>
  composition(bundle).section?.find((s) => s.code?.coding?.[0]?.code === code);

describe('release of a summary', () => {
  const both = bundleOf(plan(['summary', 'laboratory']));

  it('is a document with Composition first, Patient second, every full URL once', () => {
    expect(both.type).toBe('document');
    expect(types(both).slice(0, 2)).toEqual(['Composition', 'Patient']);
    const urls = both.entry?.map((e) => e.fullUrl);
    expect(new Set(urls).size).toBe(urls?.length);
    expect(both.identifier?.value).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
    expect(composition(both).type.coding?.[0]?.code).toBe('60591-5');
    expect(composition(both).text?.div).toContain('may be incomplete');
  });

  it('has the required sections also without data, and says unavailable, never known absent', () => {
    const allergies = section(both, '48765-2');
    expect(allergies?.entry).toBeUndefined();
    expect(allergies?.emptyReason?.coding?.[0]?.code).toBe('unavailable');
    expect(section(both, '11450-4')?.entry).toHaveLength(1);
    expect(section(both, '10160-0')?.entry).toHaveLength(1);
    expect(section(both, '30954-2')?.entry).toHaveLength(2);
    expect(section(both, '47519-4')).toBeUndefined();
    expect(JSON.stringify(both)).not.toContain('716186003');
  });

  it('keeps a known absence that the source recorded', () => {
    const none = {
      resourceType: 'AllergyIntolerance',
      id: 'a0',
      patient: subject,
      code: { coding: [{ system: 'http://snomed.info/sct', code: '716186003', display: 'No known allergy' }] },
    };
    const bundle = bundleOf(plan(['summary'], { gathered: [...record, stored(none)] }));
    expect(section(bundle, '48765-2')?.text?.div).toContain('No known allergy');
    expect(section(bundle, '48765-2')?.emptyReason).toBeUndefined();
  });

  it('shows of the Patient only what was sent, and name, birth date and gender from the record', () => {
    const shown = both.entry?.[1]?.resource as fhir4.Patient;
    expect(Object.keys(shown).toSorted()).toEqual(['birthDate', 'gender', 'id', 'identifier', 'name', 'resourceType']);
    expect(shown.identifier).toEqual([EE_ID]);
    expect(JSON.stringify(both)).not.toMatch(/MRN-778899|5550 1234|Näidise 1"/);
  });

  it('leaves with the custodian: source narrative, attachments, carried parts, provenance, tags, unseen helpers', () => {
    for (const left of [
      'SOURCE NARRATIVE',
      'T1JJR',
      'CARRIED',
      'PROVENANCE',
      'internal',
      'Dr Unseen',
      'Psychiatry',
      'Secret',
      '+372 000',
      'Foreign',
    ]) {
      expect(JSON.stringify(both)).not.toContain(left);
    }
    expect(JSON.stringify(both)).toContain('Dr Proov');
  });

  it('leaves out what its source took back, and shows what it refutes as refuted', () => {
    const problem = (id: string, verification: string) =>
      stored({
        resourceType: 'Condition',
        id,
        subject,
        code: { text: `Problem ${id}` },
        verificationStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: verification }] },
      });
    const bundle = bundleOf(
      plan(['summary'], { gathered: [...record, problem('wrong', 'entered-in-error'), problem('doubted', 'refuted')] }),
    );
    expect(JSON.stringify(bundle)).not.toContain('Problem wrong');
    expect(section(bundle, '11450-4')?.text?.div).toContain('<td>Problem doubted</td><td>refuted</td>');
  });

  it("shows none of the person's other identifiers in any resource", () => {
    const observed = JSON.parse(sodium) as Record<string, unknown>;
    const marked = stored({ ...observed, id: 'o2', identifier: [{ value: 'MRN-778899' }, { value: 'LAB-1' }] });
    const text = textOf(plan(['laboratory'], { gathered: [...record, marked] }));
    expect(text).toContain('LAB-1');
    expect(text).not.toContain('MRN-778899');
  });

  it('keeps the digits of decimals in value and narrative', () => {
    expect(textOf(plan(['summary', 'laboratory']))).toContain('"value":140.50');
    expect(section(both, '30954-2')?.text?.div).toContain('140.50 mmol/L High');
  });

  it('escapes what the record says, and is well-formed XHTML', () => {
    const div = section(both, '30954-2')?.text?.div ?? '';
    expect(div).toContain('Sodium &lt;b&gt;&amp;');
    expect(isWellFormed(div)).toBe(true);
  });

  it('marks what IPS requires and the source does not say as unknown', () => {
    const medicine = both.entry?.map((e) => e.resource).find((r) => r?.resourceType === 'MedicationStatement') as fhir4.MedicationStatement;
    expect(medicine._effectiveDateTime?.extension?.[0]?.valueCode).toBe('unknown');
  });

  it('gives the same ids in another transfer at another time, and another Bundle identifier', () => {
    const later = bundleOf(plan(['summary', 'laboratory'], { timestamp: '2026-11-22T10:00:00.000Z' }));
    expect(later.entry?.map((e) => e.fullUrl)).toEqual(both.entry?.map((e) => e.fullUrl));
    expect(later.identifier?.value).not.toBe(both.identifier?.value);
    expect(textOf(plan(['summary']))).toBe(textOf(plan(['summary'])));
  });
});

describe('what a permit leaves out', () => {
  it.each([
    {
      name: 'a summary permit shows no laboratory result',
      categories: ['summary'],
      absent: ['Sodium', '140.50', 'Electrolytes', '30954-2', 'Serum'],
    },
    {
      name: 'a laboratory permit shows no disease or medicine',
      categories: ['laboratory'],
      absent: ['Diabetes', 'Metformin', 'Secret referral'],
    },
    {
      name: 'a medication permit shows the medicine and not its reason',
      categories: ['medication'],
      absent: ['Diabetes', 'Sodium', 'reasonReference'],
    },
  ] as const)('$name', ({ categories, absent }) => {
    const text = textOf(plan(categories));
    expect(text).not.toBe('');
    for (const left of absent) expect(text).not.toContain(left);
  });

  it('looks like data never recorded, byte by byte', () => {
    const recorded = textOf(plan(['laboratory']));
    const never = textOf(
      plan(['laboratory'], {
        gathered: record.filter((r) => !['Condition', 'MedicationStatement', 'ServiceRequest', 'DocumentReference'].includes(r.type)),
      }),
    );
    expect(recorded).toBe(never);
  });

  it('narrows the request to the permit, by category and by date', () => {
    const asked = { categories: ['summary', 'laboratory', 'imaging'] as const };
    expect(textOf(plan(['summary'], { asked }))).toBe(textOf(plan(['summary'])));
    const permit = { categories: ['laboratory'] as const, identifiers: [EE_ID], since: '2026-10-02' };
    expect(release(plan(['laboratory'], { permit }))).toBeUndefined();
  });

  it('is nothing at all where nothing is covered, no Patient is held, or another country is custodian', () => {
    expect(release(plan(['claim']))).toBeUndefined();
    expect(release(plan(['laboratory'], { gathered: record.slice(1) }))).toBeUndefined();
    expect(release(plan(['laboratory'], { gathered: record.map((r) => ({ ...r, custodian: 'PT' })) }))).toBeUndefined();
  });
});

describe('the narrower of two scopes', () => {
  it.each([
    ['2020', '2020-05', '2020-05', '2020-05'],
    ['2020-05', '2020', '2020-05', '2020-05'],
    ['2020-05-20T10:00:00+02:00', '2020-05-20', '2020-05-20T10:00:00+02:00', '2020-05-20T10:00:00+02:00'],
    ['2021', undefined, '2021', '2021'],
    ['nonsense', '2020', 'nonsense', 'nonsense'],
    ['2020', 'nonsense', 'nonsense', 'nonsense'],
  ])('of %s and %s begins %s and ends %s', (permitted, asked, since, until) => {
    const scope = (limit: string | undefined) => ({ categories: ['laboratory'] as const, since: limit, until: limit });
    expect(narrow(scope(permitted), scope(asked))).toMatchObject({ since, until });
  });

  it('lets nothing through where a limit cannot be read', () => {
    const permit = { categories: ['laboratory'] as const, identifiers: [EE_ID], until: 'nonsense' };
    expect(release(plan(['laboratory'], { permit }))).toBeUndefined();
  });
});

describe('release of results', () => {
  it('is a collection with Patient, reports and observations, and a manifest of the versions that crossed', () => {
    const out = release(plan(['laboratory']));
    const bundle = JSON.parse(out?.text ?? '') as fhir4.Bundle;
    expect(bundle.type).toBe('collection');
    expect(types(bundle)).toEqual(['Patient', 'Observation', 'DiagnosticReport', 'Practitioner', 'Specimen', 'Organization']);
    expect(bundle.total).toBeUndefined();
    const crossed = out?.manifest.map((m) => `${m.type}/${m.id}/${m.versionId}`).toSorted();
    expect(crossed).toEqual(['DiagnosticReport/r1/3', 'Observation/o1/3', 'Patient/p1/3', 'Practitioner/d1/3', 'Specimen/s1/3']);
    const urls = bundle.entry?.map((e) => e.fullUrl);
    for (const m of out?.manifest ?? []) expect(urls).toContain(`urn:uuid:${m.releasedAs}`);
  });

  it('refuses a stored text that is not the resource it is stored as', () => {
    const broken = { ...record[0]!, text: '{"resourceType":"Patient","id":"p1"' };
    expect(() => release(plan(['laboratory'], { gathered: [broken] }))).toThrow('release.resource-unreadable');
    const other = { ...record[0]!, text: '{"resourceType":"Patient","id":"p7"}' };
    expect(() => release(plan(['laboratory'], { gathered: [other] }))).toThrow('release.resource-unreadable');
  });
});

describe("the receiver's check", () => {
  const opening = { categories: ['summary', 'laboratory'] as const, identifiers: [EE_ID] };
  const text = textOf(plan(['summary', 'laboratory']));
  const altered = (change: (bundle: fhir4.Bundle) => void): string => {
    const bundle = JSON.parse(text) as fhir4.Bundle;
    change(bundle);
    return JSON.stringify(bundle);
  };
  const find = (bundle: fhir4.Bundle, type: string): ReturnType<typeof JSON.parse> =>
    bundle.entry?.map((e) => e.resource).find((r) => r?.resourceType === type) as never;

  it('takes what a release under this permit makes', () => {
    expect(covers(opening, text)).toEqual({ covered: true });
    expect(covers(opening, textOf(plan(['laboratory'])))).toEqual({ covered: true });
  });

  it.each([
    ['a category that the permit does not name', { ...opening, categories: ['summary'] as const }, text, 'release.outside-permit'],
    ['a document without the summary category', { ...opening, categories: ['laboratory'] as const }, text, 'release.outside-permit'],
    ['an entry outside the dates', { ...opening, until: '2026-09-30' }, text, 'release.outside-permit'],
    ['another person', { ...opening, identifiers: [{ ...EE_ID, value: '47101010044' }] }, text, 'release.another-person'],
    [
      'an identifier that was not sent',
      opening,
      altered((b) => find(b, 'Patient').identifier.push({ system: 'x', value: 'y' })),
      'release.another-person',
    ],
    ['no identifier at all', opening, altered((b) => delete find(b, 'Patient').identifier), 'release.another-person'],
    [
      'a second Patient',
      opening,
      altered((b) => b.entry?.push({ fullUrl: 'urn:uuid:x', resource: { resourceType: 'Patient' } })),
      'release.another-person',
    ],
    ['another subject', opening, altered((b) => delete find(b, 'Condition').subject), 'release.another-person'],
    [
      'a reference that leads nowhere',
      opening,
      altered((b) => (find(b, 'Condition').recorder = { reference: 'Practitioner/x1' })),
      'release.reference-open',
    ],
    [
      'a reference to another server',
      opening,
      altered((b) => (find(b, 'Condition').recorder = { reference: 'https://other.example/Practitioner/1' })),
      'release.reference-open',
    ],
    ['a type that never crosses', opening, altered((b) => (find(b, 'Condition').resourceType = 'Encounter')), 'release.outside-permit'],
    [
      'an attachment',
      opening,
      altered((b) => (find(b, 'DiagnosticReport').presentedForm = [{ contentType: 'text/plain' }])),
      'release.outside-permit',
    ],
    [
      'a contained record',
      opening,
      altered((b) => (find(b, 'Condition').contained = [{ resourceType: 'Condition', id: '1' }])),
      'release.outside-permit',
    ],
  ])('refuses %s', (_name, scope, came, code) => {
    expect(covers(scope, came)).toMatchObject({ covered: false, code });
  });

  it.each([
    '',
    '{',
    '[]',
    '{"resourceType":"Patient"}',
    '{"resourceType":"Bundle","entry":[{}]}',
    '{"resourceType":"Bundle","entry":[],"entry":[]}',
    '['.repeat(100),
  ])('throws where %j is no Bundle', (came) => {
    expect(() => covers(opening, came)).toThrow('release.content-invalid');
  });
});
