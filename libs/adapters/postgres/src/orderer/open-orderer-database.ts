import type { LedgerCopyStore, OrdererStore } from '@portolan/domain';
import { ping } from '../connect/failure.js';
import type { RoleDatabaseConfig } from '../connect/role-data-source.js';
import { openDataSource } from '../connect/role-database.js';
import { Transactions } from '../connect/unit-of-work.js';
import { PostgresLedgerCopyStore } from '../ledger/ledger-copy.store.js';
import { ordererModel } from './orderer.model.js';
import { PostgresOrdererStore } from './orderer.store.js';

export interface OrdererStores {
  readonly store: OrdererStore;
  /** The ordering organisation's own copy. */
  readonly copy: LedgerCopyStore;
  /** Resolves while the database answers; throws `store.unavailable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Throws `store.unavailable`, `store.migrations-missing`. */
export async function openOrdererDatabase(config: RoleDatabaseConfig): Promise<OrdererStores> {
  const source = await openDataSource(config, ordererModel);
  const transactions = new Transactions(source, 'orderer');
  return {
    store: new PostgresOrdererStore(transactions),
    copy: new PostgresLedgerCopyStore(transactions),
    ping: async () => ping(source, 'orderer'),
    close: async () => source.destroy(),
  };
}
