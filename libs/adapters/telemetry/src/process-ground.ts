import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import { startNodeSdk } from '@opentelemetry/sdk-node';

/**
 * Lets the Node SDK lay what OpenTelemetry has once a process: the context that follows async calls, and the W3C format
 * of carriers. Everything else of it stays off: no global tracer, no metrics, no logs, no instrumentation, no detector
 * that reads host, process or user. A process where somebody did this already is left as it is.
 */
export function layProcessGround(): void {
  if (contextFollowsCalls()) return;
  startNodeSdk({
    logLevel: 'none',
    propagators: [new W3CTraceContextPropagator()],
    spanProcessors: [],
    metricReaders: [],
    logRecordProcessors: [],
    resourceDetectors: [],
    baseResource: emptyResource(),
  });
}

function contextFollowsCalls(): boolean {
  const key = createContextKey('portolan ground');
  return context.with(ROOT_CONTEXT.setValue(key, true), () => context.active().getValue(key) === true);
}
