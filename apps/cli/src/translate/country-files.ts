import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseBounded, PortolanError } from '@portolan/contracts';
import { countryPack, formats, type CountryPack } from '@portolan/formats';
import { exactText, readBytes } from '../files/read-file.js';

/** This file lies in apps/cli/{src,dist}/translate of the clone. */
const OWN_COUNTRIES = fileURLToPath(new URL('../../../../libs/countries', import.meta.url));
const MAX_FILES = 500;
const MAX_FILE_BYTES = 20_000_000;

/** No country's rules: what the standards themselves say. ZZ is assigned to nobody for ever (ISO 3166-1, user-assigned codes). */
const NO_COUNTRY = {
  country: 'ZZ',
  name: 'No country',
  illustrative: true,
  languages: ['en'],
  personIdentifiers: [{ system: 'urn:portolan:no-country', name: 'none' }],
  search: { identifierSystems: ['urn:portolan:no-country'], traits: [] },
  formats: formats.map(({ name }) => name),
};

/**
 * How a country's documents are read; without a country, by the standards alone. `from`: where relative names start.
 * Throws `cli.country-unknown`, `cli.country-invalid`, `translate.country-invalid`, `translate.map-invalid`.
 */
export async function packOf(flags: { country?: string; countries?: string }, from: string): Promise<CountryPack> {
  const { country, countries } = flags;
  if (country === undefined) return countryPack({ 'country.json': NO_COUNTRY });
  if (!/^[A-Za-z]{2}$/.test(country)) throw new PortolanError('cli.country-unknown', '--country', 'two letters, such as EE');
  const folder = join(countries === undefined ? OWN_COUNTRIES : resolve(from, countries), country.toLowerCase());
  return countryPack(await jsonFiles(folder, country));
}

async function jsonFiles(folder: string, country: string): Promise<Record<string, unknown>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => {
    throw new PortolanError('cli.country-unknown', country.toUpperCase());
  });
  const names = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name));
  if (names.length > MAX_FILES) throw new PortolanError('cli.country-invalid', country.toUpperCase(), `more than ${MAX_FILES} files`);
  const files: Record<string, unknown> = {};
  for (const name of names) {
    const path = name.slice(folder.length + 1).replaceAll('\\', '/');
    const text = exactText(await readBytes(name, path, MAX_FILE_BYTES)) ?? '';
    files[path] = parseBounded(text, MAX_FILE_BYTES, 'cli.country-invalid', path);
  }
  return files;
}
