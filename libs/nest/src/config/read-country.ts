import { join } from 'node:path';
import { englishWording, type CountrySetting, type SummaryWording } from '@portolan/domain';
import { mistakePlace, type CountryPack } from '@portolan/formats';
import { PortolanError, type NodeConfig, type Policy, type SchemaName, type Validators } from '@portolan/contracts';
import { readCountryPack, type CountryFolder } from './country-pack.js';
import { terminologyFolder } from './terminology-store.js';

/**
 * A country's folder, and the code systems that its node imported: read at boot, checked by schema and checksum; nothing imports it (design,
 * section 3).
 */
export async function readCountry(config: NodeConfig, validators: Validators): Promise<{ setting: CountrySetting; pack: CountryPack }> {
  const folder = join(config.countries, config.country.toLowerCase());
  const read = await readCountryPack(folder, terminologyFolder(config), validators);
  const { pack } = read;
  const policy = fileOf<Policy>(read, 'policy/policy.json', 'policy', validators);
  if (policy.country !== config.country || pack.country !== config.country)
    throw new PortolanError('config.invalid', `countries/${config.country.toLowerCase()}`, 'country');
  const setting: CountrySetting = {
    code: config.country,
    name: pack.name,
    language: pack.languages[0] ?? 'en',
    policy,
    demandedTraits: pack.search.traits,
    custodian: config.custodian,
    wording:
      read.files['wording.json'] === undefined
        ? englishWording
        : fileOf<SummaryWording>(read, 'wording.json', 'summary-wording', validators),
  };
  return { setting, pack };
}

/** A file of the folder that fits its schema; else the mistake is told with its line, as those of maps are. */
function fileOf<T>({ files, texts }: CountryFolder, file: string, schema: SchemaName, validators: Validators): T {
  const what = validators.mistake(schema, files[file]);
  if (what === undefined) return files[file] as T;
  throw new PortolanError('translate.country-invalid', mistakePlace(texts, { file, rule: `(${schema})`, what }), what);
}
