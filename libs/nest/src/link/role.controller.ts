import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, RpcException, type TcpContext } from '@nestjs/microservices';
import { PortolanError, type Uuid } from '@portolan/contracts';
import type { Role, RoleTx, UnitOfWork } from '@portolan/domain';
import { callerOf } from './caller.js';
import { type Deliveries, OutboxBodies, settle, type Settlement } from './deliveries.js';
import type { CallerContext } from './in-process.js';
import type { Delivery } from './role-events.js';
import { toWire } from './role-link.js';

/** Answers one question of another role; what it throws crosses as its registry code. */
export type Query = (data: never, caller: Role) => Promise<unknown>;

/** Everything a role answers to: deliveries, questions for outbox bodies, and its own queries with the roles that may ask them. */
export abstract class RolePorts {
  abstract readonly uow: UnitOfWork<RoleTx>;
  abstract readonly deliveries: Pick<Deliveries<RoleTx>, 'accept' | 'told'>;
  abstract readonly queries: Readonly<Record<string, { readonly from: readonly Role[]; readonly answer: Query }>>;
}

@Controller()
export class RoleController {
  private readonly bodies: OutboxBodies;

  constructor(@Inject(RolePorts) private readonly ports: RolePorts) {
    this.bodies = new OutboxBodies(ports.uow);
  }

  @MessagePattern('deliver')
  deliver(@Payload() delivery: Delivery, @Ctx() context: TcpContext | CallerContext): Promise<{ done: true }> {
    return guarded(async () => {
      await this.ports.deliveries.accept(delivery, callerOf(context));
      return { done: true };
    });
  }

  @MessagePattern('outbox.body')
  body(@Payload() { id }: { id: Uuid }, @Ctx() context: TcpContext | CallerContext): Promise<unknown> {
    return guarded(() => this.bodies.body(id, callerOf(context)));
  }

  /** A message to the asker was taken, or was not. */
  @MessagePattern('outbox.settle')
  settle(@Payload() settlement: Settlement, @Ctx() context: TcpContext | CallerContext): Promise<{ done: true }> {
    return guarded(async () => {
      await settle(this.ports.uow, settlement, callerOf(context));
      return { done: true };
    });
  }

  /** Which of these messages to the asker may come once more: it forgets no id of theirs. */
  @MessagePattern('outbox.undelivered')
  undelivered(@Payload() { ids }: { ids: readonly string[] }, @Ctx() context: TcpContext | CallerContext): Promise<readonly string[]> {
    return guarded(() => this.ports.uow.alone((tx) => tx.outbox.undelivered(ids, callerOf(context))));
  }

  @MessagePattern('query')
  query(@Payload() { name, data }: { name: string; data: unknown }, @Ctx() context: TcpContext | CallerContext): Promise<unknown> {
    return guarded(async () => {
      const query = this.ports.queries[name];
      const caller = callerOf(context);
      if (query === undefined) throw new PortolanError('link.unknown-message', `query ${name}`);
      if (!query.from.includes(caller)) throw new PortolanError('link.not-for-you', `query ${name}`);
      return { answer: await query.answer(data as never, caller) };
    });
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new RpcException(toWire(error));
  }
}
