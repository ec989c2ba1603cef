/**
 * Order of the children of CDA's elements: the sequences of the complex types of CDA Release 2's schema (POCD_MT000040, normative edition 2005) and of its
 * data types, with the pharmacy extension where IHE PHARM (Community Prescription, vol. 3) puts it: behind the elements of CDA itself; those of the extension `sdtc`
 * stand where C-CDA 2.1 has them.
 */
const clinicalStatement = 'subject specimen performer author informant participant entryRelationship reference precondition';
const act = `realmCode typeId templateId id code text statusCode effectiveTime priorityCode languageCode ${clinicalStatement}`;
const sequences: Readonly<Record<string, string>> = {
  ClinicalDocument:
    'realmCode typeId templateId id code title effectiveTime confidentialityCode languageCode setId versionNumber copyTime recordTarget author dataEnterer informant custodian informationRecipient legalAuthenticator authenticator participant inFulfillmentOf documentationOf relatedDocument authorization componentOf component',
  patientRole: 'realmCode typeId templateId id addr telecom patient providerOrganization',
  patient:
    'realmCode typeId templateId id name administrativeGenderCode birthTime maritalStatusCode religiousAffiliationCode raceCode ethnicGroupCode guardian birthplace languageCommunication',
  guardian: 'realmCode typeId templateId id code addr telecom guardianPerson guardianOrganization',
  languageCommunication: 'realmCode typeId templateId languageCode modeCode proficiencyLevelCode preferenceInd',
  author: 'realmCode typeId templateId functionCode time assignedAuthor',
  assignedAuthor: 'realmCode typeId templateId id code addr telecom assignedPerson assignedAuthoringDevice representedOrganization',
  assignedAuthoringDevice: 'realmCode typeId templateId code manufacturerModelName softwareName asMaintainedEntity',
  assignedEntity: 'realmCode typeId templateId id code addr telecom assignedPerson representedOrganization',
  representedOrganization: 'realmCode typeId templateId id name telecom addr standardIndustryClassCode asOrganizationPartOf',
  representedCustodianOrganization: 'realmCode typeId templateId id name telecom addr',
  providerOrganization: 'realmCode typeId templateId id name telecom addr standardIndustryClassCode asOrganizationPartOf',
  legalAuthenticator: 'realmCode typeId templateId time signatureCode assignedEntity',
  authenticator: 'realmCode typeId templateId time signatureCode assignedEntity',
  performer: 'realmCode typeId templateId functionCode time modeCode assignedEntity',
  participant: 'realmCode typeId templateId functionCode time awarenessCode associatedEntity participantRole',
  associatedEntity: 'realmCode typeId templateId id code addr telecom associatedPerson scopingOrganization',
  specimen: 'realmCode typeId templateId specimenRole',
  specimenRole: 'realmCode typeId templateId id specimenPlayingEntity',
  specimenPlayingEntity: 'realmCode typeId templateId code quantity name desc',
  participantRole: 'realmCode typeId templateId id code addr telecom playingDevice playingEntity scopingEntity',
  playingEntity: 'realmCode typeId templateId code quantity name desc',
  playingDevice: 'realmCode typeId templateId code manufacturerModelName softwareName',
  section: 'realmCode typeId templateId id code title text confidentialityCode languageCode subject author informant entry component',
  act,
  observation: `realmCode typeId templateId id code derivationExpr text statusCode effectiveTime priorityCode repeatNumber languageCode value interpretationCode methodCode targetSiteCode ${clinicalStatement} referenceRange`,
  encounter: `realmCode typeId templateId id code text statusCode effectiveTime priorityCode sdtc:dischargeDispositionCode ${clinicalStatement}`,
  subject:
    'realmCode typeId templateId awarenessCode relatedSubject name administrativeGenderCode birthTime sdtc:deceasedInd sdtc:deceasedTime',
  relatedSubject: 'realmCode typeId templateId code addr telecom subject',
  procedure: `realmCode typeId templateId id code text statusCode effectiveTime priorityCode languageCode methodCode approachSiteCode targetSiteCode ${clinicalStatement}`,
  substanceAdministration: `realmCode typeId templateId id code text statusCode effectiveTime priorityCode repeatNumber routeCode approachSiteCode doseQuantity rateQuantity maxDoseQuantity administrationUnitCode consumable ${clinicalStatement}`,
  supply: `realmCode typeId templateId id code text statusCode effectiveTime priorityCode repeatNumber independentInd quantity expectedUseTime product ${clinicalStatement}`,
  organizer:
    'realmCode typeId templateId id code statusCode effectiveTime subject specimen performer author informant participant reference precondition component',
  observationRange: 'realmCode typeId templateId code text value interpretationCode',
  manufacturedProduct:
    'realmCode typeId templateId id manufacturedLabeledDrug manufacturedMaterial manufacturerOrganization pharm:marketingAuthorizationHolder',
  manufacturedMaterial:
    'realmCode typeId templateId code name lotNumberText pharm:id pharm:code pharm:name pharm:desc pharm:formCode pharm:lotNumberText pharm:expirationTime pharm:asContent pharm:asSpecializedKind pharm:ingredient',
  'pharm:quantity': 'pharm:numerator pharm:denominator',
  maxDoseQuantity: 'numerator denominator',
  effectiveTime: 'originalText low width high center event period phase offset',
  referenceRange: 'realmCode typeId templateId observationRange',
  code: 'originalText qualifier translation',
  value: 'originalText qualifier low high numerator denominator reference translation',
};

const orders = new Map(Object.entries(sequences).map(([name, names]) => [name, new Map(names.split(' ').map((child, i) => [child, i]))]));

/** Child name → its place among the children of an element of that name; undefined where they have no order. */
export function orderOf(name: string): ReadonlyMap<string, number> | undefined {
  return orders.get(name);
}
