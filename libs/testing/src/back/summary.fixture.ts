import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BusinessIdentifier, DataCategory, SummaryWording } from '@portolan/contracts';
import { categoriesOf, release } from '@portolan/domain';
import {
  countryPack,
  fromFhirJson,
  resourcesIn,
  toFhirJson,
  translate,
  type CountryPack,
  type FhirObject,
  type FhirResource,
} from '@portolan/formats';
import { repository } from '../world/repository.js';
import { RICH, richPerson } from './rich-person.fixture.js';

const libs = join(repository, 'libs');
export const received = '2026-11-21T10:00:00.000Z';
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const countries = new Map<string, { pack: CountryPack; wording: SummaryWording }>();
export function country(cc: string): { pack: CountryPack; wording: SummaryWording } {
  const home = join(libs, 'countries', cc);
  const names = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  const files = names.map((file): [string, unknown] => [file, JSON.parse(readFileSync(join(home, file), 'utf8'))]);
  const { 'wording.json': wording, ...rest } = Object.fromEntries(files);
  const made = countries.get(cc) ?? { pack: countryPack(rest), wording: wording as SummaryWording };
  countries.set(cc, made);
  return made;
}

/** Whose summary: of which country, who reads it, and of which documents it is made; none for the person made up in FHIR. */
export interface Sample {
  readonly name: string;
  readonly cc: string;
  readonly reader: string;
  readonly identifier: BusinessIdentifier;
  readonly files: readonly string[];
}

export const samples: readonly Sample[] = [
  {
    name: 'Mari of Estonia, read in Portugal',
    cc: 'ee',
    reader: 'pt',
    identifier: { system: 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1', value: '47101010033' },
    files: ['cda/ee-mari-naidis-summary.xml', 'hl7v2/ee-oru-r01-chemistry.hl7'],
  },
  {
    name: 'Ana of Portugal, read in Estonia',
    cc: 'pt',
    reader: 'ee',
    identifier: { system: 'urn:oid:2.16.620.1.101.10.1.2', value: '999000001' },
    files: ['cda/pt-ana-exemplo-summary.xml', 'hl7v2/pt-oru-r01.hl7'],
  },
  {
    name: 'Erika of Germany, read in Estonia',
    cc: 'de',
    reader: 'ee',
    identifier: { system: 'http://fhir.de/sid/gkv/kvid-10', value: 'X000000001' },
    files: ['cda/de-erika-beispiel-summary.xml', 'ldt/de-erika-beispiel-lab.ldt'],
  },
  {
    name: 'Jan of Belgium, read in Portugal',
    cc: 'be',
    reader: 'pt',
    identifier: { system: 'https://www.ehealth.fgov.be/standards/fhir/core/NamingSystem/ssin', value: '71010100033' },
    files: ['kmehr/be-jan-voorbeeld-medication-scheme.xml', 'kmehr/be-jan-voorbeeld-sumehr.xml'],
  },
  { name: 'a person with all sections, read in Portugal', cc: 'ee', reader: 'pt', identifier: RICH, files: [] },
];

const categories: readonly DataCategory[] = ['summary', 'laboratory', 'imaging', 'medication', 'prescription', 'referral', 'discharge'];

/** The resources of the summary that the country's node gives, minimised and composed as any that crosses. */
export function summaryOf({ cc, identifier, files }: Sample): readonly FhirResource[] {
  const { pack, wording } = country(cc);
  const read = (file: string): readonly FhirResource[] =>
    translate({ bytes: readFileSync(join(libs, 'formats/fixtures', file)), format: 'auto', country: pack, sha256, received }).resources;
  const kept = files.length === 0 ? richPerson : files.flatMap(read);
  const custodian = cc.toUpperCase();
  const out = release({
    permit: { categories, identifiers: [identifier] },
    asked: { categories },
    gathered: kept.map((one) => ({
      type: one.resourceType,
      id: one.id,
      versionId: '1',
      lastUpdated: received,
      text: toFhirJson(one),
      categories: categoriesOf(one as unknown as Parameters<typeof categoriesOf>[0]),
      custodian,
    })),
    custodian: {
      country: custodian,
      identifier: { system: `urn:portolan:demo:${cc}:organisation`, value: 'custodian' },
      name: 'National node',
    },
    wording,
    timestamp: received,
    sha256,
  });
  const resources = resourcesIn(fromFhirJson(out?.text ?? '{}') as FhirObject);
  if (resources === undefined) throw new Error('the fixture releases nothing');
  return resources;
}
