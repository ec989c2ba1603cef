import { SpanStatusCode } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { FinishedSpan } from './telemetry-config.js';

/** Appends what ended to a list that the test holds. */
export class ListExporter implements SpanExporter {
  constructor(private readonly spans: FinishedSpan[]) {}

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.spans.push(...spans.map(finished));
    done({ code: ExportResultCode.SUCCESS });
  }

  async shutdown(): Promise<void> {
    // The list is the test's.
  }
}

function finished(span: ReadableSpan): FinishedSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    service: String(span.resource.attributes['service.name']),
    name: span.name,
    traceId,
    spanId,
    ...(span.parentSpanContext && { parentSpanId: span.parentSpanContext.spanId }),
    attributes: span.attributes,
    failed: span.status.code === SpanStatusCode.ERROR,
  };
}
