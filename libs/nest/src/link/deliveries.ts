import { isErrorCode, PortolanError, type ErrorCode } from '@portolan/contracts';
import { receivers, type Role, type RoleMessages, type RoleMessageType, type RoleTx, type UnitOfWork } from '@portolan/domain';
import { failureOf } from './refusal.js';
import { retryDelay, type Delivery } from './relay.js';
import type { RoleLink } from './role-link.js';

/** Handles one kind of message inside the transaction that notes its id. What it throws undoes the note, and the sender tries again. */
export type Handler<Tx extends RoleTx, Type extends RoleMessageType> = (tx: Tx, body: RoleMessages[Type], id: string) => Promise<void>;
export type Handlers<Tx extends RoleTx> = { readonly [Type in RoleMessageType]?: Handler<Tx, Type> };

/** Takes what other roles deliver: fetches the body from its sender, then handles it once. */
export class Deliveries<Tx extends RoleTx> {
  constructor(
    private readonly us: Role,
    private readonly uow: UnitOfWork<Tx>,
    private readonly link: RoleLink,
    private readonly handlers: Handlers<Tx>,
    /** Told of each message whose handling was committed. */
    private readonly handled: (type: RoleMessageType) => void = () => undefined,
  ) {}

  async accept(delivery: Delivery, sender: Role): Promise<void> {
    const type = delivery.type;
    const handle =
      isKnown(type) && receivers[type] === this.us ? (this.handlers[type] as Handler<Tx, RoleMessageType> | undefined) : undefined;
    if (handle === undefined) throw new PortolanError('link.unknown-message', `${this.us} deliver`);
    const body = await this.link.ask<{ body: RoleMessages[RoleMessageType] } | { gone: true }>(sender, 'outbox.body', { id: delivery.id });
    const first = await this.uow.run(async (tx) => {
      if (!(await tx.inbox.first(delivery.id))) return false;
      // A body whose key was destroyed in the meantime belongs to an erased person or an ended view: there is nothing left to do.
      if ('body' in body) await handle(tx, body.body, delivery.id);
      return true;
    });
    if (first) this.handled(type as RoleMessageType);
  }

  /**
   * Takes what an event tells of, and settles it with its sender. Rejects only where the sender could not be told: it keeps the message
   * and tells of it again, and then it is known by its id.
   */
  async told({ id, type, attempts = 1 }: Delivery, sender: Role): Promise<void> {
    let settlement: Settlement = { id };
    try {
      await this.accept({ id, type }, sender);
    } catch (error) {
      settlement = { id, failed: { ...failureOf(error, 'link.failed'), attempts } };
    }
    await this.link.ask(sender, 'outbox.settle', settlement);
  }
}

/** What became of a message that was told by an event. */
export interface Settlement {
  readonly id: string;
  /** Why it was not taken; absent where it was. */
  readonly failed?: { readonly code: string; readonly refused: boolean; readonly attempts: number };
}

/** Writes what its receiver says of a message into our outbox. What is not addressed to it is none of its business, and stays. */
export async function settle(uow: UnitOfWork<RoleTx>, { id, failed }: Settlement, receiver: Role): Promise<void> {
  await uow.run(async ({ outbox }) => {
    const [ours] = await outbox.undelivered([id], receiver);
    if (ours === undefined) return;
    if (failed === undefined) return outbox.delivered(id);
    const code: ErrorCode = isErrorCode(failed.code) ? failed.code : 'link.failed';
    return outbox.failed(id, retryDelay(failed.attempts), code, failed.refused);
  });
}

const isKnown = (type: string): type is RoleMessageType => Object.hasOwn(receivers, type);

/** Answers another role's question for an outbox body that is addressed to it. */
export async function outboxBody(uow: UnitOfWork<RoleTx>, id: string, asker: Role): Promise<{ body: unknown } | { gone: true }> {
  const body = await uow.alone((tx) => tx.outbox.body(id, asker));
  return body === undefined ? { gone: true } : { body };
}
