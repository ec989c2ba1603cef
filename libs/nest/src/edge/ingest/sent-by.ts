import type { EdgeTx } from '@portolan/domain';
import type { SendingSystem } from '../edge.parts.js';
import { originOf, type Named } from './ids-under.js';
import { sourceOf } from './incoming.js';

/**
 * The organisation whose entry it is: its system sent the message in which the entry came first, before anything moved it, and however often that
 * was translated again. Undefined where no system that is registered here sent it.
 */
export async function sentBy(
  tx: EdgeTx,
  entry: Named,
  sources: readonly SendingSystem[],
): Promise<SendingSystem['organisation'] | undefined> {
  const { messageId } = await originOf(tx, entry);
  const message = messageId === undefined ? undefined : await tx.messages.get(messageId);
  return message && sources.find(({ name }) => name === sourceOf(message.source))?.organisation;
}
