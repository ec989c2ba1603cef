// What a tool that looks at a node from outside needs of its parts (`portolan doctor`, `portolan replay`). No role uses it.
export { databaseOf } from './compose/node-ground.js';
export { connectFabric } from './compose/channel.compose.js';
export { inboxOf, kafkaClientsOf, partnerLinkOf } from './compose/partner-doors.js';
export { Courier } from './exchange/courier.js';
export { readCountry } from './config/read-country.js';
export type { Health, HealthCheck, RejectView, StayView } from './edge/operator/index.js';
export {
  certificateInventory,
  CountryFolders,
  FileKeyVault,
  findFabricIdentity,
  findPartnerIdentity,
  findTlsIdentity,
  MasterKeyDataKeys,
  SystemClock,
} from '@portolan/keys';
export { openEdgeDatabase, openExchangeDatabase, openNotaryDatabase } from '@portolan/postgres';
export { Token, TokenSigningKeys } from '@portolan/pkcs11';
export { describeCertificate } from '@portolan/x509';
export { StoreRecordSource } from './exchange/store-record-source.js';
export { recordSourceOf, type SourceGround } from './compose/record-sources.js';
