export * from './audit-acts.js';
export * from './audit-event.js';
export * from './record-act.js';
