import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fabricClientContract } from './fabric-client.contract.js';
import { fabricEngine } from '../stack/fabric/index.js';
import { receiptContract } from './fabric-receipts.contract.js';
import { FabricTrial, trialOrgs as orgs, type FabricCountry } from './fabric-world.js';
import { ledgerContract } from './ledger.contract.js';

const engine = await fabricEngine();
const absent = 'absent' in engine ? engine.absent : undefined;
const inCi = process.env['CI'] === 'true';

describe.skipIf(absent !== undefined && !inCi)(`a Fabric channel${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  let trial: FabricTrial;
  const at = (org: string): FabricCountry => trial.at(org);

  beforeAll(async () => {
    trial = await FabricTrial.start(engine, 'bft');
  }, 300_000);
  afterAll(async () => trial.stop());

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
