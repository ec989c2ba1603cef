/** A rule of the International Patient Summary 2.0.0 beyond R4: FHIRPath at the Bundle or at each resource of `on`. */
export interface ProfileRule {
  readonly key: string;
  readonly on: string;
  readonly expression: string;
  readonly human: string;
}

const LOINC = "system = 'http://loinc.org'";
const section = (code: string): string => `section.where(code.coding.where(${LOINC} and code = '${code}').exists())`;

const requiredSection = (name: string, code: string): readonly ProfileRule[] => [
  {
    key: `ips-section-${name}`,
    on: 'Composition',
    expression: `${section(code)}.count() = 1`,
    human: `the summary has one section of ${name} (LOINC ${code})`,
  },
  {
    key: `ips-comp-1-${name}`,
    on: 'Composition',
    expression: `${section(code)}.all(entry.reference.exists() or emptyReason.exists())`,
    human: `the section of ${name} has entries or says why it has none`,
  },
];

const needs = (type: string, element: string, expression: string): ProfileRule => ({
  key: `ips-${type.toLowerCase()}-${element}`,
  on: type,
  expression,
  human: `${type}.${element} is required`,
});
const subjects = ['Condition', 'MedicationStatement', 'MedicationRequest', 'Procedure', 'DiagnosticReport'].map((type) =>
  needs(type, 'subject', 'subject.reference.exists()'),
);

/**
 * What IPS 2.0.0 (hl7.fhir.uv.ips) asks of a document and its resources: cardinalities and invariants of its profiles
 * that FHIRPath can say of one resource. Its value sets are preferred or extensible, and are not judged.
 */
export const IPS_RULES: readonly ProfileRule[] = [
  { key: 'ips-document', on: 'Bundle', expression: "type = 'document'", human: 'a summary is a document' },
  {
    key: 'bdl-ips-1',
    on: 'Bundle',
    expression: 'entry.tail().resource.ofType(Composition).empty()',
    human: 'a summary has one Composition',
  },
  { key: 'ips-full-url', on: 'Bundle', expression: 'entry.all(fullUrl.exists())', human: 'each entry has a fullUrl' },
  { key: 'ips-patient', on: 'Bundle', expression: 'entry.resource.ofType(Patient).exists()', human: 'a summary has a Patient' },
  {
    key: 'ips-type',
    on: 'Composition',
    expression: `type.coding.where(${LOINC} and code = '60591-5').exists()`,
    human: 'the document is of type 60591-5 (LOINC)',
  },
  needs('Composition', 'subject', 'subject.reference.exists()'),
  {
    key: 'ips-section',
    on: 'Composition',
    expression: 'section.all(title.exists() and code.exists() and text.exists() and section.empty())',
    human: 'each section has title, code and text, and no sections of its own',
  },
  ...requiredSection('problems', '11450-4'),
  ...requiredSection('allergies', '48765-2'),
  ...requiredSection('medications', '10160-0'),
  needs('Patient', 'birthDate', 'birthDate.exists()'),
  {
    key: 'ips-pat-1',
    on: 'Patient',
    expression: 'name.exists() and name.all(family.exists() or given.exists() or text.exists() or extension.exists())',
    human: 'the patient has a name with family, given or text',
  },
  needs('AllergyIntolerance', 'code', 'code.exists()'),
  needs('AllergyIntolerance', 'patient', 'patient.reference.exists()'),
  needs('Immunization', 'patient', 'patient.reference.exists()'),
  needs('Condition', 'code', 'code.exists()'),
  needs('Procedure', 'code', 'code.exists()'),
  needs('Procedure', 'performed', 'performed.exists()'),
  needs('MedicationStatement', 'effective', 'effective.exists()'),
  needs('DiagnosticReport', 'effective', 'effective.exists()'),
  ...subjects,
];
