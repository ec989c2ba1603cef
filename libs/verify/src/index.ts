export * from './bytes/base64url.js';
export * from './bytes/bytes.js';
export * from './bytes/commitment.js';
export * from './jws/jws.js';
export * from './merkle/node-store.js';
export * from './merkle/proofs.js';
export * from './merkle/tree.js';
