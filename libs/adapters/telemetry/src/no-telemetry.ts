import { Telemetry, type TelemetryAttributes, type TraceCarrier } from '@portolan/domain';

/** Telemetry that is off: one call more on the stack, and nothing else. */
export class NoTelemetry extends Telemetry {
  override span<T>(
    _name: string,
    _attributes: TelemetryAttributes,
    _carrier: TraceCarrier | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    return work();
  }

  override inject(): TraceCarrier {
    return {};
  }
}
