/** A synthetic summary: every person and organisation in it is made up. */
type Entry = fhir4.BundleEntry<fhir4.FhirResource>;

const uuid = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const concept = (system: string, code: string, text: string): fhir4.CodeableConcept => ({
  coding: [{ system, code, display: text }],
  text,
});
const div = (text: string): fhir4.Narrative => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml"><h2>${text}</h2><table border="1"><tr><td>a &amp; b &lt; 5.40</td></tr></table></div>`,
});
const LOINC = 'http://loinc.org';
const status = (system: string, code: string): fhir4.CodeableConcept => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
});

const PATIENT = uuid(1);
const PRACTITIONER = uuid(2);
const ORGANIZATION = uuid(3);
const subject = { reference: PATIENT };

const people: Entry[] = [
  {
    fullUrl: PATIENT,
    resource: {
      resourceType: 'Patient',
      id: 'p1',
      text: div('Patient'),
      active: true,
      identifier: [{ use: 'official', system: 'urn:oid:1.3.3.3.1', value: '49001010000', period: { start: '1990-01-01' } }],
      name: [{ use: 'official', family: 'Näidis', given: ['Mari', 'Ann'] }],
      telecom: [{ system: 'phone', value: '+372 5550000', use: 'home', rank: 1 }],
      gender: 'female',
      birthDate: '1990-01-01',
      address: [{ line: ['Näidise 1'], city: 'Tallinn', country: 'EE' }],
      contact: [{ name: { text: 'Jaan Näidis' }, relationship: [status('v2-0131', 'N')] }],
      managingOrganization: { reference: ORGANIZATION },
    },
  },
  {
    fullUrl: PRACTITIONER,
    resource: {
      resourceType: 'Practitioner',
      id: 'd1',
      text: div('Practitioner'),
      name: [{ family: 'Eksemplar' }],
      identifier: [{ system: 'urn:ee:doc', value: 'D1' }],
    },
  },
  { fullUrl: ORGANIZATION, resource: { resourceType: 'Organization', id: 'o1', text: div('Organization'), name: 'Example Hospital' } },
];

const problem = (n: number): Entry => ({
  fullUrl: uuid(n),
  resource: {
    resourceType: 'Condition',
    id: `c${n}`,
    text: div('Condition'),
    clinicalStatus: status('condition-clinical', 'active'),
    verificationStatus: status('condition-ver-status', 'confirmed'),
    code: concept('http://hl7.org/fhir/sid/icd-10', 'I10', 'Hypertension'),
    subject,
    onsetDateTime: '2019-03',
    recordedDate: '2019-03-04T10:00:00+02:00',
  },
});

const allergy = (n: number): Entry => ({
  fullUrl: uuid(n),
  resource: {
    resourceType: 'AllergyIntolerance',
    id: `a${n}`,
    text: div('Allergy'),
    clinicalStatus: status('allergyintolerance-clinical', 'active'),
    type: 'allergy',
    category: ['medication'],
    criticality: 'high',
    code: concept('http://snomed.info/sct', '91936005', 'Penicillin'),
    patient: subject,
    reaction: [{ manifestation: [concept('http://snomed.info/sct', '271807003', 'Rash')], severity: 'mild', onset: '2010' }],
  },
});

const medicine: fhir4.Medication = {
  resourceType: 'Medication',
  id: 'med',
  code: concept('http://www.whocc.no/atc', 'C09AA05', 'ramipril'),
};

const medication = (n: number): Entry => ({
  fullUrl: uuid(n),
  resource: {
    resourceType: 'MedicationStatement',
    id: `m${n}`,
    text: div('Medication'),
    status: 'active',
    contained: [{ ...medicine }],
    medicationReference: { reference: '#med' },
    subject,
    effectivePeriod: { start: '2020-01-01', end: '2026-01-01' },
    dosage: [
      {
        text: '1 tablet daily',
        asNeededBoolean: false,
        timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
        doseAndRate: [{ doseQuantity: { value: 2.5, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' } }],
      },
    ],
  },
});

const result = (n: number): Entry => ({
  fullUrl: uuid(n),
  resource: {
    resourceType: 'Observation',
    id: `r${n}`,
    text: div('Result'),
    status: 'final',
    category: [status('observation-category', 'laboratory')],
    code: concept(LOINC, '718-7', 'Hemoglobin'),
    subject,
    effectiveDateTime: '2026-05-10T08:30:00+03:00',
    issued: '2026-05-10T09:00:00.000+03:00',
    performer: [{ reference: PRACTITIONER }],
    valueQuantity: { value: 134.5, unit: 'g/L', system: 'http://unitsofmeasure.org', code: 'g/L' },
    interpretation: [status('v3-ObservationInterpretation', 'N')],
    referenceRange: [{ low: { value: 120, unit: 'g/L' }, high: { value: 155, unit: 'g/L' } }],
    component: [{ code: concept(LOINC, '4544-3', 'Hematocrit'), valueQuantity: { value: 0.41, unit: 'L/L' } }],
  },
});

const section = (title: string, code: string, entries: readonly Entry[]): fhir4.CompositionSection => ({
  title,
  code: concept(LOINC, code, title),
  text: div(title),
  ...(entries.length === 0
    ? { emptyReason: status('list-empty-reason', 'unavailable') }
    : { entry: entries.map((entry) => ({ reference: entry.fullUrl ?? '' })) }),
});

/** An IPS document with `results` laboratory results beside one problem, one allergy and one medication. */
export function ipsDocument(results = 2): fhir4.Bundle {
  const [problems, allergies, medications] = [[problem(10)], [allergy(11)], [medication(12)]];
  const observations = Array.from({ length: results }, (_, i) => result(100 + i));
  const composition: fhir4.Composition = {
    resourceType: 'Composition',
    id: 'doc',
    text: div('Summary'),
    status: 'final',
    type: concept(LOINC, '60591-5', 'Patient summary Document'),
    subject,
    date: '2026-11-21T10:00:00.000Z',
    author: [{ reference: PRACTITIONER }],
    custodian: { reference: ORGANIZATION },
    title: 'Patient summary',
    section: [
      section('Problems', '11450-4', problems),
      section('Allergies', '48765-2', allergies),
      section('Medications', '10160-0', medications),
      section('Results', '30954-2', observations),
    ],
  };
  return {
    resourceType: 'Bundle',
    id: 'summary',
    type: 'document',
    identifier: { system: 'urn:ietf:rfc:3986', value: uuid(999) },
    timestamp: '2026-11-21T10:00:00.000Z',
    entry: [
      { fullUrl: uuid(0), resource: composition },
      ...structuredClone(people),
      ...problems,
      ...allergies,
      ...medications,
      ...observations,
    ],
  };
}

/** The first resource of `type` in the document, to be altered. */
export function resourceOf(bundle: fhir4.Bundle, type: string): object {
  return bundle.entry?.find((entry) => entry.resource?.resourceType === type)?.resource ?? {};
}
