import { join } from 'node:path';
import type { CountryCode } from '@portolan/contracts';
import { CountryFolders, readTlsIdentity } from '@portolan/keys';
import { KafkaBroker, type KafkaBrokerConfig } from '../stack/kafka/kafka-broker.js';
import { engineFolders } from './engine-folders.js';

/** The broker of a country of the world in `folder`, with the certificates that its provisioning left there; not started yet. */
export async function countryBroker(
  folder: string,
  country: CountryCode,
  more: Omit<KafkaBrokerConfig, 'folder' | 'partners' | 'country'>,
): Promise<KafkaBroker> {
  const folders = new CountryFolders(join(folder, country.toLowerCase()));
  const [partners, inner] = await Promise.all([readTlsIdentity(folders.inbox), readTlsIdentity(folders.broker)]);
  return new KafkaBroker({ ...more, folder: engineFolders(folder).broker(country), partners, country: inner });
}
