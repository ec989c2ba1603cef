export * from './data-categories.js';
export * from './ids.js';
export * from './machine.port.js';
export * from './role.js';
