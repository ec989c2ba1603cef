import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeConfig } from '@portolan/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeLogger } from './logger.js';
import { PartnerList } from './partner-list.js';

const door = { host: '127.0.0.1', port: 4_000 };
const config: NodeConfig = {
  v: 1,
  mode: 'demo',
  country: 'EE',
  home: '/nowhere',
  countries: '/nowhere',
  database: { host: '127.0.0.1', port: 5_432, name: 'portolan_ee' },
  ledger: { kind: 'embedded', genesis: '/nowhere/genesis.json', orderer: door },
  inbox: door,
  partners: [{ country: 'PT', inbox: door }],
  transport: { kind: 'together' },
  http: door,
  mllp: door,
  openid: { issuer: 'http://127.0.0.1:1', audience: 'urn:a', jwksUri: 'http://127.0.0.1:1/jwks', providerSystem: 'urn:b' },
  clients: [],
  sources: [],
  custodian: { name: 'Custodian', identifier: { system: 'urn:c', value: '1' } },
  logging: { level: 'info' },
  telemetry: { kind: 'none' },
};

describe('the partners of a running node', () => {
  let folder: string;
  let file: string;
  let list: PartnerList;
  let lines: string[];

  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-partners-'));
    file = join(folder, 'node.json');
    await write(JSON.stringify(config));
    lines = [];
    list = new PartnerList(config, file, new NodeLogger({ country: 'EE', role: 'exchange' }, 'info', (line) => void lines.push(line)));
    list.start();
  });
  afterEach(async () => {
    await list.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('follow the configuration file', async () => {
    expect(list.countries).toEqual(['PT']);
    // The first look notes the file as it stood at the start.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await write(JSON.stringify({ ...config, partners: [...config.partners, { country: 'DE', inbox: door }] }));
    await expect.poll(() => list.countries, { timeout: 10_000 }).toEqual(['PT', 'DE']);
  });

  it('stay as they were where the file cannot be used, and a code says so', async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    await write('{ "v": 1, "partners": [] }');
    await expect.poll(() => lines.join('\n'), { timeout: 10_000 }).toContain('config.invalid');
    expect(list.countries).toEqual(['PT']);
  });
});
