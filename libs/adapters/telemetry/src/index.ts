export type { FinishedSpan, TelemetryConfig } from './telemetry-config.js';
export { startTelemetry, type RunningTelemetry } from './telemetry.js';
