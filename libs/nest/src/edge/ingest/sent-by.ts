import type { EdgeTx, StoredMessage } from '@portolan/domain';
import type { SendingSystem } from '../edge.parts.js';
import { originOf, type Named } from './ids-under.js';
import { sourceOf } from './incoming.js';

/** The message in which an entry came first, before anything moved it; undefined where none did, or it is kept no more. */
export async function firstMessageOf(tx: EdgeTx, entry: Named): Promise<StoredMessage | undefined> {
  const { messageId } = await originOf(tx, entry);
  return messageId === undefined ? undefined : tx.messages.get(messageId);
}

/**
 * The organisation whose entry it is: its system sent the message in which the entry came first, before anything moved it, and however often that
 * was translated again. Undefined where no system that is registered here sent it.
 */
export async function sentBy(
  tx: EdgeTx,
  entry: Named,
  sources: readonly SendingSystem[],
): Promise<SendingSystem['organisation'] | undefined> {
  const message = await firstMessageOf(tx, entry);
  return message && sources.find(({ name }) => name === sourceOf(message.source))?.organisation;
}
