import { hasCode, objects, type Json, type JsonObject, type Resource } from './resource.js';

/** FHIR data-absent-reason: the source does not say. Never a value in its place. */
const unknown: JsonObject = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
};

/** Elements that IPS 2.0.0 requires beyond FHIR R4: one of `any`, else `missing` says that it is unknown. */
interface Requirement {
  readonly any: readonly string[];
  readonly missing: Readonly<Record<string, Json>>;
}

const dated = (element: string): Requirement => ({
  any: [`${element}DateTime`, `${element}Period`, `${element}String`, `${element}Instant`, `${element}Timing`, `_${element}DateTime`],
  missing: { [`_${element}DateTime`]: unknown },
});
const one = (element: string, missing: Json): Requirement => ({ any: [element, `_${element}`], missing: { [element]: missing } });
const anonymous: Json = [{ _text: unknown }];

const requirements: Readonly<Record<string, readonly Requirement[]>> = {
  AllergyIntolerance: [one('code', unknown)],
  Condition: [one('code', unknown)],
  DiagnosticReport: [dated('effective')],
  MedicationStatement: [dated('effective')],
  Observation: [dated('effective'), one('performer', [unknown])],
  Organization: [{ any: ['name', '_name'], missing: { _name: unknown } }],
  Patient: [one('name', anonymous), { any: ['birthDate', '_birthDate'], missing: { _birthDate: unknown } }],
  Practitioner: [one('name', anonymous)],
  Procedure: [one('code', unknown), dated('performed')],
  Specimen: [one('type', unknown)],
};

const OBSERVATION_CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const results = ['laboratory', 'imaging'];
const holdsNothing = (r: Resource): boolean =>
  !Object.keys(r).some((key) => /^_?value[A-Z]/.test(key) || key === 'hasMember' || key === 'component' || key === 'dataAbsentReason');
const isResult = (r: Resource): boolean =>
  r.resourceType === 'Observation' && objects(r['category']).some((c) => hasCode(c, OBSERVATION_CATEGORY, results));
const absent: JsonObject = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'unknown', display: 'Unknown' }],
};

/** The resource with what IPS requires and the source does not say marked as unknown. */
export function ipsShape(resource: Resource): Resource {
  const lacking = (requirements[resource.resourceType] ?? []).filter(({ any }) => any.every((key) => resource[key] === undefined));
  const shaped = lacking.reduce<Resource>((made, { missing }) => ({ ...made, ...missing }), resource);
  return isResult(shaped) && holdsNothing(shaped) ? { ...shaped, dataAbsentReason: absent } : shaped;
}
