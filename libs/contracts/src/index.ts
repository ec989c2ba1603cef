export * from './canonical.js';
export { hasDuplicateMember } from './duplicate-members.js';
export * from './errors.js';
export { errorRegistry } from './generated/errors.js';
export { schemas, type SchemaName } from './generated/schemas.js';
export type * from './generated/types.js';
export * from './validate.js';
