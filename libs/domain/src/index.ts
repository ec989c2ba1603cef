export * from './access/index.js';
export * from './anchor/index.js';
export * from './exchange/index.js';
export * from './kernel/index.js';
export * from './keys/index.js';
export * from './seal/index.js';
export * from './store/index.js';
