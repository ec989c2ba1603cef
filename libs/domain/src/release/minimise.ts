import type { BusinessIdentifier } from '@portolan/contracts';
import { shownOnce } from '../reconciliation/shown-once.js';
import { isSupporting } from './categories.js';
import { isReference, keyOf, literalReferences, logicalReference, subjectOf, targetOf } from './references.js';
import { inScope, type Scope } from './scope.js';
import { isObject, list, objects, text, type Json, type JsonObject, type Resource } from './resource.js';
import { isTakenBack } from './taken-back.js';

/** What a release may show of a record, and of whom. */
export interface Minimised {
  /** The one Patient: name, birth date and gender from the record, the identifiers that the asker sent. */
  readonly patient: Resource;
  /** Covered resources and the supporting ones they refer to, each cleaned, with literal references among these alone. */
  readonly resources: readonly Resource[];
}

/**
 * Keeps what the scope covers, so that what is left out looks like data never recorded: references to it go (no display, no
 * marker, no count), and with them backbone elements that make no sense alone. Of what stays, these stay with the custodian:
 * source narrative, attachments, carried extensions, provenance, tags, contained resources that are no supporting ones.
 * `patients` are all Patient resources of this one person; what has another subject never crosses. Of two entries that somebody judged to say
 * the same, one is shown (libs/domain/src/reconciliation).
 */
export function minimise(resources: readonly Resource[], scope: Scope, sent: readonly BusinessIdentifier[]): Minimised | undefined {
  const patients = resources.filter((r) => r.resourceType === 'Patient');
  const first = patients[0];
  if (first === undefined) return undefined;
  const own = new Set(patients.map(keyOf));
  const covered = resources.filter((r) => inScope(r, scope) && own.has(subjectOf(r) ?? '') && !heldByAttachment(r) && !isTakenBack(r));
  const instead = shownOnce(covered, resources);
  const shown = covered.filter((r) => !instead.has(keyOf(r)));
  const kept = [...shown, ...supportsOf(shown, resources)];
  const unsent = unsentIdentifiers(patients, sent);
  const targets = new Map<string, string>([...instead, ...kept.map((r) => [keyOf(r), keyOf(r)] as const)]);
  for (const key of own) targets.set(key, keyOf(first));
  return { patient: patientOf(patients, sent), resources: kept.map((r) => cleanResource(r, { targets, unsent })) };
}

/** Originals do not cross by parts: an observation whose value is an attachment is left out as a whole. */
const heldByAttachment = (resource: Resource): boolean => resource['valueAttachment'] !== undefined;

/** The person's identifiers that the asker did not send; they stay out of every other resource too. */
function unsentIdentifiers(patients: readonly Resource[], sent: readonly BusinessIdentifier[]): ReadonlySet<string> {
  const known = new Set(sent.map(({ value }) => value));
  const held = patients.flatMap((p) => objects(p['identifier'])).flatMap((i) => text(i, 'value') ?? []);
  return new Set(held.filter((value) => !known.has(value)));
}

function supportsOf(covered: readonly Resource[], all: readonly Resource[]): readonly Resource[] {
  const available = new Map(all.filter((r) => isSupporting(r.resourceType)).map((r) => [keyOf(r), r]));
  const found = new Map<string, Resource>();
  const queue = [...covered];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const { target } of literalReferences(next)) {
      const support = available.get(target);
      if (support === undefined || found.has(target)) continue;
      found.set(target, support);
      queue.push(support);
    }
  }
  return [...found.values()];
}

function patientOf(patients: readonly Resource[], sent: readonly BusinessIdentifier[]): Resource {
  const held = patients.flatMap((p) => objects(p['identifier']));
  const identifier = sent
    .filter((s) => held.some((h) => h['system'] === s.system && h['value'] === s.value))
    .map(({ system, value }) => ({ system, value }));
  const firstWith = (key: string): Json | undefined => patients.map((p) => p[key]).find((value) => value !== undefined);
  const name = objects(firstWith('name')).map((n) => only(n, ['use', 'text', 'family', 'given', 'prefix', 'suffix']));
  const demographics = { name: name.length === 0 ? undefined : name, gender: firstWith('gender'), birthDate: firstWith('birthDate') };
  return {
    resourceType: 'Patient',
    id: text(patients[0], 'id') ?? '',
    ...(identifier.length === 0 ? {} : { identifier }),
    ...defined(demographics),
  };
}

const only = (object: JsonObject, keys: readonly string[]): JsonObject => defined(Object.fromEntries(keys.map((k) => [k, object[k]])));

const defined = (object: Readonly<Record<string, Json | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(object).filter((entry): entry is [string, Json] => entry[1] !== undefined));

/** Of who acted only what names them. */
const namingElements: Readonly<Record<string, readonly string[]>> = {
  Practitioner: ['identifier', 'name', 'qualification'],
  PractitionerRole: ['identifier', 'practitioner', 'organization', 'code', 'specialty'],
  Organization: ['identifier', 'type', 'name', 'partOf'],
  Location: ['identifier', 'name', 'type', 'managingOrganization'],
};

interface Limits {
  /** Source reference → where it leads in what is released. */
  readonly targets: ReadonlyMap<string, string>;
  /** Values of identifiers of the person that were not sent. */
  readonly unsent: ReadonlySet<string>;
}

