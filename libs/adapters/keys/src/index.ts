export { admitPartner, findFabricIdentity, findPartnerIdentity, storeAdmission, type Admission, type AdmitConfig } from './admission.js';
export { CountryFolders, findTlsIdentity, readTlsIdentity, type TlsIdentity } from './country-folders.js';
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
