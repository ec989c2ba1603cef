/**
 * What a span may say, and nothing else: places, acts, random ids and sizes. There is no attribute for a person, an
 * organisation, a record or a free text, and a value that does not look as its pattern says is dropped (invariant 12).
 */
export const telemetryAttributes = {
  /** The row of the pipeline, or the act. */
  'portolan.step': /^[a-z][a-z0-9-]{0,39}$/,
  /** Random id of the transfer; never derived from a person. */
  'portolan.transfer': /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  /** The other country, ISO 3166-1 alpha-2. */
  'portolan.partner': /^[A-Z]{2}$/,
  /** How it ended, a word of the code: a state, a verdict. */
  'portolan.outcome': /^[a-z][a-z-]{0,39}$/,
  /** A code of the error registry. */
  'portolan.error': /^[a-z0-9]{1,20}\.[a-z][a-z0-9-]{0,59}$/,
  /** How many of whatever the span works on. */
  'portolan.count': /^[0-9]{1,12}$/,
  /** How many bytes. */
  'portolan.bytes': /^[0-9]{1,15}$/,
  /** OpenTelemetry semantic conventions for HTTP; the route is the template, never the path. */
  'http.request.method': /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/,
  'http.route': /^\/(?!.*[0-9]{4})[A-Za-z0-9$_:{}*./-]{0,99}$/,
  'http.response.status_code': /^[1-5][0-9]{2}$/,
} as const satisfies Readonly<Record<string, RegExp>>;

export type TelemetryAttribute = keyof typeof telemetryAttributes;
export type TelemetryAttributes = Readonly<Partial<Record<TelemetryAttribute, string | number>>>;

/** What of a name of a span is let through: words of the code, without the numbers that ids and identifiers are made of. */
export const telemetrySpanName = /^(?!.*[0-9]{3})[A-Za-z][A-Za-z0-9 .:/{}-]{0,79}$/;

/** W3C Trace Context as plain data, to travel in messages, envelopes and headers. Without tracestate: it may hold any text. */
export interface TraceCarrier {
  /** `00-<trace id>-<span id>-<flags>`, W3C Trace Context section 3.2. */
  readonly traceparent?: string;
}

/** Spans of one country's role. One trace runs through both countries of a transfer, each country a service of its own. */
export abstract class Telemetry {
  /**
   * Runs `work` inside a span and ends the span with it. What `work` throws is thrown on; of it the span keeps the code alone.
   *
   * @param name a constant of the code, e.g. `pipeline seal`; what is no such name becomes `unnamed`
   * @param attributes of the allow-list; anything else is dropped
   * @param carrier the span that caused this one, where it runs elsewhere; without it, the span around this call
   */
  abstract span<T>(name: string, attributes: TelemetryAttributes, carrier: TraceCarrier | undefined, work: () => Promise<T>): Promise<T>;

  /** The carrier of the span around this call; empty outside of one, and where telemetry is off. */
  abstract inject(): TraceCarrier;
}

/** The attributes of `given` that stand in the allow-list with a value of its pattern. */
export function allowedAttributes(given: Readonly<Record<string, unknown>>): Record<string, string | number> {
  const allowed: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!isTelemetryAttribute(name) || (typeof value !== 'string' && typeof value !== 'number')) continue;
    if (telemetryAttributes[name].test(String(value))) allowed[name] = value;
  }
  return allowed;
}

function isTelemetryAttribute(name: string): name is TelemetryAttribute {
  return Object.hasOwn(telemetryAttributes, name);
}
