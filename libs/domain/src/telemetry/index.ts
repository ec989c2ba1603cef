export * from './telemetry.port.js';
