export * from './open.decide.js';
export * from './open.row.js';
export * from './receipt.row.js';
export * from './release-claim.js';
