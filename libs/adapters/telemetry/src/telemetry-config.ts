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
