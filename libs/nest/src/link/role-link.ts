import type { ClientProxy } from '@nestjs/microservices';
import { isErrorCode, PortolanError } from '@portolan/contracts';
import type { Role } from '@portolan/domain';
import { firstValueFrom, timeout, TimeoutError } from 'rxjs';
import type { RoleEvents } from './role-events.js';

/** An error as it crosses between roles: code and place, never a message text. */
export interface WireError {
  readonly code: string;
  readonly where?: string;
  readonly detail?: string;
}

/** How this role asks the other roles of its country. Queries ask and wait; commands and events go through the outbox (relay.ts). */
export class RoleLink {
  constructor(
    private readonly clients: ReadonlyMap<Role, ClientProxy>,
    private readonly timeoutMs: number,
    /** Where messages are told by events; delivered one by one, by asking, where absent. */
    readonly events?: RoleEvents,
  ) {}

  /** Throws the PortolanError that the asked role threw, or `link.unreachable` (retriable). */
  async ask<T>(role: Role, pattern: string, data: unknown): Promise<T> {
    const client = this.clients.get(role);
    if (client === undefined) throw new PortolanError('link.unreachable', `${role} ${pattern}`, 'not configured');
    try {
      return await firstValueFrom(client.send<T>(pattern, data ?? {}).pipe(timeout(this.timeoutMs)));
    } catch (error) {
      throw fromWire(error, `${role} ${pattern}`);
    }
  }

  /** Asks one of the other role's named queries. */
  async query<T>(role: Role, name: string, data: unknown): Promise<T> {
    return (await this.ask<{ answer: T }>(role, 'query', { name, data })).answer;
  }

  async close(): Promise<void> {
    await this.events?.close();
    for (const client of this.clients.values()) await client.close();
  }
}

function fromWire(error: unknown, where: string): PortolanError {
  if (error instanceof PortolanError) return error;
  const wire = error as Partial<WireError> | undefined;
  if (typeof wire?.code === 'string' && isErrorCode(wire.code)) return new PortolanError(wire.code, wire.where ?? where, wire.detail);
  return new PortolanError('link.unreachable', where, error instanceof TimeoutError ? 'no answer in time' : undefined);
}

/** What a handler answers with when it fails: the code of the registry, or `link.failed` for a fault of ours. */
export function toWire(error: unknown): WireError {
  if (error instanceof PortolanError)
    return { code: error.code, where: error.where, ...(error.detail === undefined ? {} : { detail: error.detail }) };
  return { code: 'link.failed' };
}
