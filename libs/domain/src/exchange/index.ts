export * from './envelopes.js';
export * from './partner-link.port.js';
export * from './partner-message.js';
export * from './send.row.js';
