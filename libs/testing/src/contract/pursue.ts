import type { CommittedTx, Ledger } from '@portolan/domain';

/** An act as a notary hands it over. */
export interface Call {
  readonly id: string;
  readonly fn: string;
  readonly args: object;
}

/** What callers of the port `Ledger` do: the outcome is asked for before anything is submitted again. Throws where there is none within `ms`. */
export async function pursue(ledger: Ledger, act: Call, ms: number): Promise<CommittedTx> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const outcome = await ledger.outcome(act.id);
    if (outcome !== undefined) return outcome;
    await ledger.submit(act).catch(() => undefined);
    await ledger.beyond(await ledger.height(), 200);
  }
  throw new Error(`${act.fn} has no outcome after ${ms} ms`);
}
