export * from './declaration.decide.js';
export * from './declared-emergency.js';
export * from './holding-emergency.js';
export * from './late-step.js';
