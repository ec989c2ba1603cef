export * from './keys.port.js';
