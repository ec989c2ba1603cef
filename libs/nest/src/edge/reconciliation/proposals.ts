import type { Instant } from '@portolan/contracts';
import {
  pairId,
  proposedPairs,
  readResource,
  RECONCILED,
  standingIn,
  type EdgeTx,
  type EntryPair,
  type PersonId,
  type Reconciliation,
  type Resource,
} from '@portolan/domain';
import type { Sha256Hex } from '@portolan/formats';

/** Resources of one record that are compared: what a summary can show. */
const MAX_RECORD = 5_000;

/** Entries that came from abroad into a person's record. */
export interface Newcomers {
  readonly person: PersonId;
  /** `Type/id`, filed already. */
  readonly come: readonly string[];
  /** `system|value` of the organisation that brought them: its staff judges. */
  readonly custodian: string;
  readonly at: Instant;
}

/**
 * Proposes each of these with what the record held already that says the same, in the transaction that filed them. The same again proposes
 * nothing anew, and what was judged stays judged.
 */
export async function proposeRepeats(tx: EdgeTx, { person, come, custodian, at }: Newcomers, sha256: Sha256Hex): Promise<void> {
  if (come.length === 0) return;
  await tx.reconciliations.noteForeign(person, come.filter(isReconciled), custodian);
  const pairs = proposedPairs(await recordOf(tx, person), new Set(come));
  await tx.reconciliations.propose(pairs.map((pair) => ({ id: pairId(pair, sha256), person, ...pair, custodian, at })));
}

/** Entries of the country's own systems in a person's record, filed by one message. */
export interface OwnEntries extends Pick<Newcomers, 'person' | 'at'> {
  /** `Type/id`. */
  readonly filed: readonly string[];
}

/**
 * The same where the country's own message comes after the document from abroad: what the document brought is what may repeat the own entry, and
 * whoever brought it judges. Of a person to whom nothing came from abroad it costs one look.
 */
export async function proposeRepeated(tx: EdgeTx, { person, filed, at }: OwnEntries, sha256: Sha256Hex): Promise<void> {
  const own = new Set(filed.filter(isReconciled));
  if (own.size === 0) return;
  const foreign = await tx.reconciliations.foreignOf(person, MAX_RECORD);
  const custodians = new Map(foreign.filter(({ entry }) => !own.has(entry)).map(({ entry, custodian }) => [entry, custodian]));
  if (custodians.size === 0) return;
  const pairs = proposedPairs(await recordOf(tx, person), new Set(custodians.keys()), (entry) => own.has(entry));
  await tx.reconciliations.propose(
    pairs.map((pair) => ({ id: pairId(pair, sha256), person, ...pair, custodian: custodians.get(pair.come) ?? '', at })),
  );
}

const isReconciled = (entry: string): boolean => RECONCILED.has(entry.slice(0, entry.indexOf('/')));

/** Of entries that have a new version (`Type/id`): proposals that fit no more are withdrawn, and those that fit again are opened. */
export async function judgeAgain(tx: EdgeTx, entries: readonly string[]): Promise<void> {
  if (entries.length > 0) await settle(tx, await tx.reconciliations.unjudged(entries));
}

/** The same of all proposals of a person, where others were joined to her or parted from her. */
export async function judgeAgainOf(tx: EdgeTx, person: PersonId): Promise<void> {
  await settle(tx, await tx.reconciliations.unjudgedOf(person));
}

/** Whether both entries of a pair stand in her record, and say the same now. */
export async function stillSame(tx: EdgeTx, { person, known, come }: EntryPair & { readonly person: PersonId }): Promise<boolean> {
  return standingIn(await recordOf(tx, person))({ known, come });
}

async function settle(tx: EdgeTx, pairs: readonly Reconciliation[]): Promise<void> {
  for (const [person, hers] of Map.groupBy(pairs, (pair) => pair.person)) {
    const stands = standingIn(await recordOf(tx, person));
    for (const pair of hers) {
      const to = stands(pair) ? 'open' : 'withdrawn';
      if (to !== pair.state) await tx.reconciliations.advance(pair.id, pair.state, to);
    }
  }
}

async function recordOf(tx: EdgeTx, person: PersonId): Promise<readonly Resource[]> {
  return (await tx.resources.ofPerson(person, 'all', MAX_RECORD)).map(({ type, id, text }) => readResource(text, `${type}/${id}`));
}
