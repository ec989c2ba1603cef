import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeConfig } from '@portolan/contracts';

/** Something that listens and is no node. */
export function stranger(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

export const portOf = (server: Server): number => (server.address() as { port: number }).port;

async function freePort(): Promise<number> {
  const server = await stranger();
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A configuration that fits its schema; nothing that it names is there. */
export async function nodeConfig(home: string, more: Partial<NodeConfig> = {}): Promise<NodeConfig> {
  const host = '127.0.0.1';
  const nowhere = { host, port: await freePort() };
  const named = { system: 'urn:portolan:test', value: 'custodian' };
  return {
    v: 1,
    mode: 'demo',
    country: 'EE',
    home,
    countries: fileURLToPath(new URL('../../../../libs/countries', import.meta.url)),
    database: { ...nowhere, name: 'portolan_ee' },
    ledger: { kind: 'embedded', genesis: join(home, 'genesis.json'), orderer: nowhere },
    inbox: { host, port: 0 },
    partners: [{ country: 'PT', inbox: nowhere }],
    transport: { kind: 'together' },
    http: nowhere,
    mllp: { host, port: 0 },
    openid: {
      issuer: 'http://127.0.0.1:9',
      audience: 'urn:portolan:node:ee',
      jwksUri: 'http://127.0.0.1:9/jwks',
      providerSystem: 'urn:portolan:test',
    },
    clients: [],
    sources: [],
    custodian: { name: 'Custodian', identifier: named },
    logging: { level: 'silent' },
    telemetry: { kind: 'none' },
    ...more,
  };
}

/** Keeps such a configuration as `node.json` of a folder, which it makes. */
export async function keepConfig(home: string, more: Partial<NodeConfig> = {}): Promise<string> {
  mkdirSync(home, { recursive: true });
  const file = join(home, 'node.json');
  writeFileSync(file, JSON.stringify(await nodeConfig(home, more)));
  return file;
}
