export * from './token.port.js';
