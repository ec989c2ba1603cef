import { reasonsOf, type Reasons } from './reasons.js';

/** What a summary does not get back from CDA, each with its reason; anything else that differs is a mistake. */
export const cdaReasons: Reasons = reasonsOf({
  'the document is a resource, too, beside its table of contents': /^DocumentReference new$/,
  'its sections stand in an order of their own, with those that every summary has, under codes of CDA, and only what is empty has a text':
    /^Composition\.section\./,
  'a document says how confidential it is': /^Composition\.confidentiality new$/,
  'a time has an offset, and no thousandths': /^Composition\.date other$/,
  'who keeps the document keeps the person': /^Patient\.managingOrganization\.reference new$/,
  'the section says the category, in the words of CDA alone': /^(Observation\.category\.coding\.display gone|DiagnosticReport\.category\.)/,
  'that nothing is known of a performer is said by saying none': /^Observation\.performer\.extension\.\w+ gone$/,
  'every entry of CDA has an identifier: a UUID where the resource has none, or one without a system':
    /^(Observation|AllergyIntolerance|Condition|MedicationStatement|DiagnosticReport|Specimen)\.identifier\.(system new|value (new|other|gone))$/,
  'an instance identifier has no type, and the assigner’s name is that of its system': /\.identifier\.(type|assigner)\.[a-z.]+ gone$/,
  'the unit of a PQ is the code of UCUM, without another spelling': /(valueQuantity|low|high)\.unit other$/,
  'a unit that is one of UCUM is read as such': /^Observation\.valueQuantity\.(system|code) new$/,
  'a reference range of CDA has no type': /^Observation\.referenceRange\.type\..* gone$/,
  'no entry of CDA points to a stay, and none but a result to an order or a specimen':
    /^(Observation|DiagnosticReport|ServiceRequest|Procedure)\.(encounter|basedOn|specimen)\.reference gone$/,
  'a stay’s class stands with the codes of its type': /^Encounter\.type\.coding\.\w+ new$/,
  'a place is where somebody was, whether she is there still or not': /^Encounter\.location\.status gone$/,
  'a reason is a code, and no pointer to a problem': /^Encounter\.reason(Reference\.reference gone|Code\.coding\.\w+ new)$/,
  'a medicine is a material, and so a resource of its own':
    /\.medication(CodeableConcept\.[a-z.]+ gone|Reference\.reference new)$|^Medication new$/,
  'a remark to a dose has no code in CDA': /^MedicationStatement\.dosage\.additionalInstruction\..* gone$/,
  'when a vaccination was recorded is when the document was': /^Immunization\.recorded new$/,
  'against what a vaccine is given is told by its code': /^Immunization\.protocolApplied\.targetDisease\..* gone$/,
  'a supply has no site': /^DeviceUseStatement\.bodySite\..* gone$/,
  'one author an entry: who recorded it, not who asserted it': /^Condition\.asserter\.reference gone$/,
  'of a specimen CDA says kind, identifier, and when it was taken':
    /^Specimen\.(receivedTime|collection\.fastingStatusCodeableConcept\.text) gone$/,
  'completed, also where corrected': /^Observation\.status other$/,
  'white space of a text is one space': /\.(conclusion|note\.text) other$/,
  'who stands under one identifier is one person': /^Practitioner gone$/,
});
