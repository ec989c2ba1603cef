export * from './certificates.port.js';
export * from './keys.port.js';
export * from './thumbprint.js';
