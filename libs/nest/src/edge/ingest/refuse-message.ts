import type { EdgeTx, IngestAnswer, IngestProblem } from '@portolan/domain';
import { recordLocalAct } from '../local-acts.js';
import { keepMessage, sendingActor, type Incoming, type IngestTools } from './incoming.js';

/** Keeps what cannot be used with its original, open until somebody repairs or discards it. */
export async function refuseMessage(
  tx: EdgeTx,
  incoming: Incoming,
  problems: readonly IngestProblem[],
  tools: IngestTools,
): Promise<IngestAnswer> {
  const kept = await keepMessage(tx, incoming, 'rejected', tools);
  if ('earlier' in kept) return kept.earlier;
  const { id: messageId, keyId } = kept;
  const { source, reading, received } = incoming;
  const fatal = problems.find(({ severity }) => severity === 'document');
  const [code, where] = fatal === undefined ? (['ingest.failed', 'message'] as const) : [fatal.code, fatal.path];
  await tx.rejects.put({ id: tools.random.uuid(), messageId, source, format: reading.format, code, where, at: received, state: 'open' });
  const answer: IngestAnswer = { messageId, state: 'rejected', problems };
  await tx.messages.putAccount(messageId, keyId, { v: 1, answer });
  await recordArrival(tx, incoming, { keyId, outcome: 'refused', reason: code }, tools);
  return answer;
}

/** MSH-11 says T or D: kept as received, nothing of it filed. */
export async function keepTestMessage(tx: EdgeTx, incoming: Incoming, tools: IngestTools): Promise<IngestAnswer> {
  const kept = await keepMessage(tx, incoming, 'not-production', tools);
  if ('earlier' in kept) return kept.earlier;
  const answer: IngestAnswer = { messageId: kept.id, state: 'not-production', problems: [] };
  await tx.messages.putAccount(kept.id, kept.keyId, { v: 1, answer });
  await recordArrival(tx, incoming, { keyId: kept.keyId, outcome: 'success' }, tools);
  return answer;
}

interface Arrival {
  readonly keyId: string;
  readonly outcome: 'success' | 'refused';
  readonly reason?: string;
}

/** Nobody's record was touched: the event stands under the message's key. */
async function recordArrival(tx: EdgeTx, incoming: Incoming, { keyId, ...what }: Arrival, tools: IngestTools): Promise<void> {
  const act = {
    act: 'record-ingested',
    recorded: incoming.received,
    ...what,
    actor: sendingActor(incoming),
    country: tools.country.code,
  } as const;
  await recordLocalAct(tx, tools.random, act, { person: undefined, keyId });
}
