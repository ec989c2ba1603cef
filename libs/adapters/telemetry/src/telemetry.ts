import type { CountryCode } from '@portolan/contracts';
import type { Role, Telemetry } from '@portolan/domain';
import { NoTelemetry } from './no-telemetry.js';
import type { TelemetryConfig } from './telemetry-config.js';

/** The telemetry of one role of one country, with what its process does at the end. */
export interface RunningTelemetry {
  readonly telemetry: Telemetry;
  /** Sends what waits, for at most five seconds, and lets go. A collector that cannot be reached does not fail it. */
  close(): Promise<void>;
}

/** Starts the telemetry of one role of one country: a service of its own, also where several share a process. */
export async function startTelemetry(country: CountryCode, role: Role, config: TelemetryConfig): Promise<RunningTelemetry> {
  if (config.kind === 'none') return { telemetry: new NoTelemetry(), close: async () => undefined };
  const { OpenTelemetry } = await import('./open-telemetry.adapter.js');
  const telemetry = new OpenTelemetry(`portolan-${country.toLowerCase()}-${role}`, config);
  return { telemetry, close: () => telemetry.close() };
}
