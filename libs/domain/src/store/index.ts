export * from './edge-tx.port.js';
export * from './exchange-tx.port.js';
export * from './message-stores.port.js';
export * from './notary-tx.port.js';
export * from './objects.port.js';
export * from './role-tx.port.js';
