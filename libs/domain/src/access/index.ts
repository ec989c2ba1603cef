export * from './acting-in.js';
export * from './spend-statement.js';
export * from './token.port.js';
