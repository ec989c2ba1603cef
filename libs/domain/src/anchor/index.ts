export * from './embedded-ledger-store.port.js';
export * from './fabric-index-store.port.js';
export * from './ledger.port.js';
