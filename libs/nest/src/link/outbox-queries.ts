import type { Uuid } from '@portolan/contracts';
import type { Role, RoleTx, UnitOfWork } from '@portolan/domain';
import type { RolePorts } from './role.controller.js';

/** A message between roles that was refused too often. */
export interface DeadMessage {
  readonly id: Uuid;
  readonly to: Role;
  readonly type: string;
  readonly code: string;
}

/** What the edge, which alone faces the operator, asks another role about its outbox. */
export function outboxQueries(uow: UnitOfWork<RoleTx>): RolePorts['queries'] {
  return {
    'outbox.dead': { from: ['edge'], answer: ({ limit }: { limit: number }) => uow.alone((tx) => tx.outbox.dead(limit)) },
    'outbox.revive': { from: ['edge'], answer: ({ id }: { id: Uuid }) => uow.run((tx) => tx.outbox.revive(id)) },
  };
}
