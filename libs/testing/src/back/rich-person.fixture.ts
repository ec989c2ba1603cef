import type { FhirResource, FhirValue } from '@portolan/formats';
import { DecimalText } from '@portolan/formats';

const SNOMED = 'http://snomed.info/sct';
const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';
const hl7 = (name: string): string => `http://terminology.hl7.org/CodeSystem/${name}`;
const said = (system: string, code: string, display: string): FhirValue => ({ coding: [{ system, code, display }] });
const amount = (value: string, code: string): FhirValue => ({ value: new DecimalText(value), unit: code, system: UCUM, code });
const named = (value: string): FhirValue => [{ system: 'urn:oid:2.999.5.1', value }];
const about = { reference: 'Patient/rich' };
const by = { reference: 'Practitioner/doctor' };

/** Identifier system without an object identifier, as national registers have them. */
export const RICH = { system: 'https://register.example/sid/person', value: '48001010000' } as const;

const observation = (id: string, category: string, code: FhirValue, more: Record<string, FhirValue>): FhirResource => ({
  resourceType: 'Observation',
  id,
  identifier: named(id),
  status: 'final',
  category: [said(hl7('observation-category'), category, category)],
  code,
  subject: about,
  effectiveDateTime: '2026-10-02T09:00:00+03:00',
  performer: [by],
  ...more,
});
const dated = { clinical: hl7('condition-clinical'), verification: hl7('condition-ver-status'), category: hl7('condition-category') };
const condition = (id: string, status: string, code: FhirValue, more: Record<string, FhirValue>): FhirResource => ({
  resourceType: 'Condition',
  id,
  identifier: named(id),
  clinicalStatus: { coding: [{ system: dated.clinical, code: status }] },
  verificationStatus: { coding: [{ system: dated.verification, code: 'confirmed' }] },
  category: [{ coding: [{ system: dated.category, code: 'problem-list-item' }] }],
  code,
  subject: about,
  ...more,
});

