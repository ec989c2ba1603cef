const billing = 'Who pays is between the person and the custodian; a claim crosses as Claim or ExplanationOfBenefit';
const third = 'Tells of a third person, who gave no consent';
const uncovered = 'No category of the exchange covers it, so no permit can';
const working = 'Organises the custodian’s own work';

/**
 * Resource types that are kept and never cross as a part of a record, each with the reason. Every type that a format makes has a category,
 * supports what has one, or stands here: what crosses is decided, and never left to what a rule forgot.
 */
export const NEVER_CROSSES: Readonly<Record<string, string>> = {
  Account: billing,
  AdverseEvent: uncovered,
  Appointment: working,
  BodyStructure: uncovered,
  CarePlan: uncovered,
  CareTeam: working,
  ClinicalImpression: uncovered,
  Communication: working,
  CommunicationRequest: working,
  Composition:
    'A document crosses whole or composed anew, never by its table of contents, which names sections that a permit may leave out',
  Consent: 'What somebody consented to elsewhere is no permit here',
  Coverage: billing,
  DetectedIssue: uncovered,
  DeviceRequest: working,
  DocumentReference: 'Originals stay with the custodian: without its attachment, which it must have, it would be no valid resource',
  EpisodeOfCare: working,
  FamilyMemberHistory: third,
  Goal: uncovered,
  ImmunizationRecommendation: uncovered,
  Media: 'Originals stay with the custodian, and it is nothing without its content',
  MedicationAdministration: uncovered,
  NutritionOrder: working,
  Patient: 'Crosses as who the person is, by a rule of its own (minimise.ts)',
  QuestionnaireResponse: uncovered,
  RelatedPerson: third,
  RiskAssessment: uncovered,
  Substance: uncovered,
  Task: working,
  VisionPrescription: uncovered,
};
