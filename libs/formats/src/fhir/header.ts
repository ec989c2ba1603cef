import { isFhirObject, type FhirObject, type ReadLimits, type SourceAuthor, type SourceHeader } from '../engine/index.js';
import { Addresses, baseOf } from './addresses.js';
import { objectsOf, READ_BUNDLES, textOf, type Entry, type TakenApart } from './entries.js';

/** What a document says of itself: whose it is, when it was made, by whom. */
export function headerOf(document: TakenApart, bytes: Uint8Array, { sha256, source }: ReadLimits): SourceHeader {
  const composition = compositionOf(document);
  const organisation = source ?? ownSource(document);
  const sent = madeAt(document, composition?.resource);
  const authors = authorsOf(document, composition);
  return {
    id: documentId(document) ?? (sha256 === undefined ? '' : sha256(bytes)),
    type: typeOf(document, composition?.resource),
    processing: 'P',
    sender: { organisation },
    supported: document.bundle === undefined || READ_BUNDLES.has(document.bundle),
    ...(sent !== undefined && { sent }),
    ...(authors.length > 0 && { authors }),
  };
}

/** The Composition of a document (R4 §3.3.1: its first entry). */
export function compositionOf({ bundle, entries }: TakenApart): Entry | undefined {
  const [first] = entries;
  return bundle === 'document' && first?.type === 'Composition' ? first : undefined;
}

/** What identifies the system that a document came from, by the document's own word; `` where it says nothing. */
function ownSource({ document, entries, bundle }: TakenApart): string {
  const { meta, identifier } = document;
  const said = isFhirObject(meta) ? textOf(meta['source']) : undefined;
  const address = entries.flatMap(({ fullUrl }) => (fullUrl === undefined ? [] : (baseOf(fullUrl) ?? [])))[0];
  // Of a Bundle the identifier is its source's own; of one resource it may be anybody's.
  const system = bundle === undefined ? undefined : textOf(objectsOf(identifier)[0]?.['system']);
  return said ?? address ?? system ?? '';
}

function documentId({ document, bundle }: TakenApart): string | undefined {
  const { system, value } = objectsOf(document['identifier'])[0] ?? {};
  if (bundle !== undefined && typeof value === 'string') return `${textOf(system) ?? ''}|${value}`;
  return bundle === undefined ? undefined : textOf(document['id']);
}

function typeOf({ document, bundle }: TakenApart, composition: FhirObject | undefined): string {
  const type = composition?.['type'];
  const code = isFhirObject(type) ? textOf(objectsOf(type['coding'])[0]?.['code']) : undefined;
  return code ?? (bundle === undefined ? (textOf(document['resourceType']) ?? '') : `Bundle:${bundle}`);
}

/** As HL7 v2 would write it, which is what a header holds: `2026-11-03T10:00:00+01:00` is `20261103100000+0100`. */
function madeAt({ document }: TakenApart, composition: FhirObject | undefined): string | undefined {
  const { timestamp, meta } = document;
  const time = textOf(timestamp) ?? textOf(composition?.['date']) ?? (isFhirObject(meta) ? textOf(meta['lastUpdated']) : undefined);
  if (time === undefined || !/^\d{4}(-\d{2}(-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?)?)?$/.test(time)) return undefined;
  return time
    .replace(/Z$/, '+0000')
    .replace(/([+-]\d{2}):(\d{2})$/, '$1$2')
    .replace(/^(\d{4})-?(\d{2})?-?(\d{2})?/, '$1$2$3')
    .replace(/[T:]/g, '');
}

/** Authors that are remembered of one document. */
const MAX_AUTHORS = 10;

/** Who made the document, as far as it says: the Composition's authors and its custodian. */
function authorsOf({ entries }: TakenApart, composition: Entry | undefined): SourceAuthor[] {
  if (composition === undefined) return [];
  const addresses = new Addresses(entries);
  const { author, custodian } = composition.resource;
  const named = [...objectsOf(author), ...objectsOf(custodian)].slice(0, MAX_AUTHORS);
  return named.flatMap((reference) => {
    const known = authorOf(reference, addresses.find(textOf(reference['reference']) ?? '', composition)?.resource ?? {});
    return Object.keys(known).length === 0 ? [] : [known];
  });
}

/** What a reference says itself of somebody, else what it leads to. */
function authorOf(reference: FhirObject, target: FhirObject): SourceAuthor {
  const name = textOf(reference['display']) ?? nameOf(target);
  const identifier = [...objectsOf(reference['identifier']), ...objectsOf(target['identifier'])].flatMap(({ system, value }) =>
    typeof system === 'string' && typeof value === 'string' ? [{ system, value }] : [],
  )[0];
  return { ...(name !== undefined && { name }), ...(identifier !== undefined && { identifier }) };
}

function nameOf({ name, deviceName }: FhirObject): string | undefined {
  if (typeof name === 'string') return textOf(name);
  const [said] = objectsOf(name);
  if (said === undefined) return textOf(objectsOf(deviceName)[0]?.['name']);
  const { text, family, given } = said;
  const parts = [...(Array.isArray(given) ? given : []), family].flatMap((part) => textOf(part) ?? []);
  return textOf(text) ?? textOf(parts.join(' '));
}
