import type { KafkaClients } from '@portolan/kafka';
import { kafkaClientsOf } from '@portolan/nest';
import { installed } from '../installed.js';

/** What writes and reads: kafkajs, or the one that tools/engines/confluent compiles on request. */
export type ClientName = 'kafkajs' | 'confluent';

/** A client other than the default one, and the folder that it was loaded from. */
export interface OtherClient {
  readonly package: string;
  readonly clients: KafkaClients;
}

/** Undefined for kafkajs, which is there. Compiles the other one where that was not done yet; throws where the machine cannot. */
export async function otherClient(name: ClientName, say?: (text: string) => void): Promise<OtherClient | undefined> {
  if (name === 'kafkajs') return undefined;
  const found = await installed<{ readonly package: string }>('confluent', say);
  if ('absent' in found) throw new Error(found.absent);
  const clients = await kafkaClientsOf({ kafkaClient: { kind: 'confluent', package: found.package } });
  return clients === undefined ? undefined : { package: found.package, clients };
}
