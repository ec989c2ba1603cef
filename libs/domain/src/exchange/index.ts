export * from './partner-link.port.js';
