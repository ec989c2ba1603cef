export * from './channel.port.js';
