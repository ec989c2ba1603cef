import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PortolanError, Validators } from '@portolan/contracts';
import { countryPack, formats, mistakePlace, type CountryPack } from '@portolan/formats';
import { readNodeConfig } from '@portolan/nest/config';
import { readCountryPack } from '@portolan/nest/country-pack';
import { terminologyFolder } from '@portolan/nest/terminology-store';
import { countryFile, demoFolder, isThere } from '../files/find-config.js';

/** This file lies in apps/cli/{src,dist}/translate of the clone. */
const OWN_COUNTRIES = fileURLToPath(new URL('../../../../libs/countries', import.meta.url));

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

/** Compiled once: a command that reads several countries, or a thread its own, need not compile every schema again. */
let validators: Validators | undefined;

/** By which rules and names documents are read. */
export interface CountryFlags {
  readonly country?: string;
  readonly countries?: string;
  /** Folder of imported code systems. */
  readonly terminology?: string;
}

/**
 * How a country's documents are read; without a country, by the standards alone. `from`: where relative names start.
 * Throws `cli.country-unknown`, `cli.file-unreadable`, `translate.country-invalid`, `translate.map-invalid`, `terms.store-invalid`.
 */
export async function packOf(flags: CountryFlags, from: string): Promise<CountryPack> {
  const { country, countries } = flags;
  if (country === undefined) return countryPack({ 'country.json': NO_COUNTRY });
  if (!/^[A-Za-z]{2}$/.test(country)) throw new PortolanError('cli.country-unknown', '--country', 'two letters, such as EE');
  const folder = join(countries === undefined ? OWN_COUNTRIES : resolve(from, countries), country.toLowerCase());
  if (!(await isThere(folder))) throw new PortolanError('cli.country-unknown', country.toUpperCase());
  const { pack, texts } = await readCountryPack(folder, await importedFor(flags, country, from), (validators ??= new Validators()));
  if (pack.country === country.toUpperCase()) return pack;
  // A folder that was copied and not changed: a node does not start with it.
  const what = `/country is ${pack.country} in the folder of ${country.toUpperCase()}`;
  throw new PortolanError('translate.country-invalid', mistakePlace(texts, { file: 'country.json', rule: '(country)', what }), what);
}

/** The folder that is named, else that of the country's node in the demonstration's data folder, where there is one. */
async function importedFor({ terminology }: CountryFlags, country: string, from: string): Promise<string | undefined> {
  if (terminology !== undefined) {
    const named = resolve(from, terminology);
    if (!(await isThere(named))) throw new PortolanError('cli.file-unreadable', terminology, 'ENOENT');
    return named;
  }
  const config = countryFile(demoFolder({}, { folder: from }), country);
  return (await isThere(config)) ? terminologyFolder(await readNodeConfig(config)) : undefined;
}
