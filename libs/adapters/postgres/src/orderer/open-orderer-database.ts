import type { OrdererStore } from '@portolan/domain';
import { ping } from '../connect/failure.js';
import type { RoleDatabaseConfig } from '../connect/role-data-source.js';
import { openDataSource } from '../connect/role-database.js';
import { Transactions } from '../connect/unit-of-work.js';
import { ordererModel } from './orderer.model.js';
import { PostgresOrdererStore } from './orderer.store.js';

export interface OrdererStores {
  readonly store: OrdererStore;
  /** Resolves while the database answers; throws `store.unavailable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Throws `store.unavailable`, `store.migrations-missing`. */
export async function openOrdererDatabase(config: RoleDatabaseConfig): Promise<OrdererStores> {
  const source = await openDataSource(config, ordererModel);
  return {
    store: new PostgresOrdererStore(new Transactions(source, 'orderer')),
    ping: async () => ping(source, 'orderer'),
    close: async () => source.destroy(),
  };
}
