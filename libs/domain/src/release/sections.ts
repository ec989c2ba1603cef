import type { SummaryWording } from '@portolan/contracts';
import { hasCode, objects, type Json, type Resource } from './resource.js';

/** The sections by their keys in `summary-wording`. */
export type SectionKey = keyof SummaryWording['sections'];

/** A section of the summary: its LOINC code, and what it takes. */
export interface Section {
  readonly key: SectionKey;
  readonly code: string;
  readonly display: string;
  /** IPS 2.0.0 requires it, also when there is nothing to say. */
  readonly required: boolean;
  readonly types: readonly string[];
  readonly takes?: (resource: Resource) => boolean;
}

const OBSERVATION_CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const CLINICAL_STATUS = 'http://terminology.hl7.org/CodeSystem/condition-clinical';

const inCategory =
  (...codes: readonly string[]) =>
  (resource: Resource): boolean =>
    resource.resourceType !== 'Observation' || objects(resource['category']).some((c: Json) => hasCode(c, OBSERVATION_CATEGORY, codes));
const isPast = (condition: Resource): boolean =>
  hasCode(condition['clinicalStatus'], CLINICAL_STATUS, ['inactive', 'resolved', 'remission']);

/** Sections of IPS 2.0.0, then those that other permitted categories need; a resource stands in the first that takes it. */
export const sections: readonly Section[] = [
  { key: 'allergies', code: '48765-2', display: 'Allergies and adverse reactions Document', required: true, types: ['AllergyIntolerance'] },
  {
    key: 'medications',
    code: '10160-0',
    display: 'History of Medication use Narrative',
    required: true,
    types: ['MedicationStatement', 'MedicationRequest'],
  },
  {
    key: 'problems',
    code: '11450-4',
    display: 'Problem list - Reported',
    required: true,
    types: ['Condition'],
    takes: (condition) => !isPast(condition),
  },
  { key: 'immunizations', code: '11369-6', display: 'History of Immunization note', required: false, types: ['Immunization'] },
  { key: 'procedures', code: '47519-4', display: 'History of Procedures Document', required: false, types: ['Procedure'] },
  { key: 'devices', code: '46264-8', display: 'History of medical device use', required: false, types: ['DeviceUseStatement'] },
  {
    key: 'results',
    code: '30954-2',
    display: 'Relevant diagnostic tests/laboratory data note',
    required: false,
    types: ['DiagnosticReport', 'Observation'],
    takes: inCategory('laboratory', 'imaging'),
  },
  {
    key: 'vitalSigns',
    code: '8716-3',
    display: 'Vital signs note',
    required: false,
    types: ['Observation'],
    takes: inCategory('vital-signs'),
  },
  {
    key: 'socialHistory',
    code: '29762-2',
    display: 'Social history note',
    required: false,
    types: ['Observation'],
    takes: inCategory('social-history', 'exam', 'survey', 'activity', 'therapy', 'procedure'),
  },
  { key: 'pregnancy', code: '10162-6', display: 'History of pregnancies Narrative', required: false, types: ['Observation'] },
  { key: 'pastProblems', code: '11348-0', display: 'History of Past illness note', required: false, types: ['Condition'] },
  { key: 'alerts', code: '104605-1', display: 'Alert', required: false, types: ['Flag'] },
  // IPS 2.0.0 has no place for a referral: its plan of care (18776-5) takes CarePlan, DocumentReference and ImmunizationRecommendation alone.
  { key: 'referrals', code: '57133-1', display: 'Referral note', required: false, types: ['ServiceRequest'] },
  { key: 'imaging', code: '18748-4', display: 'Diagnostic imaging study', required: false, types: ['ImagingStudy'] },
  { key: 'dispensed', code: '60590-7', display: 'Medication dispensed.brief Document', required: false, types: ['MedicationDispense'] },
  { key: 'claims', code: '48768-6', display: 'Payment sources Document', required: false, types: ['Claim', 'ExplanationOfBenefit'] },
];

/** The section where a resource stands; undefined for supporting ones. */
export const sectionOf = (resource: Resource): SectionKey | undefined =>
  sections.find((s) => s.types.includes(resource.resourceType) && (s.takes?.(resource) ?? true))?.key;
