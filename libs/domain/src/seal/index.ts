export * from './seal.port.js';
export * from './seal.row.js';
