import type { DataKeys, EdgeTx, RoleTx } from '@portolan/domain';
import type { Bodies } from '../bodies/bodies.js';
import type { RoleDatabaseConfig } from '../connect/role-data-source.js';
import { openRoleDatabase, type RoleDatabase } from '../connect/role-database.js';
import type { Sql } from '../connect/sql.js';
import { PostgresKeyStore } from '../role/key.store.js';
import { PostgresEdgeTransferStore } from './edge-transfer.store.js';
import { edgeModel } from './edge.model.js';
import { PostgresFeedStore } from './feed.store.js';
import { PostgresMappingStore } from './mapping.store.js';
import { PostgresMessageStore } from './message.store.js';
import { PostgresPatientLinkStore } from './patient-link.store.js';
import { PostgresPersonStore } from './person.store.js';
import { PostgresProposalStore } from './proposal.store.js';
import { PostgresReconciliationStore } from './reconciliation.store.js';
import { PostgresRejectStore } from './reject.store.js';
import { PostgresResourceStore } from './resource.store.js';
import { PostgresStayMoveStore } from './stay-move.store.js';
import { PostgresViewStore } from './view.store.js';
import { PostgresStatementStore } from '../role/statement.store.js';

/** Throws `store.unavailable`, `store.migrations-missing`. */
export async function openEdgeDatabase(config: RoleDatabaseConfig, keys: DataKeys): Promise<RoleDatabase<EdgeTx>> {
  const own = (sql: Sql, bodies: Bodies): Omit<EdgeTx, keyof RoleTx> => ({
    statements: new PostgresStatementStore(sql),
    messages: new PostgresMessageStore(sql, bodies),
    rejects: new PostgresRejectStore(sql, bodies),
    persons: new PostgresPersonStore(sql),
    stayMoves: new PostgresStayMoveStore(sql),
    resources: new PostgresResourceStore(sql, bodies),
    views: new PostgresViewStore(sql, bodies, new PostgresKeyStore(sql, bodies, keys)),
    transfers: new PostgresEdgeTransferStore(sql, bodies),
    feed: new PostgresFeedStore(sql, bodies),
    proposals: new PostgresProposalStore(sql, bodies),
    reconciliations: new PostgresReconciliationStore(sql),
    mappings: new PostgresMappingStore(sql),
    links: new PostgresPatientLinkStore(sql, bodies),
  });
  return openRoleDatabase<EdgeTx>(config, edgeModel, keys, own, (tx, person) => tx.persons.erase(person));
}
