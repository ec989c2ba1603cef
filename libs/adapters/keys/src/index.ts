export {
  admitPartner,
  findFabricCertificate,
  findFabricIdentity,
  findPartnerIdentity,
  storeAdmission,
  type Admission,
  type AdmitConfig,
} from './admission.js';
export { certificateInventory, type CertificateState, type InventoryRow } from './authority/inventory.js';
export {
  CertificateOffice,
  ownEnds,
  type AuthorityName,
  type CertificateOfficeConfig,
  type Issued,
  type OwnEnd,
  type Revocation,
} from './authority/office.js';
export { readRefusedKeys, RefusedKeysFile, writeRefusedKeys, type RefusedKeys } from './authority/refused-keys.js';
export { AuthorityRegister, type IssuedEntry, type RegisterEntry } from './authority/register.js';
export { TlsIdentityRequests } from './authority/requests.js';
export type { TokenKeys } from './authority-files.js';
export { CountryFolders, findTlsIdentity, readTlsIdentity, writeTlsIdentity, type TlsIdentity } from './country-folders.js';
export { FileErasureRegister } from './file-erasure-register.js';
export { FileKeyVault, type FileKeyVaultConfig } from './file-key-vault.js';
export { SystemClock, SystemRandom, sha256 } from './machine.js';
export { MasterKeyDataKeys, WRAPPED_KEY_BYTES } from './master-key-data-keys.js';
export { addMasterKey } from './master-keys.js';
export {
  ordererFolders,
  PROVISION_DAYS,
  provisionCountry,
  provisionOrderer,
  validFor,
  type CountryMaterial,
  type OrdererMaterial,
  type ProvisionConfig,
  type ProvisionDays,
} from './provision.js';
