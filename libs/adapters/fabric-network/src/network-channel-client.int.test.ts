import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { FabricTrust } from '@portolan/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NetworkChannelClient } from './network-channel-client.js';

const file = new URL('../../../contracts/vectors/valid/trust-file/fabric-real.json', import.meta.url);
const { participants } = JSON.parse(readFileSync(file, 'utf8')) as FabricTrust;
const [certificate = ''] = participants.flatMap(({ endorsers }) => endorsers).map(({ cert }) => cert);

describe('our own peer that takes connections and says nothing', () => {
  let peer: Server;
  let taken: Socket[];

  beforeEach(async () => {
    taken = [];
    peer = createServer((socket) => taken.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const socket of taken) socket.destroy();
    await new Promise((resolve) => peer.close(resolve));
  });

  it('is waited for within bounds, by one connection, and nothing is handed over', async () => {
    const client = await NetworkChannelClient.open({
      ...{ org: 'EE', channel: 'trial', chaincode: 'portolan' },
      peer: { address: `127.0.0.1:${(peer.address() as AddressInfo).port}`, tls: { ca: certificate } },
      identity: { certificate, sign: async () => new Uint8Array(64) },
    });
    try {
      const started = performance.now();
      let ordered = false;
      expect(await client.attempt('put-permit', [], () => (ordered = true))).toMatchObject({ is: 'unknown' });
      expect(ordered).toBe(false);
      await expect(client.ask('transaction-known')).rejects.toMatchObject({ code: 'ledger.unreachable' });
      await expect(client.blocks(0)).rejects.toMatchObject({ code: 'ledger.unreachable' });
      expect(performance.now() - started).toBeLessThan(15_000);
      expect(taken).toHaveLength(1);
    } finally {
      client.close();
    }
    await expect(client.height()).rejects.toMatchObject({ code: 'ledger.unreachable' });
  });
});
