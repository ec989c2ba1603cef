import { context, propagation, ROOT_CONTEXT, SpanStatusCode, trace, type Context, type Span, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, SimpleSpanProcessor, TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { PortolanError } from '@portolan/contracts';
import { allowedAttributes, Telemetry, telemetrySpanName, type TelemetryAttributes, type TraceCarrier } from '@portolan/domain';
import { ListExporter } from './list.exporter.js';
import { layProcessGround } from './process-ground.js';
import type { TelemetryConfig } from './telemetry-config.js';

const closeWithinMs = 5_000;
const traceparent = 'traceparent';

/**
 * Spans by OpenTelemetry. The TracerProvider is this object's own and never the global one, so that several countries
 * share a process and each keeps its name and its collector. The resource is the service's name alone: no host, no
 * process, no user.
 */
export class OpenTelemetry extends Telemetry {
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;

  constructor(service: string, config: Exclude<TelemetryConfig, { kind: 'none' }>) {
    super();
    layProcessGround();
    this.provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': service }),
      // Ours to decide: a partner's carrier must not be able to switch our trace off.
      sampler: new AlwaysOnSampler(),
      spanProcessors: [processorOf(config)],
    });
    this.tracer = this.provider.getTracer('portolan');
  }

  override async span<T>(
    name: string,
    attributes: TelemetryAttributes,
    carrier: TraceCarrier | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const parent = carrier?.traceparent === undefined ? context.active() : extracted(carrier);
    const span = this.tracer.startSpan(
      telemetrySpanName.test(name) ? name : 'unnamed',
      { attributes: allowedAttributes(attributes) },
      parent,
    );
    try {
      return await context.with(trace.setSpan(parent, span), work);
    } catch (error) {
      markFailed(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  override inject(): TraceCarrier {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    const found = headers[traceparent];
    return found === undefined ? {} : { traceparent: found };
  }

  async close(): Promise<void> {
    const sentOrNot = this.provider.shutdown().catch(() => undefined);
    // The exporter's own patience with an unreachable collector may be longer than ours.
    await Promise.race([sentOrNot, patience()]);
  }
}

function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, closeWithinMs).unref());
}

function processorOf(config: Exclude<TelemetryConfig, { kind: 'none' }>): SpanProcessor {
  switch (config.kind) {
    case 'memory':
      return new SimpleSpanProcessor({ exporter: new ListExporter(config.spans) });
    case 'otlp':
      return new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: config.url, timeoutMillis: closeWithinMs }) });
  }
}

/** The context that a carrier names. Of all that a propagator reads (tracestate, baggage) only the ids are let in. */
function extracted(carrier: TraceCarrier): Context {
  return propagation.extract(ROOT_CONTEXT, carrier, {
    keys: () => [traceparent],
    get: (from, key) => (key === traceparent ? from.traceparent : undefined),
  });
}

/** Of an error the span keeps the code: messages and stacks may quote what was read. */
function markFailed(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  if (error instanceof PortolanError) span.setAttributes(allowedAttributes({ 'portolan.error': error.code }));
}
