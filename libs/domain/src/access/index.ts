export * from './acting-in.js';
export * from './token.port.js';
