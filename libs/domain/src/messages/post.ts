import type { Uuid } from '@portolan/contracts';
import type { KeyId, RoleTx } from '../store/role-tx.port.js';
import { receivers, type RoleMessages, type RoleMessageType } from './role-messages.js';

/** Writes a message for another role into the sender's outbox, in the sender's transaction. `key`: person-free, orders its messages. */
export async function post<Type extends RoleMessageType>(
  tx: RoleTx,
  message: { id: Uuid; type: Type; key: string; keyId: KeyId; body: RoleMessages[Type] },
): Promise<void> {
  await tx.outbox.add({ ...message, to: receivers[message.type] });
}
