import type { Uuid } from '@portolan/contracts';
import { verdictOf, type AckVerdict, type Translation } from '@portolan/formats';
import type { StoredMessage } from '../store/message-stores.port.js';
import type { IngestProblem } from './reading.js';

/** What became of a message; the same for the same message whenever it comes again. */
export interface IngestAnswer {
  readonly messageId: Uuid;
  readonly state: StoredMessage['state'];
  /** `document`: why it was refused. `entry`: what could not be used of a message that was filed; it is carried beside. */
  readonly problems: readonly IngestProblem[];
}

/** Kept beside each message, encrypted: what became of it, and of every value in it. */
export interface MessageAccount {
  readonly v: 1;
  readonly answer: IngestAnswer;
  /** SHA-256 of rules and concept maps in force; absent where nothing was translated. */
  readonly mapVersion?: string;
  readonly account?: Translation['account'];
  /** What came after something newer: it is a version in the history, and what stood stands. */
  readonly late?: readonly LateContent[];
  /** What it moved here from another record or number. */
  readonly moved?: readonly MovedEntry[];
}

/** An entry that was moved with its stay: its id now, and the one under which nothing stands any more. */
export interface MovedEntry {
  readonly type: string;
  readonly id: string;
  readonly was: string;
}

/** One resource of a message that came after a newer one. */
export interface LateContent {
  readonly type: string;
  readonly id: string;
  /** The version that holds what this message says. */
  readonly version: number;
  /** The version that stands, with what stood before. */
  readonly stands: number;
}

/** The answer to a message that came before. Its account is unreadable where its person was erased since. */
export function earlierAnswer(messageId: Uuid, state: StoredMessage['state'], account: unknown): IngestAnswer {
  if (account !== undefined) return (account as MessageAccount).answer;
  const gone: IngestProblem = { code: 'store.key-destroyed', path: 'message', severity: 'document' };
  return { messageId, state, problems: state === 'rejected' ? [gone] : [] };
}

/** The answer as an acknowledgement's verdict: AA or CA, AE or CE, AR or CR. */
export const ackVerdict = ({ problems }: Pick<IngestAnswer, 'problems'>): AckVerdict => verdictOf(problems);
