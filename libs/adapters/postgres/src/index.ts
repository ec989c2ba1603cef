export { EmbeddedCluster, type EmbeddedClusterConfig } from './cluster/embedded-cluster.js';
export type { PostgresBinaries } from './cluster/postgres-binaries.js';
export type { DatabaseAddress } from './connect/address.js';
export type { RoleDatabaseConfig } from './connect/role-data-source.js';
export type { RoleDatabase } from './connect/role-database.js';
export { openEdgeDatabase } from './edge/open-edge-database.js';
export { openRecordReader } from './edge/record-reader.js';
export { openExchangeDatabase } from './exchange/open-exchange-database.js';
export { openNotaryDatabase, type NotaryDatabase } from './notary/open-notary-database.js';
export { openOrdererDatabase, type OrdererStores } from './orderer/open-orderer-database.js';
export { migrateCountry, migrateOrderer } from './provision/migrate-database.js';
export {
  provisionDatabase,
  provisionOrdererDatabase,
  type CountryDatabase,
  type OrdererDatabase,
  type PasswordOf,
} from './provision/provision.js';
export { adminQuery, openAdmin, type AdminConnection } from './test-support/admin-query.js';
export { fillTables } from './test-support/full-tables.js';
export { testCluster, type TestCluster } from './test-support/test-cluster.js';
