import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fabricClientContract } from './fabric-client.contract.js';
import { fabricEngine, FabricStack, type FabricEngine } from '../stack/fabric/index.js';
import { repository } from '../world/world.js';
import { receiptContract } from './fabric-receipts.contract.js';
import { FabricCountry } from './fabric-world.js';
import { ledgerContract } from './ledger.contract.js';

const engine = await fabricEngine();
const absent = 'absent' in engine ? engine.absent : undefined;
const inCi = process.env['CI'] === 'true';
const orgs = ['EE', 'PT', 'BE'] as const;

describe.skipIf(absent !== undefined && !inCi)(`a Fabric channel${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  let root: string;
  let stack: FabricStack;
  const countries = new Map<string, FabricCountry>();
  const at = (org: string): FabricCountry => {
    const country = countries.get(org);
    if (country === undefined) throw new Error(`no ${org} on this channel`);
    return country;
  };

  beforeAll(async () => {
    if (absent !== undefined) throw new Error(absent);
    root = await mkdtemp(join(tmpdir(), 'portolan-fabric-'));
    stack = await FabricStack.start({
      folder: join(root, 'network'),
      engine: engine as FabricEngine,
      channel: 'trial',
      organisations: [...orgs.map((org) => ({ org, kind: 'country' as const })), { org: 'REG', kind: 'regulator' }],
      chaincode: { name: 'portolan', version: '1', others: 1, command: [process.execPath, join(repository, 'apps/contract/dist/main.js')] },
      endsWithUs: true,
    });
    for (const org of orgs) countries.set(org, await FabricCountry.of(org, stack));
    for (const country of countries.values()) await country.found();
    for (const country of countries.values()) await country.open();
  }, 300_000);
  afterAll(async () => {
    await Promise.all([...countries.values()].map((country) => country.close()));
    await stack.stop();
    await rm(root, { recursive: true, force: true });
  });

  ledgerContract('FabricLedger', () => ({
    countries: orgs,
    patienceMs: 30_000,
    at: (org) => at(org).ledger,
    reopen: async (org) => {
      await at(org).close();
      await at(org).open();
    },
    endLedgerKey: (org) => at(org).endLedgerKey(),
  }));

  fabricClientContract('fabric-gateway', () => at('EE'));

  it('has orderers that agree by BFT, and is refused by fabric-network for that', async () => {
    await expect(at('PT').client('notary', 'fabric-network')).rejects.toMatchObject({ code: 'ledger.client-unfit-for-bft' });
  });

  receiptContract(() => ({ from: at('EE'), to: at('PT') }));
});
