import type { FhirObject } from '@portolan/domain';
import { describe, expect, it } from 'vitest';
import { disputed } from './disputes.js';
import { proposedVersion, type ProposedVersion } from './proposed-version.js';

const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category';
const patient = { resourceType: 'Patient', id: 'p', identifier: [{ system: 'urn:s', value: '1' }] };
const practitioner = { resourceType: 'Practitioner', id: 'dr', name: [{ text: 'Dr Proov' }] };
const lab = (id: string, more: object = {}): FhirObject => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  text: { status: 'additional', div: '<div/>' },
  category: [{ coding: [{ system: LAB, code: 'laboratory' }] }],
  code: { text: 'Hb' },
  subject: { reference: 'Patient/p' },
  performer: [{ reference: 'Practitioner/dr' }],
  extension: [{ url: 'urn:local:carried', valueString: 'stays' }],
  ...more,
});

const member = lab('member', { valueString: 'ok' });
const entry = lab('obs', { hasMember: [{ reference: 'Observation/member' }], note: [{ text: 'a' }], valueString: 'high' });
const sources = new Map(['Observation/obs', 'Observation/member', 'Practitioner/dr'].map((key) => [`${key}-there`, key]));
/** As a clinician abroad has it, where the member crossed too. */
const seen = {
  resourceType: 'Observation',
  id: 'obs-there',
  meta: { tag: [{ system: 'urn:portolan:tag', code: 'view' }] },
  status: 'final',
  category: [{ coding: [{ system: LAB, code: 'laboratory' }] }],
  code: { text: 'Hb' },
  subject: { reference: 'Patient/handle' },
  performer: [{ reference: 'Practitioner/dr-there' }],
  hasMember: [{ reference: 'Observation/member-there' }],
  note: [{ text: 'a' }],
  valueString: 'high',
};
const proposed = (proposal: unknown, record = [patient, practitioner, entry, member] as unknown as FhirObject[]): ProposedVersion =>
  proposedVersion({ entry, record, proposal: typeof proposal === 'string' ? proposal : JSON.stringify(proposal), sources });

describe('a proposed version', () => {
  it('takes what was changed of what was seen, and keeps everything else of the entry', () => {
    const { resource, changed } = proposed({ ...seen, valueString: 'low' });
    expect(changed).toEqual(['valueString']);
    const { text: _narrative, ...kept } = entry;
    expect(resource).toEqual({ ...kept, valueString: 'low' });
  });

  it('takes an element away, and puts another in', () => {
    const { valueString: _value, ...without } = seen;
    const { resource, changed } = proposed({ ...without, valueQuantity: { value: 1 } });
    expect(changed).toEqual(['valueQuantity', 'valueString']);
    expect(resource).not.toHaveProperty('valueString');
    expect(resource['extension']).toEqual(entry['extension']);
  });

  it('does not take for a change what did not cross', () => {
    const { hasMember: _members, ...narrow } = seen;
    expect(proposed({ ...narrow, status: 'amended' }).changed).toEqual(['status']);
    expect(proposed({ ...narrow, status: 'amended' }).resource['hasMember']).toEqual(entry['hasMember']);
  });

  it('names the entry’s own resources by the ids they have here', () => {
    const { resource } = proposed({ ...seen, derivedFrom: [{ reference: 'Observation/member-there' }] });
    expect(resource['derivedFrom']).toEqual([{ reference: 'Observation/member' }]);
    expect(resource['subject']).toEqual({ reference: 'Patient/p' });
  });

  it.each<[string, unknown]>([
    ['no change', seen],
    ['a new narrative or tag alone', { ...seen, text: { status: 'generated', div: '<div>x</div>' }, meta: {} }],
    ['another entry', { ...seen, id: 'member-there', status: 'amended' }],
    ['an unknown entry', { ...seen, id: 'nobody', status: 'amended' }],
    ['another type', { ...seen, resourceType: 'Condition' }],
    ['a reference to nothing', { ...seen, derivedFrom: [{ reference: 'Observation/elsewhere' }] }],
    ['a reference out of the node', { ...seen, derivedFrom: [{ reference: 'https://example.org/fhir/Observation/1' }] }],
    ['no resource', 'nothing'],
    ['a member twice', '{"resourceType":"Observation","id":"obs-there","id":"obs-there"}'],
  ])('is not made of %s', (_, proposal) => {
    expect(() => proposed(proposal)).toThrow(/person\.proposal-unusable/);
  });

  it('is not made of an entry that is never released', () => {
    const taken = { ...entry, status: 'entered-in-error' } as FhirObject;
    const change = { entry: taken, record: [patient, taken] as unknown as FhirObject[], proposal: JSON.stringify(seen), sources };
    expect(() => proposedVersion(change)).toThrow(/never released/);
  });
});

describe('the mark of a dispute', () => {
  it('stands once, beside what was carried', () => {
    const once = disputed(entry as never, '2026-11-20');
    const twice = disputed(once, '2026-11-21');
    expect(twice['extension']).toEqual([
      { url: 'urn:local:carried', valueString: 'stays' },
      { url: 'urn:portolan:dispute', valueDate: '2026-11-21' },
    ]);
    expect({ ...twice, extension: 0 }).toEqual({ ...entry, extension: 0 });
  });
});
