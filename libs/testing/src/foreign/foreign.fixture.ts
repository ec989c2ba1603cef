import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { judgeOf } from '@portolan/domain';
import { R4Validator } from '@portolan/fhir-validator';
import { countryPack, DecimalText, isFhirObject, translate, type CountryPack, type FhirValue, type Translation } from '@portolan/formats';

/** Foreign FHIR documents of our own, synthetic persons only. */
const folder = fileURLToPath(new URL('../../../formats/fixtures/fhir/', import.meta.url));

export const foreignNames = readdirSync(folder).filter((name) => name.endsWith('.json'));
export const foreignFile = (name: string): Uint8Array => readFileSync(`${folder}${name}`);

export const validator = new R4Validator();
const judge = judgeOf(validator);

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const country = (code: string, files: Record<string, unknown> = {}): CountryPack =>
  countryPack({
    'country.json': {
      country: code,
      name: 'A country of the tests',
      illustrative: true,
      languages: ['en'],
      personIdentifiers: [{ system: 'urn:oid:2.999.7.2', name: 'none' }],
      search: { identifierSystems: ['urn:oid:2.999.7.2'], traits: [] },
      formats: ['fhir'],
    },
    ...files,
  });

const zz = country('ZZ');

export const translated = (bytes: Uint8Array, pack = zz, source?: string): Translation =>
  translate({
    bytes,
    format: 'fhir',
    country: pack,
    sha256,
    received: '2026-11-28T10:00:00.000Z',
    judge,
    ...(source !== undefined && { source }),
  });

export const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** The text at a FHIR path such as `name[0].family`; undefined where nothing stands there. */
export function textAt(resource: FhirValue, path: string): string | undefined {
  let at: FhirValue | undefined = resource;
  for (const step of path.match(/[^.[\]]+/g) ?? []) {
    if (Array.isArray(at)) at = at[Number(step)];
    else at = isFhirObject(at) ? at[step] : undefined;
  }
  if (at === undefined) return undefined;
  return at instanceof DecimalText ? at.text : typeof at === 'object' ? undefined : String(at);
}
