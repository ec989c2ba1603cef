import type { DataKeys, RoleTx } from '@portolan/domain';
import { Bodies } from '../bodies/bodies.js';
import type { RoleDatabaseConfig, Schema } from '../connect/role-data-source.js';
import type { Sql } from '../connect/sql.js';
import { PostgresAuditStore } from './audit.store.js';
import { PostgresInboxStore } from './inbox.store.js';
import { PostgresKeyStore } from './key.store.js';
import { PostgresOutboxStore } from './outbox.store.js';

/** With the longest pause between two attempts, about eight hours of refusals. */
export const MAX_REFUSALS = 1_000;

/** What every role's transaction offers, and the bodies that its own stores share. */
export function roleStores(sql: Sql, keys: DataKeys, schema: Schema, config: RoleDatabaseConfig): RoleTx & { readonly bodies: Bodies } {
  const bodies = new Bodies(sql, keys, schema);
  return {
    bodies,
    keys: new PostgresKeyStore(sql, bodies, keys, config.erasures),
    outbox: new PostgresOutboxStore(sql, bodies, config.maxRefusals ?? MAX_REFUSALS),
    inbox: new PostgresInboxStore(sql),
    audit: new PostgresAuditStore(sql, bodies),
  };
}
