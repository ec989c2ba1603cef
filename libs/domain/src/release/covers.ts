import { PortolanError, type ErrorCode } from '@portolan/contracts';
import { parseFhirJson } from '../fhir/fhir-json.js';
import { isSupporting } from './categories.js';
import { subjectOf } from './references.js';
import { child, isObject, objects, text, type Json, type JsonObject, type Resource } from './resource.js';
import { inScope, type OpeningScope } from './scope.js';

/** Whether what came is within the permit's opening; `where` names a place, never a value. */
export type Coverage = { readonly covered: true } | { readonly covered: false; readonly code: ErrorCode; readonly where: string };

/** Longest text of one record, in characters: parts of 2 MB, 64 at most. */
const MAX_CHARS = 128_000_000;

/**
 * The receiver's check (step 9), independent of how the sender assembled: one Patient with no identifier but those that were
 * asked for, each resource of a permitted category within the permitted dates and of that Patient, nothing else but supporting
 * resources, no reference that leads nowhere, no attachment. Throws `release.content-invalid` where it is no Bundle.
 */
export function covers(opening: OpeningScope, bundleText: string): Coverage {
  const entries = entriesOf(bundleText);
  const patients = entries.filter((e) => e.resource.resourceType === 'Patient');
  const [patient] = patients;
  if (patient === undefined || patients.length > 1) return refused('release.another-person', 'Bundle.entry');
  if (!onlyAsked(patient.resource, opening)) return refused('release.another-person', patient.where);
  const urls = new Set(entries.map((e) => e.fullUrl));
  for (const entry of entries) {
    const code = fault(entry, opening, patient.fullUrl, urls);
    if (code !== undefined) return refused(code, entry.where);
  }
  return { covered: true };
}

interface Came {
  readonly where: string;
  readonly fullUrl: string;
  readonly resource: Resource;
}

const refused = (code: ErrorCode, where: string): Coverage => ({ covered: false, code, where });

function entriesOf(bundleText: string): readonly Came[] {
  const bundle = bundleOf(bundleText);
  return objects(child(bundle, 'entry')).map((entry, i) => {
    const where = `Bundle.entry[${i}]`;
    const resource = entry['resource'];
    const fullUrl = text(entry, 'fullUrl');
    if (!isResource(resource) || fullUrl === undefined)
      throw new PortolanError('release.content-invalid', where, 'no resource or no fullUrl');
    return { where, fullUrl, resource };
  });
}

function bundleOf(bundleText: string): Json {
  try {
    const parsed: Json = parseFhirJson(bundleText, 'content', MAX_CHARS);
    if (text(parsed, 'resourceType') === 'Bundle') return parsed;
  } catch (cause) {
    throw new PortolanError('release.content-invalid', 'content', undefined, { cause });
  }
  throw new PortolanError('release.content-invalid', 'content', 'not a Bundle');
}

const isResource = (value: Json | undefined): value is Resource => isObject(value) && typeof value['resourceType'] === 'string';

function onlyAsked(patient: Resource, opening: OpeningScope): boolean {
  const identifiers = objects(patient['identifier']);
  const asked = (i: JsonObject): boolean => opening.identifiers.some((o) => o.system === i['system'] && o.value === i['value']);
  return identifiers.length > 0 && identifiers.every(asked);
}

function fault({ resource, fullUrl }: Came, opening: OpeningScope, patient: string, urls: ReadonlySet<string>): ErrorCode | undefined {
  if (references(resource).some((reference) => !reference.startsWith('#') && !urls.has(reference))) return 'release.reference-open';
  if (holdsAttachment(resource)) return 'release.outside-permit';
  if (objects(resource['contained']).some((c) => !isSupporting(text(c, 'resourceType') ?? ''))) return 'release.outside-permit';
  if (fullUrl === patient || isSupporting(resource.resourceType)) return undefined;
  if (subjectOf(resource) !== patient) return 'release.another-person';
  return isPermitted(resource, opening) ? undefined : 'release.outside-permit';
}

const isPermitted = (resource: Resource, opening: OpeningScope): boolean =>
  resource.resourceType === 'Composition' ? opening.categories.includes('summary') : inScope(resource, opening);

/** Every literal reference, also to other servers: nothing may lead out of what came. */
function references(value: Json): readonly string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(references);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'reference' && typeof inner === 'string' ? [inner] : references(inner)));
}

function holdsAttachment(value: Json): boolean {
  if (Array.isArray(value)) return (value as readonly Json[]).some(holdsAttachment);
  return isObject(value) && (typeof value['contentType'] === 'string' || Object.values(value).some(holdsAttachment));
}
