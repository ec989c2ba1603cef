import type { ValidationOptions } from '@portolan/domain';
import { resourceOf } from './ips-document.fixture.js';

/** One way to break the summary of `ipsDocument`, and the finding it must lead to. */
export interface BrokenDocument {
  readonly name: string;
  readonly breakIt: (bundle: fhir4.Bundle) => unknown;
  readonly expected: string;
  /** Given where the rules of IPS alone see it. */
  readonly profile?: ValidationOptions['profile'];
}

const alter = (target: object, change: object): object => Object.assign(target, change);
const composition = (bundle: fhir4.Bundle): fhir4.Composition => resourceOf(bundle, 'Composition') as fhir4.Composition;
const problems = (bundle: fhir4.Bundle): fhir4.CompositionSection => composition(bundle).section?.[0] ?? {};

export const BROKEN_DOCUMENTS: readonly BrokenDocument[] = [
  {
    name: 'a section entry that points to nothing',
    breakIt: (b) => alter(problems(b), { entry: [{ reference: 'urn:uuid:gone' }] }),
    expected: 'not-found Bundle.entry[0].resource.section[0].entry[0]',
  },
  {
    name: 'a section entry without reference',
    breakIt: (b) => alter(problems(b), { entry: [{ display: 'x' }] }),
    expected: 'not-found Bundle.entry[0].resource.section[0].entry[0]',
  },
  {
    name: 'a subject that is not in the document',
    breakIt: (b) => alter(resourceOf(b, 'Observation'), { subject: { reference: 'Patient/elsewhere' } }),
    expected: 'not-found Bundle.entry[7].resource.subject',
  },
  {
    name: 'a subject of the wrong type',
    breakIt: (b) => alter(resourceOf(b, 'AllergyIntolerance'), { patient: { reference: b.entry?.[3]?.fullUrl } }),
    expected: 'value Bundle.entry[5].resource.patient',
  },
  {
    name: 'a document that begins with its patient',
    breakIt: (b) => b.entry?.shift(),
    expected: 'invariant Bundle.entry[0] bdl-11',
  },
  {
    name: 'a document without entries',
    breakIt: (b) => delete b.entry,
    expected: 'invariant Bundle.entry[0] bdl-11',
  },
  {
    name: 'a document without identifier',
    breakIt: (b) => delete b.identifier,
    expected: 'invariant Bundle bdl-9',
  },
  {
    name: 'a document without time',
    breakIt: (b) => delete b.timestamp,
    expected: 'invariant Bundle bdl-10',
  },
  {
    name: 'a code outside its set inside an entry',
    breakIt: (b) => alter(resourceOf(b, 'AllergyIntolerance'), { criticality: 'extreme' }),
    expected: 'code-invalid Bundle.entry[5].resource.criticality',
  },
  {
    name: 'an allergy without clinical status',
    breakIt: (b) => alter(resourceOf(b, 'AllergyIntolerance'), { clinicalStatus: undefined }),
    expected: 'invariant Bundle.entry[5].resource ait-1',
  },
  {
    name: 'an empty section',
    breakIt: (b) => composition(b).section?.splice(0, 1, { title: 'x' }),
    expected: 'invariant Bundle.entry[0].resource.section[0] cmp-1',
  },
  {
    name: 'a section with entries and a reason for having none',
    breakIt: (b) => alter(problems(b), { emptyReason: { text: 'x' } }),
    expected: 'invariant Bundle.entry[0].resource.section[0] cmp-2',
  },
  {
    name: 'another kind of document',
    breakIt: (b) => alter(composition(b), { type: { text: 'letter' } }),
    expected: 'invariant Bundle.entry[0].resource ips-type',
    profile: 'ips',
  },
  {
    name: 'no section of allergies',
    breakIt: (b) => composition(b).section?.splice(1, 1),
    expected: 'invariant Bundle.entry[0].resource ips-section-allergies',
    profile: 'ips',
  },
  {
    name: 'a patient without birth date',
    breakIt: (b) => alter(resourceOf(b, 'Patient'), { birthDate: undefined }),
    expected: 'invariant Bundle.entry[1].resource ips-patient-birthDate',
    profile: 'ips',
  },
  {
    name: 'a second composition',
    breakIt: (b) => b.entry?.push({ fullUrl: 'urn:uuid:second', resource: composition(b) }),
    expected: 'invariant Bundle bdl-ips-1',
    profile: 'ips',
  },
];
