import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeConfig } from '@portolan/contracts';
import { generateJwtKey } from '@portolan/jose';
import { walkCodeFlow } from '@portolan/openid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { providerConfig } from '../person/test-support/demo-provider.js';
import { startDemoOpenId } from './demo-open-id.js';

type Config = Pick<NodeConfig, 'mode' | 'country' | 'openid' | 'demoOpenid'>;
let folder: string;
let config: Config;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-openid-'));
  const mari = { id: 'mari', name: 'Mari Näidis', kind: 'person' as const, person: { system: 'urn:test', value: '1' } };
  config = await providerConfig(folder, 'EE', [mari], await generateJwtKey('h'));
});
afterEach(() => rm(folder, { recursive: true }));

const login = (): ReturnType<typeof walkCodeFlow> =>
  walkCodeFlow({
    issuer: config.openid.issuer,
    accountId: 'mari',
    clientId: 'portolan-cli',
    redirectUri: 'http://127.0.0.1:9/callback',
    scope: 'openid portal',
  });

describe('the demo provider of a node', () => {
  it('logs its people in while it runs, and can be started again at the same door', async () => {
    for (const _ of [1, 2]) {
      const running = await startDemoOpenId(config);
      expect((await login()).accessToken.split('.')).toHaveLength(3);
      await running.close();
      await expect(login()).rejects.toMatchObject({ code: 'auth.provider-unreachable' });
    }
  });

  it('is not there where the configuration names none', async () => {
    const { demoOpenid: _none, ...without } = config;
    await (await startDemoOpenId({ ...without, mode: 'production' })).close();
  });

  const changed = async (change: (file: Record<string, unknown>) => unknown): Promise<Config> => {
    const file = config.demoOpenid!.file;
    await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>)));
    return config;
  };

  it.each<[string, () => Promise<Config>, string]>([
    ['outside of demo mode', async () => ({ ...config, mode: 'production' }), 'auth.demo-only'],
    [
      'without its file',
      async () => ({ ...config, demoOpenid: { ...config.demoOpenid!, file: join(folder, 'none') } }),
      'config.unreadable',
    ],
    ['with a file that is no JSON', async () => (await writeFile(config.demoOpenid!.file, '{'), config), 'config.invalid'],
    ['with a file of null', () => changed(() => null), 'config.invalid'],
    ['without accounts', () => changed(({ accounts: _, ...rest }) => rest), 'config.invalid'],
    ['without a signing key', () => changed(({ signingKey: _, ...rest }) => rest), 'config.invalid'],
    ['of another country', () => changed((file) => ({ ...file, country: 'PT' })), 'config.invalid'],
    ['for another node', () => changed((file) => ({ ...file, audience: 'urn:portolan:node:pt' })), 'config.invalid'],
    ['that does not say it is a demonstration', () => changed((file) => ({ ...file, demo: false })), 'auth.demo-only'],
    [
      'whose tokens the node would not take',
      async () => ({ ...config, openid: { ...config.openid, issuer: 'http://127.0.0.1:9' } }),
      'config.invalid',
    ],
    [
      'for other machines',
      async () => ({ ...config, demoOpenid: { ...config.demoOpenid!, door: { host: '0.0.0.0', port: 0 } } }),
      'auth.not-loopback',
    ],
  ])('does not start %s, and leaves its door free', async (_, make, code) => {
    await expect(make().then(startDemoOpenId)).rejects.toMatchObject({ code });
    const door = createServer().listen(config.demoOpenid!.door.port, '127.0.0.1');
    await once(door, 'listening');
    door.close();
  });

  it('fails where its door is taken', async () => {
    const other = createServer().listen(config.demoOpenid!.door.port, '127.0.0.1');
    await once(other, 'listening');
    await expect(startDemoOpenId(config)).rejects.toThrow();
    other.close();
  });
});
