export { Token, type TokenConfig } from './token.js';
export { TokenSigningKeys, type TokenSigningKeysConfig } from './token-signing-keys.js';
