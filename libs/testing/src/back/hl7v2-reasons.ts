import { reasonsOf, type Reasons } from './reasons.js';

/** What a summary does not get back from messages of HL7 v2.5.1 (ADT, ORU), each with its reason; anything else that differs is a mistake. */
export const hl7v2Reasons: Reasons = reasonsOf({
  'a message has no table of contents': /^Composition gone$/,
  'a medicine is told of in findings, and never in an order that somebody would fill':
    /^Medication(Statement|Request|Dispense)? gone$|^Observation new$/,
  'devices and alerts have no segment': /^(Device|DeviceUseStatement|Flag) gone$/,
  'an order that has no report goes in a message of orders': /^ServiceRequest gone$/,
  'who is named nowhere else is not named': /^(Practitioner|Organization) gone$/,
  'who recorded an entry, and who made a report, has no field': /^(\w+\.recorder|DiagnosticReport\.performer)\.reference gone$/,
  'a vaccination has neither target diseases nor the number of its dose in VXU': /^Immunization\.protocolApplied\./,
  'who gave a vaccination is who administered it': /^Immunization\.performer\.function\.coding\.\w+ new$/,
  'that nothing is known of a performer is said by saying none': /^Observation\.performer\.extension\.\w+ gone$/,
  'the assigner of an identifier is named a second time by its universal id': /\.identifier\.assigner\.identifier\./,
  'an identifier of a result, report, specimen or vaccination is the filler’s':
    /^(Observation|DiagnosticReport|Specimen|Immunization)\.identifier\.type\.coding\.(code|system) new$/,
  'of identifiers that the one who filled an order gave, one is read': /^DiagnosticReport\.identifier\.(value|type\.coding\.code) other$/,
  'an allergy has neither identifier nor day of recording in AL1': /^AllergyIntolerance\.(identifier\.(system|value)|recordedDate) gone$/,
  'AL1-5 has a reaction in words, without time or grade': /^AllergyIntolerance\.reaction\.(manifestation\..*|severity|onset)/,
  'a code of HL7 stands beside that of FHIR': /^AllergyIntolerance\._(category|criticality)\.extension\./,
  'AL1, DG1, PR1 say that it is so, and neither how certain nor whether still':
    /^(AllergyIntolerance\.verificationStatus|Condition\.(clinicalStatus|verificationStatus))\.coding\.\w+ gone$|^Condition\.abatementDateTime gone$|^Procedure\.status other$/,
  'AL1, DG1, PR1 have neither remark nor site nor grade':
    /^((AllergyIntolerance|Condition|Procedure)\.note\.text|(Condition|Procedure)\.bodySite\.coding\.\w+|Condition\.severity\.coding\.\w+) gone$/,
  'DG1 without a visit does not say whether it stands among the problems': /^Condition\.category\.coding\.\w+ gone$/,
  'a stay in another house is told of in findings, so that nobody takes it for a visit of the reader’s':
    /^(Encounter|Location) gone$|\.encounter\.reference gone$|^Observation new$/,
  'when a diagnosis was made is when it was recorded, and asserted': /^Condition\.extension\.\w+ new$/,
  'OBX has no category, and one without a report has none': /^Observation\.category\.coding\.\w+ gone$/,
  'the department of OBR-24 is a category of FHIR, too': /^DiagnosticReport\.category\.coding\.\w+ (new|other|gone)$/,
  'a code whose system has no name in the reader’s country stands by its words':
    /\.code\.coding\.(code|system) gone$|^Immunization\.route\.coding\.(code gone|system other)$|^DiagnosticReport\.result\.reference other$|^Organization\.identifier\.system gone$/,
  'an abnormal flag is a code of HL7’s table, too': /^Observation\.interpretation\.coding\.\w+ new$/,
  'limits are written in words, of one range': /^Observation\.referenceRange\.(text new|type\.coding\.\w+ gone)$/,
  'a specimen has no code of fasting': /^Specimen\.collection\.fastingStatusCodeableConcept\./,
});
