import { createHash } from 'node:crypto';
import { depthOf, PortolanError } from '@portolan/contracts';
import {
  BackMaps,
  fromFhirJson,
  isFhirObject,
  type BackAccount,
  type CountryPack,
  type FhirObject,
  type FhirResource,
  type FhirValue,
} from '@portolan/formats';
import { exactText } from '../files/read-file.js';

/** Deepest JSON that is read; FHIR itself nests far less. */
const MAX_DEPTH = 64;

/**
 * A Bundle, or one resource, as an HL7 v2 message to systems of the country. The control id is made of the bytes, so the same file gives the same one.
 * Throws PortolanError `ingest.malformed` where the bytes are no FHIR JSON, `translate.back-unwritable` where no message can be made of it.
 */
export function writtenBack(
  bytes: Uint8Array,
  country: CountryPack,
): { readonly text: string; readonly account: BackAccount; readonly told: string } {
  const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
  const { text, type, account } = BackMaps.of().write({
    resources: resourcesOf(bytes),
    message: 'auto',
    country,
    sha256,
    sender: { application: 'PORTOLAN', facility: country.country },
    sent: `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}+0000`,
    controlId: sha256(bytes).slice(0, 20).toUpperCase(),
    processing: 'P',
  });
  return { text, account, told: `${type}; values: ${account.mapped.length} mapped, ${account.left.length} left out` };
}

function resourcesOf(bytes: Uint8Array): FhirResource[] {
  const json = read(bytes);
  if (!isFhirObject(json)) throw malformed('no FHIR resource');
  const entries = json['resourceType'] === 'Bundle' ? listOf(json['entry']).map((entry) => entry['resource']) : [json];
  return entries.filter((one) => one !== undefined).map(resource);
}

function read(bytes: Uint8Array): FhirValue {
  const text = exactText(bytes);
  if (text === undefined) throw malformed('not UTF-8');
  if (depthOf(text) > MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH}`);
  try {
    return fromFhirJson(text);
  } catch {
    throw malformed('not JSON');
  }
}

function listOf(value: FhirValue | undefined): FhirObject[] {
  return Array.isArray(value) ? value.filter(isFhirObject) : [];
}

function resource(value: FhirValue): FhirResource {
  if (isFhirObject(value) && typeof value['resourceType'] === 'string' && typeof value['id'] === 'string') return value as FhirResource;
  throw malformed('an entry without a resource type or an id');
}

const malformed = (detail: string): PortolanError => new PortolanError('ingest.malformed', 'FHIR', detail);