/** A made-up person of whom every section of a summary has something to say, as systems that speak FHIR send it. */
export const richPerson: readonly FhirResource[] = [
  {
    resourceType: 'Patient',
    id: 'rich',
    identifier: [{ ...RICH }, { system: 'urn:oid:2.999.5.2', value: 'CHART-7' }],
    name: [{ use: 'official', family: 'Probe-Rikas', given: ['Riina', 'Test'] }],
    telecom: [
      { system: 'phone', value: '+3725550100', use: 'mobile' },
      { system: 'email', value: 'riina@example.org' },
    ],
    gender: 'female',
    birthDate: '1980-01-01',
    address: [{ use: 'home', line: ['Näidise 1-2'], city: 'Tartu', postalCode: '50001', country: 'EE' }],
    generalPractitioner: [by],
  },
  {
    resourceType: 'Practitioner',
    id: 'doctor',
    identifier: [{ system: 'https://register.example/sid/doctor', value: 'D-1' }],
    name: [{ family: 'Näidisarst', given: ['Tiit'], prefix: ['Dr'] }],
  },
  {
    resourceType: 'AllergyIntolerance',
    id: 'allergy',
    identifier: named('allergy'),
    clinicalStatus: { coding: [{ system: hl7('allergyintolerance-clinical'), code: 'active' }] },
    verificationStatus: { coding: [{ system: hl7('allergyintolerance-verification'), code: 'confirmed' }] },
    type: 'allergy',
    category: ['medication'],
    criticality: 'high',
    code: said(SNOMED, '91936005', 'Allergy to penicillin'),
    patient: about,
    onsetDateTime: '2001-05',
    recordedDate: '2010-02-03',
    recorder: by,
    reaction: [
      {
        manifestation: [said(SNOMED, '247472004', 'Weal')],
        severity: 'moderate',
        onset: '2001-05-03',
      },
    ],
    note: [{ text: 'Told by her mother | <1 h after the first dose' }],
  },
  condition('asthma', 'active', said(SNOMED, '195967001', 'Asthma'), {
    severity: said(SNOMED, '6736007', 'Moderate'),
    onsetDateTime: '1999',
    recordedDate: '2020-03-04',
    asserter: by,
    bodySite: [said(SNOMED, '39607008', 'Lung structure')],
    note: [{ text: 'Worse in spring' }],
  }),
  condition('fracture', 'resolved', said(SNOMED, '71620000', 'Fracture of femur'), {
    onsetDateTime: '2015-06-07',
    abatementDateTime: '2015-12-01',
  }),
  {
    ...condition('appendicitis', 'resolved', said(SNOMED, '74400008', 'Appendicitis'), {
      onsetDateTime: '2015-06-07',
      abatementDateTime: '2015-06-12',
    }),
    category: [{ coding: [{ system: dated.category, code: 'encounter-diagnosis' }] }],
  },
  {
    resourceType: 'Medication',
    id: 'inhaler',
    code: said('http://www.whocc.no/atc', 'R03AC02', 'salbutamol'),
    form: said('http://standardterms.edqm.eu', '11112000', 'Pressurised inhalation, suspension'),
    ingredient: [
      {
        itemCodeableConcept: said(SNOMED, '372897005', 'Salbutamol'),
        isActive: true,
        strength: { numerator: amount('100', 'ug'), denominator: amount('1', '{actuat}') },
      },
    ],
  },
  {
    resourceType: 'MedicationStatement',
    id: 'takes-inhaler',
    identifier: named('takes-inhaler'),
    status: 'active',
    medicationReference: { reference: 'Medication/inhaler' },
    subject: about,
    effectivePeriod: { start: '2020-03-04' },
    informationSource: by,
    reasonCode: [said(SNOMED, '195967001', 'Asthma')],
    note: [{ text: 'Rinse the mouth' }],
    dosage: [
      {
        text: 'Two puffs twice a day',
        timing: { repeat: { frequency: 2, period: new DecimalText('1'), periodUnit: 'd' } },
        asNeededCodeableConcept: said(SNOMED, '56018004', 'Wheezing'),
        route: said('http://standardterms.edqm.eu', '20020000', 'Inhalation use'),
        doseAndRate: [{ doseQuantity: amount('2', '{actuat}') }],
      },
    ],
  },
  {
    resourceType: 'MedicationRequest',
    id: 'prescribed',
    identifier: named('prescribed'),
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: said('http://www.whocc.no/atc', 'C10AA05', 'atorvastatin'),
    subject: about,
    authoredOn: '2026-09-01T10:00:00+03:00',
    requester: by,
    dosageInstruction: [
      { text: 'One in the evening', timing: { repeat: { when: ['HS'] } }, doseAndRate: [{ doseQuantity: amount('1', '{tbl}') }] },
    ],
    dispenseRequest: {
      validityPeriod: { start: '2026-09-01', end: '2027-03-01' },
      numberOfRepeatsAllowed: 2,
      quantity: amount('30', '{tbl}'),
    },
    note: [{ text: 'Not with grapefruit' }],
  },
  {
    resourceType: 'Immunization',
    id: 'flu',
    identifier: named('flu'),
    status: 'completed',
    vaccineCode: said('http://www.whocc.no/atc', 'J07BB02', 'influenza, inactivated, split virus or surface antigen'),
    patient: about,
    occurrenceDateTime: '2026-10-02',
    lotNumber: 'LOT-7',
    site: said(SNOMED, '368208006', 'Left upper arm structure'),
    route: said('http://standardterms.edqm.eu', '20035000', 'Intramuscular use'),
    doseQuantity: amount('0.50', 'mL'),
    performer: [{ actor: by }],
    protocolApplied: [{ targetDisease: [said(SNOMED, '6142004', 'Influenza')], doseNumberPositiveInt: 1 }],
  },
  {
    resourceType: 'Procedure',
    id: 'nailing',
    identifier: named('nailing'),
    status: 'completed',
    code: said(SNOMED, '80146002', 'Excision of appendix'),
    subject: about,
    performedDateTime: '2015-06-08T11:00:00+03:00',
    performer: [{ actor: by }],
    encounter: { reference: 'Encounter/stay' },
    bodySite: [said(SNOMED, '71341001', 'Bone structure of femur')],
    reasonCode: [said(SNOMED, '71620000', 'Fracture of femur')],
    note: [{ text: 'No complications' }],
  },
  {
    resourceType: 'Encounter',
    id: 'stay',
    identifier: named('stay'),
    status: 'finished',
    class: { system: hl7('v3-ActCode'), code: 'IMP', display: 'inpatient encounter' },
    type: [said(SNOMED, '32485007', 'Hospital admission')],
    subject: about,
    participant: [{ individual: by }],
    period: { start: '2015-06-07T20:00:00+03:00', end: '2015-06-12T10:00:00+03:00' },
    diagnosis: [{ condition: { reference: 'Condition/appendicitis' } }],
    reasonReference: [{ reference: 'Condition/asthma' }],
  },
  {
    resourceType: 'Device',
    id: 'nail',
    identifier: named('nail'),
    type: said(SNOMED, '14106009', 'Cardiac pacemaker'),
    manufacturer: 'Näidis Implants',
    patient: about,
  },
  {
    resourceType: 'DeviceUseStatement',
    id: 'has-nail',
    identifier: named('has-nail'),
    status: 'active',
    subject: about,
    timingPeriod: { start: '2015-06-08' },
    device: { reference: 'Device/nail' },
    bodySite: said(SNOMED, '71341001', 'Bone structure of femur'),
  },
  observation('pressure', 'vital-signs', said(LOINC, '85354-9', 'Blood pressure panel with all children optional'), {
    component: [
      { code: said(LOINC, '8480-6', 'Systolic blood pressure'), valueQuantity: amount('121', 'mm[Hg]') },
      { code: said(LOINC, '8462-4', 'Diastolic blood pressure'), valueQuantity: amount('79', 'mm[Hg]') },
    ],
  }),
  observation('weight', 'vital-signs', said(LOINC, '29463-7', 'Body weight'), { valueQuantity: amount('71.50', 'kg') }),
  observation('smoking', 'social-history', said(LOINC, '72166-2', 'Tobacco smoking status'), {
    valueCodeableConcept: said(SNOMED, '266919005', 'Never smoked tobacco'),
  }),
  observation('pregnant', 'social-history', said(LOINC, '82810-3', 'Pregnancy status'), {
    valueCodeableConcept: said(SNOMED, '60001007', 'Not pregnant'),
  }),
  observation('sodium', 'laboratory', said(LOINC, '2951-2', 'Sodium [Moles/volume] in Serum or Plasma'), {
    valueQuantity: amount('140.0', 'mmol/L'),
    interpretation: [said(hl7('v3-ObservationInterpretation'), 'N', 'Normal')],
    referenceRange: [{ low: amount('135', 'mmol/L'), high: amount('145', 'mmol/L') }],
    specimen: { reference: 'Specimen/serum' },
    method: said(SNOMED, '702659008', 'Automated technique'),
    note: [{ text: 'Slightly haemolytic' }],
  }),
  observation('crp', 'laboratory', said(LOINC, '1988-5', 'C reactive protein [Mass/volume] in Serum or Plasma'), {
    valueQuantity: { value: new DecimalText('5'), comparator: '<', unit: 'mg/L', system: UCUM, code: 'mg/L' },
    specimen: { reference: 'Specimen/serum' },
  }),
  {
    resourceType: 'Specimen',
    id: 'serum',
    identifier: named('serum'),
    type: said(SNOMED, '119364003', 'Serum specimen'),
    subject: about,
    collection: { collectedDateTime: '2026-10-02T08:30:00+03:00' },
  },
  {
    resourceType: 'DiagnosticReport',
    id: 'chemistry',
    identifier: named('chemistry'),
    status: 'final',
    category: [said(hl7('v2-0074'), 'LAB', 'Laboratory')],
    code: said(LOINC, '24323-8', 'Comprehensive metabolic 2000 panel - Serum or Plasma'),
    subject: about,
    effectiveDateTime: '2026-10-02T08:30:00+03:00',
    issued: '2026-10-02T12:00:00+03:00',
    performer: [by],
    specimen: [{ reference: 'Specimen/serum' }],
    result: [{ reference: 'Observation/sodium' }, { reference: 'Observation/crp' }],
    conclusion: 'Unremarkable',
  },
  {
    resourceType: 'Flag',
    id: 'anaesthesia',
    identifier: named('anaesthesia'),
    status: 'active',
    category: [said(hl7('flag-category'), 'clinical', 'Clinical')],
    code: said(SNOMED, '718447001', 'At increased risk of difficult intubation'),
    subject: about,
    period: { start: '2015-06-08' },
  },
  {
    resourceType: 'ServiceRequest',
    id: 'referral',
    identifier: named('referral'),
    status: 'active',
    intent: 'order',
    priority: 'routine',
    code: said(SNOMED, '183519002', 'Referral to cardiology service'),
    subject: about,
    authoredOn: '2026-10-20T10:00:00+03:00',
    occurrenceDateTime: '2026-12-01',
    requester: by,
    reasonCode: [said(SNOMED, '29857009', 'Chest pain')],
    note: [{ text: 'Please with an exercise test' }],
  },
  {
    resourceType: 'MedicationDispense',
    id: 'dispensed',
    identifier: named('dispensed'),
    status: 'completed',
    medicationCodeableConcept: said('http://www.whocc.no/atc', 'C10AA05', 'atorvastatin'),
    subject: about,
    quantity: amount('30', '{tbl}'),
    whenHandedOver: '2026-09-02T15:00:00+03:00',
    performer: [{ actor: by }],
  },
];
