import { createHash } from 'node:crypto';
import { depthOf, PortolanError, type CharsetOut } from '@portolan/contracts';
import {
  BackDocuments,
  BackMaps,
  fromFhirJson,
  isFhirObject,
  resourcesIn,
  stableUuid,
  type BackAccount,
  type CountryPack,
  type FhirResource,
  type FhirValue,
} from '@portolan/formats';
import { exactText } from '../files/read-file.js';
import { write, type Finished, type Work } from './translate-document.js';

/** Deepest JSON that is read; FHIR itself nests far less. */
const MAX_DEPTH = 64;

/** What `--to` names, and the ending of the file that is written. */
export const backForms = { hl7v2: 'hl7', cda: 'xml' } as const;
export type BackForm = keyof typeof backForms;

/** A message or document, and what became of every value. */
export interface WrittenBack {
  readonly content: string | Uint8Array;
  readonly account: BackAccount;
  readonly told: string;
}

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Writes one document back, and its account beside it. Throws as `writtenBack` does, and `cli.output-unwritable`. */
export async function finishBack(
  { part, path, base }: Work,
  to: BackForm,
  pack: CountryPack,
  charset: CharsetOut | undefined,
): Promise<Finished> {
  if ('code' in part) throw new PortolanError(part.code, part.place);
  const { content, account, told: note } = writtenBack(part.bytes, to, pack, charset);
  const written = await write(base, { [backForms[to]]: content, 'report.json': `${JSON.stringify(account, null, 2)}\n` });
  return { written, note: `${path}: ${note}`, refused: false, account };
}

/**
 * A Bundle, or one resource, as HL7 v2 messages or a CDA patient summary to systems of the country. Its id is made of the bytes, so the same file gives the same one.
 * Throws PortolanError `ingest.malformed` where the bytes are no FHIR JSON, `translate.back-unwritable` where nothing can be made of it,
 * `translate.charset-lacking` where the character set lacks a sign: `charset`, else that of the country's systems.
 */
export function writtenBack(bytes: Uint8Array, form: BackForm, country: CountryPack, charset?: CharsetOut): WrittenBack {
  const now = new Date().toISOString();
  return form === 'cda' ? asDocument(bytes, country, now) : asMessages(bytes, country, now, charset ?? country.charsetOut);
}

function asMessages(source: Uint8Array, country: CountryPack, now: string, charset: CharsetOut | undefined): WrittenBack {
  const { bytes, types, account } = BackMaps.of().write({
    resources: resourcesOf(source),
    message: 'all',
    country,
    sha256,
    sender: { application: 'PORTOLAN', facility: country.country },
    sent: `${now.replace(/\D/g, '').slice(0, 14)}+0000`,
    controlId: (number) => `${sha256(source).slice(0, 14)}-${number}`.toUpperCase(),
    processing: 'P',
    ...(charset !== undefined && { charset }),
  });
  return { content: bytes, account, told: told(types.join(' and '), account) };
}

function asDocument(bytes: Uint8Array, country: CountryPack, now: string): WrittenBack {
  const { text, account } = BackDocuments.of().write({
    resources: resourcesOf(bytes),
    country,
    sha256,
    made: now,
    documentId: stableUuid(sha256, ['document', sha256(bytes)]),
    language: country.language,
    custodian: { root: stableUuid(sha256, ['custodian', country.country]), name: country.country },
  });
  return { content: text, account, told: told('CDA patient summary', account) };
}

const told = (what: string, { mapped, left }: BackAccount): string => `${what}; values: ${mapped.length} mapped, ${left.length} left out`;

function resourcesOf(bytes: Uint8Array): FhirResource[] {
  const json = read(bytes);
  if (!isFhirObject(json)) throw malformed('no FHIR resource');
  const resources = resourcesIn(json);
  if (resources === undefined) throw malformed('an entry without a resource type or an id');
  return resources;
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

const malformed = (detail: string): PortolanError => new PortolanError('ingest.malformed', 'FHIR', detail);
