import { PortolanError } from '@portolan/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventually, TestChannel } from '../test-support.js';
import type { EmbeddedLedger } from './embedded-ledger.js';

const orgs = ['EE', 'PT', 'BE'] as const;
const act = fc.record({ by: fc.constantFrom(...orgs), to: fc.constantFrom(...orgs), again: fc.boolean() });
const fault = fc.constantFrom('orderer restarts', 'copy restarts', 'none', 'none', 'none');

describe('whatever is submitted and whatever restarts', () => {
  it('every copy ends with the same chain, results and state, each id once, nobody apart', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(act, fault), { minLength: 1, maxLength: 8 }), async (script) => {
        const channel = await TestChannel.make(orgs);
        const ledgers = await channel.openAll();
        try {
          const ids = await play(script, channel, ledgers);
          const height = channel.ordererStore.chain.length - 1;
          for (const org of orgs) await eventually(async () => ((await ledgers.get(org)!.height()) === height ? true : undefined));
          const [first, ...others] = orgs.map((org) => channel.stores.get(org)!);
          for (const other of others) {
            expect(other.chain).toEqual(first!.chain);
            expect([...other.state].sort()).toEqual([...first!.state].sort());
          }
          const inChain = first!.chain.slice(1).flatMap(({ transactions }) => transactions.map(({ id }) => id));
          expect([...inChain].sort()).toEqual([...new Set(ids)].sort());
          expect(await ledgers.get('EE')!.divergences()).toEqual([]);
        } finally {
          await channel.close();
        }
      }),
      { numRuns: 4, interruptAfterTimeLimit: 1_200, markInterruptAsFailure: false },
    );
  });
});

/** Plays a script and answers with the ids that were acknowledged. */
async function play(
  script: readonly (readonly [{ by: string; to: string; again: boolean }, string])[],
  channel: TestChannel,
  ledgers: Map<string, EmbeddedLedger>,
): Promise<string[]> {
  const ids: string[] = [];
  for (const [{ by, to, again }, happens] of script) {
    const permit = channel.permit(by, to);
    const sent = insist(ledgers.get(by)!, permit).then(() => (again ? insist(ledgers.get(by)!, permit) : undefined));
    if (happens === 'orderer restarts') {
      await channel.stopOrderer();
      await channel.startOrderer();
    }
    if (happens === 'copy restarts') {
      await ledgers.get(to)!.close();
      ledgers.set(to, await channel.open(to));
    }
    await sent;
    ids.push(permit.id);
  }
  return ids;
}

/** Sends the same id until it is acknowledged, as a notary does while the outcome is unknown. */
async function insist(ledger: EmbeddedLedger, call: { id: string; fn: string; args: unknown }): Promise<void> {
  for (;;) {
    try {
      await ledger.submit(call);
      return;
    } catch (error) {
      if (!(error instanceof PortolanError) || !error.retriable) throw error;
    }
  }
}
