import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fabricEngine } from '../stack/fabric/index.js';
import { fabricClientContract, permit } from './fabric-client.contract.js';
import { receiptContract } from './fabric-receipts.contract.js';
import { FabricTrial, trialOrgs as orgs, type FabricCountry } from './fabric-world.js';
import { ledgerContract } from './ledger.contract.js';
import { pursue } from './pursue.js';

const engine = await fabricEngine();
const absent = 'absent' in engine ? engine.absent : undefined;
const inCi = process.env['CI'] === 'true';

describe.skipIf(absent !== undefined && !inCi)(
  `a Fabric channel of Raft orderers${absent === undefined ? '' : ` (skipped: ${absent})`}`,
  () => {
    let trial: FabricTrial;
    const at = (org: string): FabricCountry => trial.at(org);

    beforeAll(async () => {
      trial = await FabricTrial.start(engine, 'raft', 'fabric-network');
    }, 300_000);
    afterAll(async () => trial.stop());

    fabricClientContract('fabric-network', () => at('EE'));
    fabricClientContract('fabric-gateway', () => at('PT'));

    ledgerContract('FabricLedger over fabric-network', () => ({
      countries: orgs,
      patienceMs: 30_000,
      at: (org) => at(org).ledger,
      reopen: async (org) => {
        await at(org).close();
        await at(org).open();
      },
      endLedgerKey: (org) => at(org).endLedgerKey(),
    }));

    receiptContract(() => ({ from: at('EE'), to: at('PT') }));

    it('told of no trouble', () => {
      expect(orgs.flatMap((org) => at(org).troubles)).toEqual([]);
    });

    describe('in trouble', () => {
      const signal = (part: string, name: NodeJS.Signals): void => {
        for (const { pid } of trial.stack.status().filter((one) => one.part === part)) process.kill(pid!, name);
      };
      const validOf = async (id: string): Promise<number> => {
        const blocks = await at('EE').ledger.blocks(0, (await at('EE').ledger.height()) + 1);
        return blocks.flatMap(({ transactions }) => transactions).filter((tx) => tx.id === id && tx.valid).length;
      };

      it('goes on without another country’s peer and orderer, and takes them back', async () => {
        await Promise.all([trial.stack.kill('BE', 'peer'), trial.stack.kill('BE', 'orderer')]);
        for (let n = 0; n < 3; n += 1) expect(await pursue(at('EE').ledger, permit('EE', 'PT'), 60_000)).toMatchObject({ valid: true });
        await Promise.all([trial.stack.restart('BE', 'peer'), trial.stack.restart('BE', 'orderer')]);
        expect(await pursue(at('EE').ledger, permit('EE', 'PT'), 60_000)).toMatchObject({ valid: true });
      }, 240_000);

      it('does not know what became of an act while all orderers stand still; and it stands once in the end', async () => {
        const act = permit('EE', 'PT');
        signal('orderer', 'SIGSTOP');
        try {
          await expect(at('EE').ledger.submit(act)).rejects.toMatchObject({ code: 'ledger.unreachable' });
          expect(await at('EE').ledger.outcome(act.id)).toBeUndefined();
        } finally {
          signal('orderer', 'SIGCONT');
        }
        expect(await pursue(at('EE').ledger, act, 60_000)).toMatchObject({ valid: true });
        expect(await validOf(act.id)).toBe(1);
      }, 180_000);

      it('follows its own peer from the newest block that it keeps, after that was away', async () => {
        const before = await at('EE').ledger.height();
        await trial.stack.kill('EE', 'peer');
        await expect(at('EE').ledger.submit(permit('EE', 'PT'))).rejects.toMatchObject({ code: 'ledger.unreachable' });
        expect(await at('EE').ledger.height()).toBe(before);
        const meanwhile = await pursue(at('PT').ledger, permit('PT', 'EE'), 60_000);
        await trial.stack.restart('EE', 'peer');
        expect(await pursue(at('EE').ledger, permit('EE', 'PT'), 60_000)).toMatchObject({ valid: true });
        const blocks = await at('EE').ledger.blocks(0, (await at('EE').ledger.height()) + 1);
        expect(blocks.map(({ number }) => number)).toEqual(blocks.map((_, i) => i));
        expect(blocks[meanwhile.block]?.transactions).toContainEqual(meanwhile);
      }, 240_000);
    });
  },
);
