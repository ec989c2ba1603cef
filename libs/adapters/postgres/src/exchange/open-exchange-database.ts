import type { DataKeys, ExchangeTx } from '@portolan/domain';
import type { RoleDatabaseConfig } from '../connect/role-data-source.js';
import { openRoleDatabase, type RoleDatabase } from '../connect/role-database.js';
import { MAX_REFUSALS } from '../role/role-stores.js';
import { exchangeModel } from './exchange.model.js';
import { PostgresEmergencyStore } from './emergency.store.js';
import { PostgresGroundStore } from './ground.store.js';
import { PostgresIncomingStore } from './incoming.store.js';
import { PostgresOutgoingStore } from './outgoing.store.js';
import { PostgresPermitStore } from './permit.store.js';
import { PostgresTransferStore } from './transfer.store.js';
import { PostgresStatementStore } from '../role/statement.store.js';

/** Throws `store.unavailable`, `store.migrations-missing`. */
export async function openExchangeDatabase(config: RoleDatabaseConfig, keys: DataKeys): Promise<RoleDatabase<ExchangeTx>> {
  return openRoleDatabase<ExchangeTx>(config, exchangeModel, keys, (sql, bodies) => ({
    statements: new PostgresStatementStore(sql),
    transfers: new PostgresTransferStore(sql, bodies),
    incoming: new PostgresIncomingStore(sql),
    outgoing: new PostgresOutgoingStore(sql, config.maxRefusals ?? MAX_REFUSALS),
    grounds: new PostgresGroundStore(sql, bodies),
    permits: new PostgresPermitStore(sql, bodies),
    emergencies: new PostgresEmergencyStore(sql, bodies),
  }));
}
