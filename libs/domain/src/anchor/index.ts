export * from './embedded-ledger-store.port.js';
export * from './ledger.port.js';