function cleanResource(resource: Resource, limits: Limits): Resource {
  const naming = namingElements[resource.resourceType];
  const shown = naming === undefined ? resource : only(resource, naming);
  const { text: _narrative, meta, contained, ...elements } = shown;
  const kept = supportingContained(contained);
  const inside = new Set(kept.map((c) => `#${text(c, 'id') ?? ''}`));
  const cleaned = cleanObject(elements, { ...limits, inside });
  const labels = cleanMeta(meta ?? resource['meta']);
  return {
    resourceType: resource.resourceType,
    id: text(resource, 'id') ?? '',
    ...(labels === undefined ? {} : { meta: labels }),
    ...(kept.length === 0 ? {} : { contained: kept.map((c) => ({ ...cleanObject(c, { ...limits, inside }) })) }),
    ...without(cleaned, ['resourceType', 'id']),
  };
}

const without = (object: JsonObject | undefined, keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object ?? {}).filter(([key]) => !keys.includes(key)));

const supportingContained = (contained: Json | undefined): readonly JsonObject[] =>
  objects(contained)
    .filter((c) => isSupporting(text(c, 'resourceType') ?? ''))
    .map((c) => without(c, ['text', 'meta']));

/** Version and time let a receiver name what it saw; of the labels only confidentiality and "test data" travel. */
function cleanMeta(meta: Json | undefined): JsonObject | undefined {
  if (!isObject(meta)) return undefined;
  const labels = objects(meta['security']).filter(isTravellingLabel);
  const kept = defined({
    versionId: meta['versionId'],
    lastUpdated: meta['lastUpdated'],
    security: labels.length === 0 ? undefined : labels,
  });
  return Object.keys(kept).length === 0 ? undefined : kept;
}

const isTravellingLabel = (label: JsonObject): boolean =>
  label['system'] === 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality' ||
  (label['system'] === 'http://terminology.hl7.org/CodeSystem/v3-ActReason' && label['code'] === 'HTEST');

interface Surroundings extends Limits {
  /** `#id` of the contained resources that stay. */
  readonly inside: ReadonlySet<string>;
}

/** References without which the element that holds them says nothing; `condition` too, where it is one (Encounter.diagnosis) and no part. */
const carryingReferences = new Set(['actor', 'link', 'manipulated', 'member', 'target', 'media']);

function cleanObject(object: JsonObject, around: Surroundings): JsonObject | undefined {
  const entries: [string, Json][] = [];
  for (const [key, value] of Object.entries(object)) {
    const kept = cleanValue(value, key, around);
    if (kept !== undefined) entries.push([key, kept]);
    else if (carryingReferences.has(key) || (key === 'condition' && isReference(value, key))) return undefined;
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function cleanValue(value: Json, key: string, around: Surroundings): Json | undefined {
  if (key === 'extension') return cleanExtensions(value, around);
  if (Array.isArray(value)) return cleanList(list(value), key, around);
  if (!isObject(value)) return value;
  if (typeof value['contentType'] === 'string' || isUnsent(value, key, around)) return undefined;
  return isReference(value, key) ? cleanReference(value, key, around) : cleanObject(value, around);
}

const isUnsent = (value: JsonObject, key: string, { unsent }: Surroundings): boolean =>
  key === 'identifier' && unsent.has(text(value, 'value') ?? '');

/** Lists of primitives stay aligned with their `_` twins, so null stays null there. */
function cleanList(items: readonly Json[], key: string, around: Surroundings): Json | undefined {
  const cleaned = items.map((item) => cleanValue(item, key, around));
  const kept = key.startsWith('_') ? cleaned.map((item) => item ?? null) : cleaned.filter((item) => item !== undefined);
  return kept.some((item) => item !== null) ? kept : undefined;
}

const CORE_EXTENSION = 'http://hl7.org/fhir/StructureDefinition/';
/** Extension on an entry that its person disputes, `valueDate`: since when. It travels with the entry (design, invariant 7). */
export const DISPUTE_EXTENSION = 'urn:portolan:dispute';
/** They point into the source's narrative, which stays. */
const narrativePointers = new Set([`${CORE_EXTENSION}narrativeLink`, `${CORE_EXTENSION}originalText`]);
const travels = (extension: JsonObject): boolean => {
  const url = text(extension, 'url') ?? '';
  if (url === DISPUTE_EXTENSION) return true;
  return url.startsWith(CORE_EXTENSION) && !narrativePointers.has(url) && extension['valueReference'] === undefined;
};

/** Extensions of the FHIR core travel (a missing value's reason, a translation), and a dispute; carried parts and local ones do not. */
function cleanExtensions(value: Json, around: Surroundings): Json | undefined {
  const kept = objects(value)
    .filter(travels)
    .map((e) => cleanObject(e, around))
    // What led to something that does not cross says nothing any more (FHIR R4 ext-1).
    .filter((e): e is JsonObject => e !== undefined && Object.keys(e).some((key) => key === 'extension' || /^_?value[A-Z]/.test(key)));
  return kept.length === 0 ? undefined : kept;
}

function cleanReference(reference: JsonObject, key: string, { targets, inside }: Surroundings): Json | undefined {
  const literal = text(reference, 'reference');
  if (literal !== undefined && inside.has(literal)) return { reference: literal };
  const target = targets.get(targetOf(literal ?? '') ?? '');
  return target === undefined ? logicalReference(reference, key) : { reference: target };
}
