export * from './seal.port.js';
