import { BackDocuments, translate, type FhirResource, type Translation } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { differences } from './sameness.js';
import { country, received, samples, sha256, summaryOf, type Sample } from './summary.fixture.js';

const documents = BackDocuments.of();

/** The summary, with what may be changed in it, and what is read of it as CDA in the other country. */
function thereAndBack(
  { reader, ...sample }: Sample,
  changed = (one: FhirResource): FhirResource => one,
): Translation & { readonly before: readonly FhirResource[] } {
  const before = summaryOf({ reader, ...sample }).map(changed);
  const { pack } = country(reader);
  const documentId = '6b2f3e5a-1111-8222-8333-000000000001';
  const custodian = { root: '2.999.7', name: 'Nobody' };
  const { text } = documents.write({ resources: before, country: pack, sha256, made: received, documentId, language: 'en', custodian });
  return { ...translate({ bytes: Buffer.from(text), format: 'cda', country: pack, sha256, received }), before };
}

/** What a summary does not get back from CDA, each with its reason; anything else that differs is a mistake. */
const reasons: Readonly<Record<string, RegExp>> = {
  'the document stands for the table of contents': /^(Composition gone|DocumentReference new)$/,
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
  'a prescription stands among the medicines': /^(MedicationRequest gone|MedicationStatement new)$/,
  'a remark to a dose has no code in CDA': /^MedicationStatement\.dosage\.additionalInstruction\..* gone$/,
  'when a vaccination was recorded is when the document was': /^Immunization\.recorded new$/,
  'against what a vaccine is given is told by its code': /^Immunization\.protocolApplied\.targetDisease\..* gone$/,
  'a supply has no site': /^DeviceUseStatement\.bodySite\..* gone$/,
  'one author an entry: who recorded it, not who asserted it': /^Condition\.asserter\.reference gone$/,
  'a specimen has a kind and an identifier': /^Specimen\.(receivedTime|collection\..*) gone$/,
  'organisations of authors are not written': /^(Observation|DiagnosticReport)\.performer\.reference gone$|^Organization gone$/,
  'completed, also where corrected': /^Observation\.status other$/,
  'white space of a text is one space': /\.(conclusion|note\.text) other$/,
  'who stands under one identifier is one person': /^Practitioner gone$/,
};

describe('a node’s own summary → CDA → FHIR', () => {
  const used = new Set<string>();

  it.each(samples)('says the same: $name', (sample) => {
    const { before, resources, account } = thereAndBack(sample);
    expect(account.rejects).toEqual([]);
    expect(account.warnings).toEqual([]);
    const { system, value } = sample.identifier;
    const patient = resources.find(({ resourceType }) => resourceType === 'Patient');
    expect(patient?.['identifier']).toContainEqual({ system, value });
    const unexplained = differences(before, resources).filter((one) => {
      const why = Object.entries(reasons).filter(([, pattern]) => pattern.test(one));
      for (const [reason] of why) used.add(reason);
      return why.length === 0;
    });
    expect(unexplained).toEqual([]);
  });

  it('for no other reason than those that were met', () => expect([...used].toSorted()).toEqual(Object.keys(reasons).toSorted()));

  it.each([
    ['a problem is uncertain', 'verificationStatus', 'condition-ver-status', 'provisional'],
    ['a stay’s diagnosis is still there', 'clinicalStatus', 'condition-clinical', 'active'],
  ])('keeps it that %s', (_, element, system, code) => {
    const coding = [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }];
    const said = (one: FhirResource): FhirResource => (one.resourceType === 'Condition' ? { ...one, [element]: { coding } } : one);
    const rich = samples.find(({ files }) => files.length === 0)!;
    const { before, resources } = thereAndBack(rich, said);
    const ofIt = (all: readonly string[]): string[] => all.filter((one) => one.startsWith(`Condition.${element}`));
    expect(ofIt(differences(before, resources))).toEqual([]);
    expect(ofIt(differences(summaryOf(rich), resources))).toEqual([`Condition.${element}.coding.code other`]);
  });
});
