export * from './certificate-profiles.js';
export * from './certificates.port.js';
export * from './keys.port.js';
export * from './live-key.js';
export * from './partner-name.js';
export * from './thumbprint.js';
