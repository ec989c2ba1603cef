export type { Fault, FaultReport } from './fault.js';
export { triedElsewhere } from './elsewhere.js';
export { faults, tryFaults, type FaultOptions } from './faults.js';
export type { Standstill } from './timeline.js';
