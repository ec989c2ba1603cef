import type { CountryCode } from '@portolan/contracts';
import type { Role, Telemetry } from '@portolan/domain';
import { NoTelemetry } from './no-telemetry.js';

/**
 * Where spans go. Nothing leaves the process unless an address is given.
 *
 * - `none`: nowhere, and nothing of OpenTelemetry is loaded.
 * - `otlp`: OTLP over HTTP (protobuf), posted to `url` as it stands, e.g. `http://127.0.0.1:4318/v1/traces`.
 * - `memory`: appended to the given list, for tests that look at what was said.
 */
export type TelemetryConfig =
  { readonly kind: 'none' } | { readonly kind: 'otlp'; readonly url: string } | { readonly kind: 'memory'; readonly spans: FinishedSpan[] };

/** A span that ended, without what OpenTelemetry adds for its own use. */
export interface FinishedSpan {
  /** `portolan-<cc>-<role>`. */
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Absent at the root of a trace. */
  readonly parentSpanId?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

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
