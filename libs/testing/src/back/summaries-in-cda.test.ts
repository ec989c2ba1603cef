import { BackDocuments, translate, type FhirResource, type Translation } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { cdaReasons } from './cda-reasons.js';
import { differences } from './sameness.js';
import { country, received, samples, sha256, summaryOf, type Sample } from './summary.fixture.js';

const documents = BackDocuments.of();

/** The summary, with what may be changed in it, and what is read of it as CDA in the other country. */
function thereAndBack(
  { reader, ...sample }: Sample,
  changed = (one: FhirResource): FhirResource => one,
): { readonly before: readonly FhirResource[]; readonly after: Translation } {
  const before = summaryOf({ reader, ...sample }).map(changed);
  const { pack } = country(reader);
  const documentId = '6b2f3e5a-1111-8222-8333-000000000001';
  const custodian = { root: '2.999.7', name: 'Nobody' };
  const { text } = documents.write({ resources: before, country: pack, sha256, made: received, documentId, language: 'en', custodian });
  return { before, after: translate({ bytes: Buffer.from(text), format: 'cda', country: pack, sha256, received }) };
}

describe('a node’s own summary → CDA → FHIR', () => {
  const used = new Set<string>();

  it.each(samples)('says the same: $name', (sample) => {
    const { before, after } = thereAndBack(sample);
    const { resources, account } = after;
    expect(account.rejects).toEqual([]);
    expect(account.warnings).toEqual([]);
    const { system, value } = sample.identifier;
    const patient = resources.find(({ resourceType }) => resourceType === 'Patient');
    expect(patient?.['identifier']).toContainEqual({ system, value });
    const found = differences(before, resources);
    for (const reason of found.flatMap(cdaReasons.of)) used.add(reason);
    expect(cdaReasons.unexplained(found)).toEqual([]);
  });

  it('for no other reason than those that were met', () => expect([...used].toSorted()).toEqual(cdaReasons.all));

  it.each([
    ['a problem is uncertain', 'verificationStatus', 'condition-ver-status', 'provisional'],
    ['a stay’s diagnosis is still there', 'clinicalStatus', 'condition-clinical', 'active'],
  ])('keeps it that %s', (_, element, system, code) => {
    const coding = [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }];
    const said = (one: FhirResource): FhirResource => (one.resourceType === 'Condition' ? { ...one, [element]: { coding } } : one);
    const rich = samples.find(({ files }) => files.length === 0)!;
    const { before, after } = thereAndBack(rich, said);
    const ofIt = (all: readonly string[]): string[] => all.filter((one) => one.startsWith(`Condition.${element}`));
    expect(ofIt(differences(before, after.resources))).toEqual([]);
    expect(ofIt(differences(summaryOf(rich), after.resources))).toEqual([`Condition.${element}.coding.code other`]);
  });
});
