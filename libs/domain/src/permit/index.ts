export * from './answer.js';
export * from './permit.decide.js';
export * from './permit.row.js';
