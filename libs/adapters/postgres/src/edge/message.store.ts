import { PortolanError, type Uuid } from '@portolan/contracts';
import type { KeyId, MessageStore, StoredMessage } from '@portolan/domain';
import type { Bodies } from '../bodies/bodies.js';
import { storable, type Plain, type Sql } from '../connect/sql.js';
import { MessageAccountEntity, MessageEntity } from './edge.entities.js';

type Put = Awaited<ReturnType<MessageStore['put']>>;

export class PostgresMessageStore implements MessageStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  async put(message: StoredMessage): Promise<Put> {
    const { id, via, source, format, controlId, sha256, receivedAt, state, keyId } = message;
    const earlier = await this.earlier(source, sha256);
    if (earlier !== undefined) return earlier;
    const original = await this.bodies.seal(keyId, message.original, { table: 'message', id });
    const added = await this.sql.affected(
      `INSERT INTO message (id, via, source, format, control_id, sha256, received_at, state, key_id, original)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (source, sha256) DO NOTHING`,
      [id, via, source, format, storable(controlId), sha256, receivedAt, state, keyId, original],
    );
    if (added === 1) return { id, fresh: true, state };
    const first = await this.earlier(source, sha256);
    if (first === undefined) throw new PortolanError('store.conflict', 'message');
    return first;
  }

  /** Undefined also where its key is destroyed. */
  async get(id: Uuid): Promise<StoredMessage | undefined> {
    const row: Plain<MessageEntity> | null = await this.sql.manager.findOneBy(MessageEntity, { id });
    const original = row && (await this.bodies.open(row.keyId, row.original, { table: 'message', id }));
    return row === null || original == null ? undefined : { ...row, original };
  }

  async putAccount(message: Uuid, keyId: KeyId, account: unknown): Promise<void> {
    const body = await this.bodies.sealJson(keyId, account, { table: 'message_account', id: message });
    await this.sql.later(
      `INSERT INTO message_account (message_id, key_id, body) VALUES ($1, $2, $3)
       ON CONFLICT (message_id) DO UPDATE SET key_id = excluded.key_id, body = excluded.body`,
      [message, keyId, body],
    );
  }

  async account(message: Uuid): Promise<unknown> {
    const row = await this.sql.manager.findOneBy(MessageAccountEntity, { messageId: message });
    return row === null ? undefined : this.bodies.openJson(row.keyId, row.body, { table: 'message_account', id: message });
  }

  private async earlier(source: string, sha256: string): Promise<Put | undefined> {
    const row = await this.sql.manager.findOne(MessageEntity, { select: { id: true, state: true }, where: { source, sha256 } });
    return row === null ? undefined : { id: row.id, fresh: false, state: row.state };
  }
}
