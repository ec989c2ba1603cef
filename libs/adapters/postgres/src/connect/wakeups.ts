import { Wakeups, type WakeupChannel } from '@portolan/domain';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { clientOptions, type DatabaseAddress } from './address.js';
import { storeFailure } from './failure.js';
import type { Schema } from './role-data-source.js';

const RECONNECT_AFTER_MS = 1_000;

/** What whoever wrote it takes from the table itself, if it has a loop that does: no other copy of the role need hear of it. */
const TAKEN_WHERE_WRITTEN: Readonly<Record<Schema, ReadonlySet<WakeupChannel>>> = {
  edge: new Set(['outbox']),
  exchange: new Set(['outbox', 'incoming', 'outgoing', 'transfers']),
  notary: new Set(['outbox', 'acts']),
  orderer: new Set(),
};

/**
 * NOTIFY on the channel named as the schema, payload = the waiter's channel; one connection listens for all of a role's loops. Those of this
 * process are told directly, and what they take themselves is told to nobody else. Anyone in the database may notify: a wake-up says "look",
 * never what is there.
 */
export class PostgresWakeups extends Wakeups {
  private readonly waiting = new Map<string, Set<() => void>>();
  /** Channels once waited for that were notified while nobody waited: the next wait ends at once. */
  private readonly missed = new Set<string>();
  /** The server's processes behind our own connections: what they tell was told here before. */
  private readonly ours = new Set<number>();
  private listener: Promise<Client | undefined> | undefined;
  private brokenAt = 0;
  private closed = false;

  constructor(
    private readonly address: DatabaseAddress,
    private readonly schema: Schema,
    private readonly source: DataSource,
  ) {
    super();
  }

  override async wait(channel: string, timeoutMs: number): Promise<void> {
    this.listen();
    if (this.closed || this.missed.delete(channel)) return;
    const waiters = this.waiting.get(channel) ?? new Set();
    this.waiting.set(channel, waiters);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      waiters.add(done);
    });
  }

  override async notify(channel: string): Promise<void> {
    this.wake(channel);
    try {
      await this.source.query('SELECT pg_notify($1, $2)', [this.schema, channel]);
    } catch (failure) {
      throw storeFailure(failure, `wake-up of ${channel}`);
    }
  }

  override heard(channel: string): void {
    this.missed.delete(channel);
  }

  /** Of channels that were written to, those that another process may have to hear of. */
  elsewhere(channels: ReadonlySet<WakeupChannel>): readonly WakeupChannel[] {
    const taken = TAKEN_WHERE_WRITTEN[this.schema];
    return [...channels].filter((channel) => !taken.has(channel) || !this.waiting.has(channel));
  }

  /** What was written to these channels is committed, by our connection of that server process. */
  told(channels: ReadonlySet<WakeupChannel>, by: number | undefined): void {
    if (by !== undefined) this.ours.add(by);
    for (const channel of channels) this.wake(channel);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const channel of this.waiting.keys()) this.wake(channel);
    await (await this.listener)?.end().catch(() => undefined);
  }

  private wake(channel: string): void {
    const waiters = this.waiting.get(channel);
    if (waiters?.size === 0) this.missed.add(channel);
    for (const done of [...(waiters ?? [])]) done();
  }

  /** Connects on the first wait and again, at most once a second, after the connection broke. Meanwhile the loops poll. */
  private listen(): void {
    if (this.closed || this.listener !== undefined || Date.now() - this.brokenAt < RECONNECT_AFTER_MS) return;
    this.listener = this.connect();
  }

  private async connect(): Promise<Client | undefined> {
    const client = new Client({ ...clientOptions(this.address), application_name: `portolan-${this.schema}-wakeups`, keepAlive: true });
    const broken = (): void => {
      this.listener = undefined;
      this.brokenAt = Date.now();
    };
    client.on('error', broken);
    client.on('end', broken);
    client.on('notification', ({ payload, processId }) => {
      if (!this.ours.has(processId)) this.wake(payload ?? '');
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${client.escapeIdentifier(this.schema)}`);
      return client;
    } catch {
      broken();
      await client.end().catch(() => undefined);
      return undefined;
    }
  }
}
