export { startTelemetry, type FinishedSpan, type RunningTelemetry, type TelemetryConfig } from './telemetry.js';
