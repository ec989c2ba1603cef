export * from './kid-of.js';
export * from './seal.port.js';
export * from './seal.row.js';
