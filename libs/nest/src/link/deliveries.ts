import { PortolanError } from '@portolan/contracts';
import { receivers, type Role, type RoleMessages, type RoleMessageType, type RoleTx, type UnitOfWork } from '@portolan/domain';
import type { Delivery } from './relay.js';
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
}

const isKnown = (type: string): type is RoleMessageType => Object.hasOwn(receivers, type);

/** Answers another role's question for an outbox body that is addressed to it. */
export async function outboxBody(uow: UnitOfWork<RoleTx>, id: string, asker: Role): Promise<{ body: unknown } | { gone: true }> {
  const body = await uow.run((tx) => tx.outbox.body(id, asker));
  return body === undefined ? { gone: true } : { body };
}
