import type { LedgerFacts } from './ledger-facts.js';

/** A ledger whose copies were judged by themselves and against each other: what it says, whichever kind it is. */
export interface JudgedLedger {
  readonly facts: LedgerFacts;
  /** `public:<owner>/<name>` → value. */
  readonly state: ReadonlyMap<string, Buffer>;
  /** How far a transaction's time may be from its block's. */
  readonly windowSeconds: number;
  /** What stands on it in the clear, to be searched for what must not. */
  readonly texts: readonly { readonly where: string; readonly text: string }[];
}
