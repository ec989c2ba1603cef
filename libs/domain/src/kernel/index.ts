export * from './ids.js';
export * from './machine.port.js';
export * from './role.js';
