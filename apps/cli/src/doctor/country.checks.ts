import { Validators, type NodeConfig } from '@portolan/contracts';
import { readCountry } from '@portolan/nest';
import { good, looked, type Finding } from './finding.js';

/** The country's folder: identifiers, formats, maps, policy. */
export async function countryFindings(config: NodeConfig): Promise<readonly Finding[]> {
  const check = `${config.country} country folder`;
  return looked(check, 'Correct the files of the country under the folder that the configuration names as countries', async () => {
    const { setting } = await readCountry(config, new Validators());
    return good(check, `${setting.name}, policy and rules fit their schemas`);
  });
}
