import { bundleOf, custodianEntry, type Assembled, type Assembly } from './bundle.js';
import { compositionOf } from './composition.js';
import { entriesOf, type Entry } from './entries.js';
import { ipsShape } from './ips-shape.js';
import { paragraph } from './narrative.js';
import type { JsonObject } from './resource.js';

/**
 * An International Patient Summary (HL7 IPS 2.0.0) as a FHIR R4 document Bundle: Composition, Patient, custodian, entries and
 * what they refer to. Required sections stand always; one without data says `unavailable`, never that something is known to
 * be absent, which is an entry that a source recorded. Narrative is made here, after minimising.
 */
export function assembleSummary(assembly: Assembly): Assembled {
  const { patient, shown, supports } = entriesOf(assembly.content, assembly.custodian.country, assembly.sha256);
  const record = [patient, ...shown, ...supports].map((e) => ({ ...e, resource: ipsShape(e.resource) }));
  const author = custodianEntry(assembly);
  const composition = compositionOf(headingOf(assembly, patient, author), record, assembly);
  return { bundle: bundleOf('document', [composition, ...record, author], assembly), entries: record };
}

function headingOf({ wording, timestamp }: Assembly, patient: Entry, author: Entry): Parameters<typeof compositionOf>[0] {
  return {
    about: patient.fullUrl,
    elements: {
      meta: { profile: ['http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips'] },
      // The language stands in each narrative: HL7's validator, offline, takes only the common ones in Composition.language.
      text: paragraph(wording.incomplete, wording.language),
      status: 'final',
      type: { coding: [{ system: 'http://loinc.org', code: '60591-5', display: 'Patient summary Document' }] },
      date: timestamp,
      author: [{ reference: author.fullUrl }],
      title: wording.title,
      custodian: { reference: author.fullUrl },
    },
    empty: { text: paragraph(wording.nothing, wording.language), emptyReason },
  };
}

/** One word for "not recorded", "not covered" and "not asked", so that it tells nothing. */
const emptyReason: JsonObject = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'unavailable', display: 'Unavailable' }],
};
