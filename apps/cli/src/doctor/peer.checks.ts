import type { NodeConfig } from '@portolan/contracts';
import { connectFabric, CountryFolders, SystemClock } from '@portolan/nest';
import { good, looked, type Finding } from './finding.js';

/** Our own Fabric peer takes the notary's certificate, and has the channel. */
export async function peerFindings(config: NodeConfig): Promise<readonly Finding[]> {
  const { ledger, country, home } = config;
  if (ledger.kind !== 'fabric') return [];
  const check = `${country} peer`;
  const { host, port } = ledger.peer;
  const mend = `Start the peer at ${host}:${port} and join it to the channel ${ledger.channel}, or correct the address; its log says what it refused`;
  return looked(check, mend, async () => {
    const client = await connectFabric({ config, folders: new CountryFolders(home), clock: new SystemClock() }, ledger);
    try {
      return good(check, `answers at ${host}:${port}, ${await client.height()} blocks of ${ledger.channel}`);
    } finally {
      client.close();
    }
  });
}
