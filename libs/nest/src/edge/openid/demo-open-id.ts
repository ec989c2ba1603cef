import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { parseBounded, PortolanError, type NodeConfig } from '@portolan/contracts';
import { mountDemoOpenId, type DemoOpenIdConfig } from '@portolan/openid';

const MAX_FILE_CHARS = 1_000_000;

/**
 * Runs the country's demo OpenID provider on its own door where the configuration names one; nothing otherwise. Throws
 * `auth.demo-only` outside demo mode, `config.unreadable` and `config.invalid` for its file, and `config.invalid` where tokens of this
 * provider would not be the ones that the node trusts.
 */
export async function startDemoOpenId(
  config: Pick<NodeConfig, 'mode' | 'country' | 'openid' | 'demoOpenid'>,
): Promise<{ close(): Promise<void> }> {
  const { demoOpenid, country } = config;
  if (demoOpenid === undefined) return { close: () => Promise.resolve() };
  if (config.mode !== 'demo') throw new PortolanError('auth.demo-only', `openid provider of ${country}`);
  const provider = await readProvider(demoOpenid.file, config);
  const server = await listening(demoOpenid.door);
  try {
    const { issuer } = mountDemoOpenId(server, provider);
    if (issuer !== config.openid.issuer)
      throw new PortolanError('config.invalid', 'node configuration', 'openid.issuer is not demoOpenid.door');
  } catch (error) {
    await close(server);
    throw error;
  }
  return { close: () => close(server) };
}

/** The file is this node's own, written when the demonstration was provisioned; what the provider cannot do without is looked for. */
async function readProvider(file: string, { country, openid }: Pick<NodeConfig, 'country' | 'openid'>): Promise<DemoOpenIdConfig> {
  const where = 'demoOpenid.file';
  const text = await readFile(file, 'utf8').catch(() => {
    throw new PortolanError('config.unreadable', where);
  });
  const provider = parseBounded(text, MAX_FILE_CHARS, 'config.invalid', where) as Partial<DemoOpenIdConfig> | null;
  const missing = (['signingKey', 'accounts', 'apps', 'systems'] as const).find((name) => provider?.[name] === undefined);
  if (missing !== undefined) throw new PortolanError('config.invalid', where, missing);
  if (provider?.country !== country) throw new PortolanError('config.invalid', where, 'country');
  if (provider.audience !== openid.audience) throw new PortolanError('config.invalid', where, 'audience');
  return provider as DemoOpenIdConfig;
}

async function listening({ host, port }: { readonly host: string; readonly port: number }): Promise<Server> {
  const server = createServer();
  server.listen(port, host);
  // `once` rejects where the port is taken.
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
