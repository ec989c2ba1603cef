export type { Health, HealthCheck } from './health.service.js';
export { OperatorModule } from './operator.module.js';
export type { RejectDetail, RejectView } from './rejects.service.js';
export type { StayView } from './stays.controller.js';
