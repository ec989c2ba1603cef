import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { englishWording, type CountrySetting, type SummaryWording } from '@portolan/domain';
import { countryPack, type CountryPack } from '@portolan/formats';
import { PortolanError, type NodeConfig, type Policy, type Validators } from '@portolan/contracts';
import { readImported, terminologyFolder } from './terminology-store.js';

const MAX_FILES = 500;

/** As `country.json` names them, which is checked after; English besides. */
function languagesOf(files: Readonly<Record<string, unknown>>): readonly string[] {
  const { languages } = (files['country.json'] ?? {}) as { languages?: unknown };
  return [...(Array.isArray(languages) ? languages.filter((one) => typeof one === 'string') : []), 'en'];
}

/**
 * A country's folder, and the code systems that its node imported: read at boot, checked by schema and checksum; nothing imports it (design,
 * section 3).
 */
export async function readCountry(config: NodeConfig, validators: Validators): Promise<{ setting: CountrySetting; pack: CountryPack }> {
  const folder = join(config.countries, config.country.toLowerCase());
  const files = await readJsonTree(folder);
  const { 'policy/policy.json': policyFile, 'wording.json': wording, ...packFiles } = files;
  const pack = countryPack(packFiles, validators, await readImported(terminologyFolder(config), languagesOf(packFiles)));
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

async function readJsonTree(folder: string): Promise<Record<string, unknown>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => {
    throw new PortolanError('config.unreadable', 'countries folder');
  });
  const names = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name));
  if (names.length > MAX_FILES) throw new PortolanError('config.invalid', 'countries folder', `more than ${MAX_FILES} files`);
  const read = names.map(
    async (name) => [name.slice(folder.length + 1).replaceAll('\\', '/'), JSON.parse(await readFile(name, 'utf8')) as unknown] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}
