import { stableUuid } from '@portolan/formats';
import type { Assembly } from './bundle.js';
import type { Entry } from './entries.js';
import { table } from './narrative.js';
import type { JsonObject, Resource } from './resource.js';
import { sectionOf, sections, type Section } from './sections.js';

/** What a Composition says of its document as a whole, beside its sections and its subject. */
export interface Heading {
  /** What the document is about: its id follows from it, so that it is the same however often it is made. */
  readonly about: string;
  /** Elements that stand before the sections; `author` among them. */
  readonly elements: JsonObject;
  /** Sections that this kind of document has. */
  readonly sections?: readonly Section['key'][];
  /** What stands in a required section without data; without it only sections with data are made. */
  readonly empty?: JsonObject;
}

/** The Composition over a record, whose first entry is the Patient. Narrative is made here, of what the record holds. */
export function compositionOf(heading: Heading, record: readonly Entry[], assembly: Assembly): Entry {
  const { wording, custodian, sha256 } = assembly;
  const id = stableUuid(sha256, [custodian.country, 'Composition', heading.about]);
  const byUrl = new Map(record.map((e) => [e.fullUrl, e.resource]));
  const render = (resources: readonly Resource[]): JsonObject => table(resources, wording, (url) => byUrl.get(url));
  const section = sections
    .filter(({ key }) => heading.sections?.includes(key) ?? true)
    .flatMap((s) => sectionWith(s, record, wording.sections[s.key], render, heading.empty));
  const resource: Resource = {
    resourceType: 'Composition',
    id,
    ...heading.elements,
    subject: { reference: record[0]?.fullUrl ?? '' },
    ...(section.length === 0 ? {} : { section }),
  };
  return { source: `Composition/${id}`, fullUrl: `urn:uuid:${id}`, resource };
}

/** The section with its entries; nothing where it is empty and need not be there. */
function sectionWith(
  { key, code, display, required }: Section,
  record: readonly Entry[],
  title: string,
  render: (resources: readonly Resource[]) => JsonObject,
  empty: JsonObject | undefined,
): readonly JsonObject[] {
  const held = record.filter((e) => sectionOf(e.resource) === key);
  const head = { title, code: { coding: [{ system: 'http://loinc.org', code, display }] } };
  if (held.length > 0) {
    return [{ ...head, text: render(held.map((e) => e.resource)), entry: held.map((e) => ({ reference: e.fullUrl })) }];
  }
  return required && empty !== undefined ? [{ ...head, ...empty }] : [];
}
