import { PortolanError, type Actor, type Instant } from '@portolan/contracts';
import type { EdgeTx, IngestAnswer, MessageAccount, Reject } from '@portolan/domain';
import { recordLocalAct } from '../local-acts.js';
import type { IngestTools } from './incoming.js';

/**
 * Closes a reject by the message that repaired it, in the transaction that filed that message. The original stays; where it is sent
 * again, its sender now hears that its content is filed.
 */
export async function closeRepaired(
  tx: EdgeTx,
  reject: Reject,
  answer: IngestAnswer,
  by: { actor: Actor; at: Instant },
  tools: IngestTools,
): Promise<void> {
  const current = await tx.rejects.get(reject.id);
  if (current?.state !== 'open') throw new PortolanError('operator.reject-closed', 'reject');
  await tx.rejects.close(reject.id, 'repaired', answer.messageId, 'replayed by an operator');
  const repaired = await tx.messages.get(answer.messageId);
  const original = await tx.messages.get(reject.messageId);
  if (original !== undefined) {
    const account: MessageAccount = { v: 1, answer };
    await tx.messages.putAccount(original.id, original.keyId, account);
  }
  const keyId = repaired?.keyId ?? original?.keyId ?? (await tx.keys.create());
  const items = [`Basic/${reject.id}`];
  const act = { act: 'reject-repaired', recorded: by.at, outcome: 'success', actor: by.actor, country: tools.country.code, items } as const;
  await recordLocalAct(tx, tools.random, act, { person: undefined, keyId });
}
