export * from './partner-link.port.js';
export * from './partner-name.js';
