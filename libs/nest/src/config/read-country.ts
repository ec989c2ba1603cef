import { join } from 'node:path';
import { englishWording, type CountrySetting, type SummaryWording } from '@portolan/domain';
import type { CountryPack } from '@portolan/formats';
import { PortolanError, type NodeConfig, type Policy, type Validators } from '@portolan/contracts';
import { readCountryPack } from './country-pack.js';
import { terminologyFolder } from './terminology-store.js';

/**
 * A country's folder, and the code systems that its node imported: read at boot, checked by schema and checksum; nothing imports it (design,
 * section 3).
 */
export async function readCountry(config: NodeConfig, validators: Validators): Promise<{ setting: CountrySetting; pack: CountryPack }> {
  const folder = join(config.countries, config.country.toLowerCase());
  const { pack, files } = await readCountryPack(folder, terminologyFolder(config), validators);
  const { 'policy/policy.json': policyFile, 'wording.json': wording } = files;
  const policy = validators.check<Policy>('policy', policyFile, 'config.invalid', 'policy/policy.json');
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
      wording === undefined
        ? englishWording
        : validators.check<SummaryWording>('summary-wording', wording, 'config.invalid', 'wording.json'),
  };
  return { setting, pack };
}
