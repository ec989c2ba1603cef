export * from './memory-stores.js';
