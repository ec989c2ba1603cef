export * from './execute.js';
export * from './rule.js';
export { rules } from './rules.js';
export * from './state.js';
