export { FileKeyVault, type FileKeyVaultConfig } from './file-key-vault.js';
export { SystemClock, SystemRandom, sha256 } from './machine.js';
export { MasterKeyDataKeys, WRAPPED_KEY_BYTES } from './master-key-data-keys.js';
export { addMasterKey } from './master-keys.js';
