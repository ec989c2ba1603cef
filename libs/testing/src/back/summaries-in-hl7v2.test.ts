import { BackMaps, translate, type FhirResource, type Translation } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { hl7v2Reasons } from './hl7v2-reasons.js';
import { messagesIn, uniqueResources } from './messages.js';
import { differences } from './sameness.js';
import { country, received, samples, sha256, summaryOf, type Sample } from './summary.fixture.js';

const maps = BackMaps.of();

/** The summary, and what is read of each of its messages in the other country. */
function thereAndBack({ reader, ...sample }: Sample): { readonly before: readonly FhirResource[]; readonly after: readonly Translation[] } {
  const before = summaryOf({ reader, ...sample });
  const { pack } = country(reader);
  const { text } = maps.write({
    resources: before,
    message: 'all',
    country: pack,
    sha256,
    sender: { application: 'PORTOLAN', facility: sample.cc },
    sent: '20261121100000+0000',
    controlId: (number) => `SUMMARY-${number}`,
    processing: 'P',
  });
  const after = messagesIn(Buffer.from(text)).map((bytes) => translate({ bytes, format: 'hl7v2', country: pack, sha256, received }));
  return { before, after };
}

describe('a node’s own summary → HL7 v2 → FHIR', () => {
  const used = new Set<string>();

  it.each(samples)('says the same: $name', (sample) => {
    const { before, after } = thereAndBack(sample);
    expect(after.flatMap(({ account }) => account.rejects)).toEqual([]);
    const warned = after.flatMap(({ account }) => account.warnings.map(({ code }) => code));
    expect(warned.filter((code) => !['translate.code-unmapped', 'translate.code-outside'].includes(code))).toEqual([]);
    const { system, value } = sample.identifier;
    const resources = uniqueResources(after);
    const patients = resources.filter(({ resourceType }) => resourceType === 'Patient');
    expect(patients.map(({ identifier }) => identifier)).toEqual([
      expect.arrayContaining([expect.objectContaining({ system, value })]) as unknown,
    ]);
    const found = differences(before, resources);
    for (const reason of found.flatMap(hl7v2Reasons.of)) used.add(reason);
    expect(hl7v2Reasons.unexplained(found)).toEqual([]);
  });

  it('for no other reason than those that were met', () => expect([...used].toSorted()).toEqual(hl7v2Reasons.all));

  it.each(['AllergyIntolerance', 'Condition', 'Procedure', 'Immunization', 'DiagnosticReport', 'Specimen'])(
    'with as many of %s',
    (type) => {
      const count = (all: readonly FhirResource[]): number => all.filter(({ resourceType }) => resourceType === type).length;
      const pairs = samples.map(thereAndBack).map(({ before, after }) => [count(before), count(uniqueResources(after))] as const);
      expect(pairs.map(([, back]) => back)).toEqual(pairs.map(([there]) => there));
      expect(pairs.reduce((sum, [there]) => sum + there, 0)).toBeGreaterThan(0);
    },
  );
});
