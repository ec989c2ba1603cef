import { readFileSync } from 'node:fs';
import type { FabricTrust } from '@portolan/contracts';
import { expect, it } from 'vitest';
import { fabricClient } from './fabric-client.js';

const file = new URL('../../../contracts/vectors/valid/trust-file/fabric-real.json', import.meta.url);
const { participants } = JSON.parse(readFileSync(file, 'utf8')) as FabricTrust;
const [certificate = ''] = participants.flatMap(({ endorsers }) => endorsers).map(({ cert }) => cert);
const options = {
  ...{ org: 'EE', channel: 'trial', chaincode: 'portolan' },
  // The port of a service that throws away what it is sent (RFC 863); nobody listens there.
  peer: { address: '127.0.0.1:9', tls: { ca: certificate } },
  identity: { certificate, sign: async () => new Uint8Array(64) },
};

it('loads fabric-network where the configuration names it, and there alone', async () => {
  // What the SDK finds its logger in, set as it is loaded.
  const isLoaded = (): boolean => 'hfc' in globalThis;
  for (const name of ['fabric-gateway', 'fabric-network'] as const) {
    const client = await fabricClient(name, options);
    expect(isLoaded()).toBe(name === 'fabric-network');
    await expect(client.height()).rejects.toMatchObject({ code: 'ledger.unreachable' });
    client.close();
  }
});
