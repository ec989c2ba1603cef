import type { DataCategory } from '@portolan/contracts';
import { hasCode, isObject, list, type Json, type Resource } from './resource.js';

/** A resource of `type` whose `element` bears one of `codes` of `system` (any where none are named) belongs to `gives`. */
interface CategoryRule {
  readonly type: string;
  readonly element?: string;
  readonly system?: string;
  readonly codes?: readonly string[];
  readonly gives: readonly DataCategory[];
}

const OBSERVATION_CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const DIAGNOSTIC_SERVICE = 'http://terminology.hl7.org/CodeSystem/v2-0074';
const LOINC = 'http://loinc.org';
const observation = (codes: readonly string[], gives: readonly DataCategory[]): CategoryRule => ({
  type: 'Observation',
  element: 'category',
  system: OBSERVATION_CATEGORY,
  codes,
  gives,
});

/**
 * Which resource belongs to which category. The first rule that fits decides; what no rule names belongs to none and
 * never crosses (never-crossing.ts says why, type by type). Laboratory results are `laboratory` alone: a summary shows them where the permit covers both.
 */
const rules: readonly CategoryRule[] = [
  observation(['laboratory'], ['laboratory']),
  observation(['imaging'], ['imaging']),
  observation(['vital-signs', 'social-history', 'exam', 'survey', 'activity', 'therapy', 'procedure'], ['summary']),
  // Pregnancy status, expected delivery date and outcomes: IPS gives these no category.
  {
    type: 'Observation',
    element: 'code',
    system: LOINC,
    codes: ['82810-3', '11778-8', '11779-6', '11780-4', '11640-0', '11612-9', '11613-7', '11614-5', '33065-4', '49051-6'],
    gives: ['summary'],
  },
  {
    type: 'DiagnosticReport',
    element: 'category',
    system: DIAGNOSTIC_SERVICE,
    codes: ['LAB', 'BG', 'BLB', 'CH', 'CP', 'HM', 'IMM', 'MB', 'MCB', 'MYC', 'SP', 'SR', 'TX', 'VR', 'GE', 'CG'],
    gives: ['laboratory'],
  },
  {
    type: 'DiagnosticReport',
    element: 'category',
    system: DIAGNOSTIC_SERVICE,
    codes: ['RAD', 'RX', 'CT', 'CUS', 'NMR', 'NMS', 'OUS', 'RUS', 'VUS', 'XRC', 'EC', 'ICU', 'CTH'],
    gives: ['imaging'],
  },
  { type: 'DiagnosticReport', element: 'code', system: LOINC, codes: ['11502-2'], gives: ['laboratory'] },
  { type: 'DiagnosticReport', element: 'code', system: LOINC, codes: ['18748-4'], gives: ['imaging'] },
  { type: 'AllergyIntolerance', gives: ['summary'] },
  { type: 'Condition', gives: ['summary'] },
  { type: 'Immunization', gives: ['summary'] },
  { type: 'Procedure', gives: ['summary'] },
  { type: 'DeviceUseStatement', gives: ['summary'] },
  { type: 'Flag', gives: ['summary'] },
  { type: 'MedicationStatement', gives: ['summary', 'medication'] },
  { type: 'MedicationRequest', gives: ['medication', 'prescription'] },
  { type: 'MedicationDispense', gives: ['medication', 'prescription'] },
  { type: 'ImagingStudy', gives: ['imaging'] },
  { type: 'ServiceRequest', gives: ['referral'] },
  { type: 'Encounter', gives: ['discharge'] },
  { type: 'Claim', gives: ['claim'] },
  { type: 'ExplanationOfBenefit', gives: ['claim'] },
];

/** Resources that say nothing by themselves and travel with what refers to them. */
const supporting: ReadonlySet<string> = new Set([
  'Device',
  'Location',
  'Medication',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Specimen',
]);

export const isSupporting = (type: string): boolean => supporting.has(type);

function fits(rule: CategoryRule, resource: Resource): boolean {
  if (rule.type !== resource.resourceType) return false;
  const { element, system, codes } = rule;
  if (element === undefined || system === undefined || codes === undefined) return true;
  const value: Json | undefined = resource[element];
  const concepts = isObject(value) ? [value] : list(value);
  return concepts.some((concept) => hasCode(concept, system, codes));
}

/** Resource types of which some belong to one of these categories: what a source is asked for. */
export const typesGiving = (categories: readonly DataCategory[]): readonly string[] => [
  ...new Set(rules.filter(({ gives }) => gives.some((category) => categories.includes(category))).map(({ type }) => type)),
];

/** The categories that a FHIR R4 resource belongs to; none for supporting resources and for what never crosses by itself. */
export const categoriesOf = (resource: Resource): readonly DataCategory[] => rules.find((rule) => fits(rule, resource))?.gives ?? [];
