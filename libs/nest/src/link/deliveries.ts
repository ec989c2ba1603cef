import { isErrorCode, PortolanError, type ErrorCode, type Uuid } from '@portolan/contracts';
import { receivers, type Role, type RoleMessages, type RoleMessageType, type RoleTx, type UnitOfWork } from '@portolan/domain';
import { failureOf } from './refusal.js';
import { retryDelay } from './relay.js';
import type { Delivery } from './role-events.js';
import type { RoleLink } from './role-link.js';
import { Together, TogetherOrAlone } from './together.js';

/** Handles one kind of message inside the transaction that notes its id. What it throws undoes the note, and the sender tries again. */
export type Handler<Tx extends RoleTx, Type extends RoleMessageType> = (tx: Tx, body: RoleMessages[Type], id: string) => Promise<void>;
export type Handlers<Tx extends RoleTx> = { readonly [Type in RoleMessageType]?: Handler<Tx, Type> };

/** Messages that are handled in one transaction at most. */
const MOST_TOGETHER = 50;

interface Fetched<Tx extends RoleTx> {
  readonly id: string;
  readonly type: RoleMessageType;
  readonly handle: Handler<Tx, RoleMessageType>;
  /** Absent where its key was destroyed in the meantime: it belongs to an erased person or an ended view, and there is nothing left to do. */
  readonly body?: RoleMessages[RoleMessageType];
}

/**
 * Takes what other roles deliver: fetches the body from its sender, then handles it once. What comes while a transaction is under way is handled
 * together in the next; where one of them cannot be handled, each is by itself.
 */
export class Deliveries<Tx extends RoleTx> {
  private readonly together = new TogetherOrAlone<Fetched<Tx>>((messages) => this.take(messages), MOST_TOGETHER);

  constructor(
    private readonly us: Role,
    private readonly uow: UnitOfWork<Tx>,
    private readonly link: RoleLink,
    private readonly handlers: Handlers<Tx>,
    /** Told of each message whose handling was committed. */
    private readonly handled: (type: RoleMessageType) => void = () => undefined,
    /** Gathers for messages that are handled together what each of their handlers would ask for by itself. */
    private readonly gather: (tx: Tx, bodies: readonly RoleMessages[RoleMessageType][]) => Promise<void> = async () => undefined,
  ) {}

  async accept(delivery: Delivery, sender: Role): Promise<void> {
    const { id, type } = delivery;
    const handle =
      isKnown(type) && receivers[type] === this.us ? (this.handlers[type] as Handler<Tx, RoleMessageType> | undefined) : undefined;
    if (handle === undefined) throw new PortolanError('link.unknown-message', `${this.us} deliver`);
    const found = await this.link.ask<{ body: RoleMessages[RoleMessageType] } | { gone: true }>(sender, 'outbox.body', { id });
    const body = 'body' in found ? { body: found.body } : {};
    await this.together.do({ id, type: type as RoleMessageType, handle, ...body });
  }

  private async take(messages: readonly Fetched<Tx>[]): Promise<void> {
    const fresh = await this.uow.run(async (tx) => {
      const first = await tx.inbox.firstOf(messages.map(({ id }) => id));
      const ours = messages.filter(({ id }, i) => first.has(id) && messages.findIndex((one) => one.id === id) === i);
      await this.gather(
        tx,
        ours.flatMap(({ body }) => body ?? []),
      );
      for (const { id, handle, body } of ours) if (body !== undefined) await handle(tx, body, id);
      return ours;
    });
    for (const { type } of fresh) this.handled(type);
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

type Found = { readonly body: unknown } | { readonly gone: true };

/** Answers other roles' questions for outbox bodies that are addressed to them; those that come together are fetched together. */
export class OutboxBodies {
  private readonly askers = new Map<Role, Together<Uuid, Found | undefined>>();

  constructor(private readonly uow: UnitOfWork<RoleTx>) {}

  /** Throws `store.not-for-you`. */
  async body(id: Uuid, asker: Role): Promise<Found> {
    const together = this.askers.get(asker) ?? this.fetchedFor(asker);
    this.askers.set(asker, together);
    return (await together.do(id)) ?? this.missing(id, asker);
  }

  private fetchedFor(asker: Role): Together<Uuid, Found | undefined> {
    return new Together<Uuid, Found | undefined>(async (ids) => {
      const bodies = await this.uow.alone((tx) => tx.outbox.bodies(ids, asker));
      return ids.map((id) => (bodies.has(id) ? { body: bodies.get(id) } : undefined));
    }, MOST_TOGETHER);
  }

  /** Gone with its key, or none of the asker's business. */
  private async missing(id: Uuid, asker: Role): Promise<Found> {
    const body = await this.uow.alone((tx) => tx.outbox.body(id, asker));
    return body === undefined ? { gone: true } : { body };
  }
}
