export * from './exchange.ports.js';
export * from './row.js';
export * from './transfer.data.js';
export * from './transfer.pipeline.js';
export * from './transfer.states.js';
