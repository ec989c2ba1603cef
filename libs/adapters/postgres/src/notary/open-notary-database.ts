import type { DataKeys, FabricIndexStore, LedgerCopyStore, NotaryTx } from '@portolan/domain';
import type { RoleDatabaseConfig } from '../connect/role-data-source.js';
import { openRoleDatabase, type RoleDatabase } from '../connect/role-database.js';
import { PostgresFabricIndexStore } from '../fabric/fabric-index.store.js';
import { PostgresLedgerCopyStore } from '../ledger/ledger-copy.store.js';
import { PostgresActStore } from './act.store.js';
import { PostgresBatchStore } from './batch.store.js';
import { PostgresHeadStore } from './head.store.js';
import { PostgresLogStore } from './log.store.js';
import { notaryModel } from './notary.model.js';
import { PostgresStepStore } from './step.store.js';
import { PostgresTrailStore } from './trail.store.js';

export interface NotaryDatabase extends RoleDatabase<NotaryTx> {
  /** The country's copy of the embedded ledger. */
  readonly ledger: LedgerCopyStore;
  /** The country's index of a Fabric channel. */
  readonly fabric: FabricIndexStore;
}

/** Throws `store.unavailable`, `store.migrations-missing`. */
export async function openNotaryDatabase(config: RoleDatabaseConfig, keys: DataKeys): Promise<NotaryDatabase> {
  const database = await openRoleDatabase<NotaryTx>(config, notaryModel, keys, (sql) => ({
    acts: new PostgresActStore(sql),
    steps: new PostgresStepStore(sql),
    batches: new PostgresBatchStore(sql),
    heads: new PostgresHeadStore(sql),
    log: new PostgresLogStore(sql),
    trail: new PostgresTrailStore(sql),
  }));
  return {
    ...database,
    ledger: new PostgresLedgerCopyStore(database.transactions),
    fabric: new PostgresFabricIndexStore(database.transactions),
  };
}
