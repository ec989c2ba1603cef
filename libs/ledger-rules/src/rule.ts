import type { ErrorCode, Instant, OrgId, SchemaName, Validators } from '@portolan/contracts';
import type { Sha256 } from '@portolan/verify';

/**
 * A key of the ledger's state. `public`: everybody reads the bytes. `owned`: an entry of the owner's implicit collection,
 * which only the owner writes and of which rules see the hash alone (Fabric's getPrivateDataHash).
 */
export type StateKey =
  { readonly space: 'public'; readonly key: string } | { readonly space: 'owned'; readonly owner: OrgId; readonly key: string };

/** What a host found under a key: the bytes of a public one, the SHA-256 (hexadecimal) of an owned one. */
export type Value = { readonly bytes: Uint8Array } | { readonly hash: string };

/** By keyText; a key that holds nothing is not in the map. */
export type Values = ReadonlyMap<string, Value>;

/** Who signed the transaction, as the host authenticated it. */
export interface Caller {
  readonly org: OrgId;
  readonly role: 'notary' | 'governance';
}

/** Each key is written once; `again` marks the one kind that is not (the standing of a suspension). */
export interface Write {
  readonly key: StateKey;
  readonly bytes: Uint8Array;
  readonly again?: true;
}

/** What became of one step of a batch: `index` counts the steps as sent; `position` is the leaf's in the batch's tree. */
export type StepVerdict =
  | { readonly index: number; readonly ok: true; readonly position: number }
  | { readonly index: number; readonly ok: false; readonly code: ErrorCode };

export interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  /** A place: the rule, a field, or `steps/3,7`. Never a value. */
  readonly where: string;
}

export type Decision = { readonly ok: true; readonly writes: readonly Write[]; readonly verdicts?: readonly StepVerdict[] } | Refusal;

/** What decide may look at: nothing but these, so that every copy of the ledger comes to the same answer. */
export interface Scene {
  readonly values: Values;
  readonly caller: Caller;
  /** The transaction's time; the only clock there is. */
  readonly time: Instant;
  readonly sha256: Sha256;
  readonly validators: Validators;
  /** How far a transaction's time may be from its block's, as this channel's hosts agree; `clockSkew` where absent. */
  readonly clockWindowMs?: number;
}

/**
 * A rule: two pure functions, run alike by the chaincode and by the embedded ledger. The host reads what `reads` names
 * and passes it to `decide`; what `decide` writes takes effect as a whole or not at all.
 */
export interface Rule<A> {
  readonly name: string;
  /** Schema of the arguments. */
  readonly schema: SchemaName;
  /** Longest JSON text of the arguments, in characters. */
  readonly maxChars: number;
  /** Registry acts belong to the governance identity, everything else to the notary. */
  readonly role: Caller['role'];
  reads(args: A, caller: Caller, validators: Validators): StateKey[];
  decide(args: A, scene: Scene): Decision;
}

/** One text for one key: the key of Values, and a database's primary key. */
export function keyText(key: StateKey): string {
  return key.space === 'public' ? `public:${key.key}` : `owned:${key.owner}:${key.key}`;
}

export function refusal(code: ErrorCode, where: string): Refusal {
  return { ok: false, code, where };
}
