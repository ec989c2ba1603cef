export { check, checkLedger } from './check.js';
export type { CheckedWorld } from './checked-world.js';
export { unsettled } from './unsettled.js';
export type { Violation } from './violation.js';
