import { stableUuid } from '@portolan/formats';
import { bundleOf, custodianEntry, type Assembled, type Assembly } from './bundle.js';
import { entriesOf, type Entry } from './entries.js';
import { ipsShape } from './ips-shape.js';
import { paragraph, table } from './narrative.js';
import type { JsonObject, Resource } from './resource.js';
import { sectionOf, sections, type Section } from './sections.js';

/**
 * An International Patient Summary (HL7 IPS 2.0.0) as a FHIR R4 document Bundle: Composition, Patient, custodian, entries and
 * what they refer to. Required sections stand always; one without data says `unavailable`, never that something is known to
 * be absent, which is an entry that a source recorded. Narrative is made here, after minimising.
 */
export function assembleSummary(assembly: Assembly): Assembled {
  const { patient, shown, supports } = entriesOf(assembly.content, assembly.custodian.country, assembly.sha256);
  const record = [patient, ...shown, ...supports].map((e) => ({ ...e, resource: ipsShape(e.resource) }));
  const author = custodianEntry(assembly);
  const composition = compositionOf(assembly, record, author);
  return { bundle: bundleOf('document', [composition, ...record, author], assembly), entries: record };
}

function compositionOf({ wording, timestamp, custodian, sha256 }: Assembly, record: readonly Entry[], author: Entry): Entry {
  const patient = record[0]?.fullUrl ?? '';
  const id = stableUuid(sha256, [custodian.country, 'Composition', patient]);
  const byUrl = new Map(record.map((e) => [e.fullUrl, e.resource]));
  const render = (resources: readonly Resource[]): JsonObject => table(resources, wording, (url) => byUrl.get(url));
  const section = sections.flatMap((s) =>
    sectionWith(s, record, wording.sections[s.key], render, paragraph(wording.nothing, wording.language)),
  );
  const resource: Resource = {
    resourceType: 'Composition',
    id,
    meta: { profile: ['http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips'] },
    // The language stands in each narrative: HL7's validator, offline, takes only the common ones in Composition.language.
    text: paragraph(wording.incomplete, wording.language),
    status: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '60591-5', display: 'Patient summary Document' }] },
    subject: { reference: patient },
    date: timestamp,
    author: [{ reference: author.fullUrl }],
    title: wording.title,
    custodian: { reference: author.fullUrl },
    section,
  };
  return { source: `Composition/${id}`, fullUrl: `urn:uuid:${id}`, resource };
}

/** The section with its entries; nothing where it is empty and not required. */
function sectionWith(
  { key, code, display, required }: Section,
  record: readonly Entry[],
  title: string,
  render: (resources: readonly Resource[]) => JsonObject,
  nothing: JsonObject,
): readonly JsonObject[] {
  const held = record.filter((e) => sectionOf(e.resource) === key);
  const head = { title, code: { coding: [{ system: 'http://loinc.org', code, display }] } };
  if (held.length > 0) {
    return [{ ...head, text: render(held.map((e) => e.resource)), entry: held.map((e) => ({ reference: e.fullUrl })) }];
  }
  return required ? [{ ...head, text: nothing, emptyReason }] : [];
}

/** One word for "not recorded", "not covered" and "not asked", so that it tells nothing. */
const emptyReason: JsonObject = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'unavailable', display: 'Unavailable' }],
};
