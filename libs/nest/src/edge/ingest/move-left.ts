import { PortolanError, type Instant, type Uuid } from '@portolan/contracts';
import type { EdgeTx, MessageAccount, MovedEntry, PersonId, StayLeft, StayMoved, StoredMessage } from '@portolan/domain';
import { stableUuid, type MovedStay } from '@portolan/formats';
import { organisationKey } from '../person/proposed-entry.js';
import { judgeAgain, proposeRepeated } from '../reconciliation/proposals.js';
import { nameOf, type Usable, type Whose } from './filed.js';
import type { IngestTools } from './incoming.js';
import { goesAlong, MAX_RECORD, moveAlong, type Job } from './move-stays.js';
import { numbersOf, stayKey } from './stay-moves.js';
import { whereItGoes } from './stays-of-others.js';
import { fileProvenance, tellChanges } from './tell-filing.js';

/** Moves of one stay that are followed. */
const MAX_MOVES = 50;

/** An operator's answer, and what reads the message of the move again. */
export interface Answering {
  readonly operator: NonNullable<Job['operator']>;
  readonly at: Instant;
  readonly read: (message: StoredMessage) => Usable | undefined;
}

/**
 * A stay of another organisation's goes after all where its number was moved, and on where that was moved since; with it goes what it would have taken
 * along at once. Throws `operator.stay-unknown`, `operator.stay-answered` (also where it stands there no more), `operator.stay-of-document`,
 * `operator.stay-move-gone`, `ingest.move-entangled`; nothing is answered then.
 */
export async function moveLeft(tx: EdgeTx, id: Uuid, { operator, at, read }: Answering, tools: IngestTools): Promise<void> {
  const left = await tx.stayMoves.left(id);
  if (left === undefined) throw new PortolanError('operator.stay-unknown', ':id');
  if (left.why === 'document') throw new PortolanError('operator.stay-of-document', ':id');
  if (!(await tx.stayMoves.answer(id, 'moved'))) throw new PortolanError('operator.stay-answered', ':id');
  const move = await lastMoveOf(tx, left);
  const [subject, whose] = [await lockedPerson(tx, move.toPerson), await lockedPerson(tx, left.person)];
  // They were joined since: whose it is they do not differ in.
  if (subject.same.includes(left.person)) return;
  const { usable, told, message } = await readMove(tx, move, read, tools);
  const record = await tx.resources.ofPerson(left.person, 'all', MAX_RECORD);
  const stay = record.find((one) => one.type === 'Encounter' && one.id === left.encounter);
  if (stay === undefined) throw new PortolanError('operator.stay-answered', ':id');
  const found = { whose, record, stay };
  const goes = record.length === MAX_RECORD ? undefined : goesAlong(found);
  if (goes === undefined) throw new PortolanError('ingest.move-entangled', 'Encounter');
  const place = { messageId: message.id, at, subject };
  const to = await whereItGoes(tx, usable, told, stay, tools);
  if (to === undefined) throw new PortolanError('operator.stay-move-gone', ':id');
  const { filed, moved } = await moveAlong({ tx, usable, place, tools, operator }, told, to, found, goes);
  await noteMoved(tx, message, moved);
  await judgeAgain(
    tx,
    filed.filter(({ changed, versionId }) => changed && versionId > 1).map(({ filing }) => nameOf(filing)),
  );
  const come = filed.filter(({ changed }) => changed).map(({ filing }) => nameOf(filing));
  await proposeRepeated(tx, { person: subject.id, filed: come, at }, tools.sha256);
  await fileProvenance(tx, filed, usable, place, tools, stableUuid(tools.sha256, ['stay-left', id, message.id]));
  await tellChanges(tx, filed, place, tools);
}

/** The move from which it was left, or the last one of those that followed on it. */
async function lastMoveOf(tx: EdgeTx, { person, stay }: StayLeft): Promise<StayMoved> {
  const after = async (persons: readonly PersonId[], key: Uuid): Promise<StayMoved | undefined> =>
    (await tx.stayMoves.of(persons, [key]))[0];
  let move = await after([person], stay);
  // It goes with the move that it was left from.
  if (move === undefined) throw new PortolanError('operator.stay-unknown', ':id');
  for (let moves = 0; moves < MAX_MOVES; moves += 1) {
    const next = await after(await tx.persons.same(move.toPerson), move.toStay);
    if (next === undefined) break;
    move = next;
  }
  return move;
}

/** The message of a move as it is read today, and which of the moves in it this is. */
async function readMove(
  tx: EdgeTx,
  { messageId, toStay }: StayMoved,
  read: Answering['read'],
  tools: IngestTools,
): Promise<{ readonly usable: Usable; readonly told: MovedStay; readonly message: StoredMessage }> {
  const message = await tx.messages.get(messageId);
  const usable = message && read(message);
  const told = usable?.translation.movedStays.find(({ to }) =>
    numbersOf(usable.translation, to)
      .slice(0, 1)
      .some((number) => stayKey(number, organisationKey(usable.sender.organisation), tools) === toStay),
  );
  if (message === undefined || usable === undefined || told === undefined) throw new PortolanError('operator.stay-move-gone', ':id');
  return { usable, told, message };
}

/** Until the commit nobody else files for her. */
async function lockedPerson(tx: EdgeTx, id: PersonId): Promise<Whose> {
  const keyId = await tx.keys.forPerson(id);
  await tx.keys.assign(keyId, id);
  return { id, keyId, same: await tx.persons.same(id) };
}

/** By its account the message of the move is known as what moved these, too. */
async function noteMoved(tx: EdgeTx, { id, keyId }: StoredMessage, moved: readonly MovedEntry[]): Promise<void> {
  const account = (await tx.messages.account(id)) as MessageAccount | undefined;
  if (account === undefined) throw new PortolanError('operator.stay-move-gone', ':id');
  await tx.messages.putAccount(id, keyId, { ...account, moved: [...(account.moved ?? []), ...moved] });
}
