import type { SchemaModel } from '../connect/role-data-source.js';
import { ledgerEntities } from '../ledger/ledger.entities.js';
import { LedgerCopy1795226400005 } from '../ledger/migrations/1795226400005-ledger-copy.js';
import { OrdererTables1795226400006 } from './migrations/1795226400006-orderer-tables.js';
import { ordererEntities } from './orderer.entities.js';

/** The chain that the orderer made, and its organisation's own copy of the state, by which it knows who is registered. */
export const ordererModel: SchemaModel = {
  schema: 'orderer',
  entities: [...ordererEntities, ...ledgerEntities],
  migrations: [LedgerCopy1795226400005, OrdererTables1795226400006],
};
