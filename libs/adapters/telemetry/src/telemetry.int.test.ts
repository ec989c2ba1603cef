import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PortolanError } from '@portolan/contracts';
import type { TelemetryAttributes } from '@portolan/domain';
import { trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTelemetry, type FinishedSpan, type RunningTelemetry } from './index.js';

const canaries = ['Mari Näidis', '48001010000', 'E11.9', 'Glucose 17.2'];
const transfer = '0b0e7b8a-4c1d-4f4e-9a52-9a4b7c1d2e3f';

let spans: FinishedSpan[];
let running: RunningTelemetry[];
beforeEach(() => {
  spans = [];
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.close()));
});

async function start(country: string, role: 'edge' | 'exchange' | 'notary'): Promise<RunningTelemetry> {
  const one = await startTelemetry(country, role, { kind: 'memory', spans });
  running.push(one);
  return one;
}

const byName = (name: string): FinishedSpan => spans.find((span) => span.name === name)!;

describe('one trace through both countries', () => {
  it('follows the calls inside a country and the carrier to the other, each a service of its own', async () => {
    const pt = (await start('PT', 'edge')).telemetry;
    const ee = (await start('EE', 'exchange')).telemetry;
    await pt.span('clinician asks', {}, undefined, async () => {
      await pt.span('pipeline request', { 'portolan.transfer': transfer, 'portolan.partner': 'EE' }, undefined, async () => {
        // As it crosses: plain data, read by another process.
        const carrier = JSON.parse(JSON.stringify(pt.inject())) as { traceparent: string };
        await new Promise((later) => setTimeout(later, 5));
        await ee.span('pipeline permit', { 'portolan.step': 'permit' }, carrier, async () => undefined);
      });
    });
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(byName('clinician asks').parentSpanId).toBeUndefined();
    expect(byName('pipeline request').parentSpanId).toBe(byName('clinician asks').spanId);
    expect(byName('pipeline permit').parentSpanId).toBe(byName('pipeline request').spanId);
    expect(byName('pipeline request').service).toBe('portolan-pt-edge');
    expect(byName('pipeline permit').service).toBe('portolan-ee-exchange');
    expect(byName('pipeline request').attributes).toEqual({ 'portolan.transfer': transfer, 'portolan.partner': 'EE' });
  });

  it('keeps traces apart that run at the same time', async () => {
    const { telemetry } = await start('EE', 'notary');
    const pause = async (): Promise<void> => new Promise((later) => setTimeout(later, 2));
    await Promise.all(
      ['a', 'b'].map((name) =>
        telemetry.span(`outer ${name}`, {}, undefined, async () => {
          await pause();
          await telemetry.span(`inner ${name}`, {}, undefined, pause);
        }),
      ),
    );
    for (const name of ['a', 'b']) expect(byName(`inner ${name}`).parentSpanId).toBe(byName(`outer ${name}`).spanId);
    expect(byName('outer a').traceId).not.toBe(byName('outer b').traceId);
  });

  it.each([
    ['no hexadecimal', '00-zz0e7b8a4c1d4f4e9a529a4b7c1d2e3f-00f067aa0ba902b7-01'],
    ['all zero', '00-00000000000000000000000000000000-0000000000000000-01'],
    ['of any length', 'x'.repeat(100_000)],
    ['empty', ''],
  ])('a carrier that is %s starts a trace of its own', async (_, traceparent) => {
    const { telemetry } = await start('EE', 'edge');
    await telemetry.span('read', {}, { traceparent }, async () => undefined);
    expect(byName('read').parentSpanId).toBeUndefined();
  });

  it('a carrier from abroad cannot switch the trace off', async () => {
    const { telemetry } = await start('EE', 'exchange');
    await telemetry.span('open', {}, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' }, async () => undefined);
    expect(byName('open').traceId).toBe('0af7651916cd43dd8448eb211c80319c');
  });

  it('has no carrier outside of a span', async () => {
    expect((await start('EE', 'edge')).telemetry.inject()).toEqual({});
  });
});

describe('what fails', () => {
  it('is thrown on, and leaves its code alone', async () => {
    const { telemetry } = await start('EE', 'exchange');
    const error = new PortolanError('config.invalid', canaries[0]!, canaries[3]);
    await expect(telemetry.span('seal', {}, undefined, async () => Promise.reject(error))).rejects.toBe(error);
    expect(byName('seal')).toMatchObject({ failed: true, attributes: { 'portolan.error': 'config.invalid' } });
  });

  it('without a code leaves only that it failed', async () => {
    const { telemetry } = await start('EE', 'exchange');
    await expect(telemetry.span('seal', {}, undefined, async () => Promise.reject(new Error(canaries[0])))).rejects.toThrow(canaries[0]);
    expect(byName('seal')).toMatchObject({ failed: true, attributes: {} });
  });
});

/** Everything that a careless caller could hand over, with the canaries in each place. */
async function carelessly({ telemetry }: RunningTelemetry): Promise<void> {
  const attributes = Object.fromEntries([
    ['portolan.step', canaries[0]],
    ['portolan.transfer', canaries[1]],
    ['portolan.outcome', canaries[2]],
    ['http.route', `/fhir/Patient/${canaries[1]!}`],
    ['patient.name', canaries[0]],
    [canaries[3]!, 1],
  ]) as TelemetryAttributes;
  const carrier = {
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    tracestate: `ee=${canaries[1]!}`,
    baggage: `who=${canaries[1]!}`,
  };
  const work = async (): Promise<never> => Promise.reject(new Error(canaries.join()));
  await telemetry.span(`read ${canaries[1]!}`, attributes, carrier, work).catch(() => undefined);
  await telemetry.span('said', { 'portolan.step': 'read' }, undefined, async () => undefined);
}

describe('with canaries in every place that a caller can reach', () => {
  it('the spans hold none', async () => {
    await carelessly(await start('EE', 'edge'));
    expect(spans.map(({ name }) => name)).toEqual(['unnamed', 'said']);
    for (const canary of canaries) expect(JSON.stringify(spans)).not.toContain(canary);
  });

  describe('over OTLP', () => {
    let collector: Server;
    let received: Buffer[];
    let asked: string[];
    beforeEach(async () => {
      received = [];
      asked = [];
      collector = createServer((request, response) => {
        asked.push(`${request.method!} ${request.url!}`);
        request.on('data', (bytes: Buffer) => received.push(bytes)).on('end', () => response.end());
      });
      await new Promise<void>((up) => collector.listen(0, '127.0.0.1', up));
    });
    afterEach(() => collector.close());

    it('the collector gets the spans, and of this machine and of the canaries nothing', async () => {
      const { port } = collector.address() as AddressInfo;
      const exporting = await startTelemetry('EE', 'edge', { kind: 'otlp', url: `http://127.0.0.1:${port}/v1/traces` });
      await carelessly(exporting);
      await exporting.close();
      const bytes = Buffer.concat(received).toString('utf8');
      expect(asked).toEqual(['POST /v1/traces']);
      expect(bytes).toContain('portolan-ee-edge');
      expect(bytes).toContain('said');
      for (const canary of [...canaries, 'host.', 'process.', 'os.', 'telemetry.sdk']) expect(bytes).not.toContain(canary);
    });
  });

  it('a collector that is not there fails neither the work nor the end', async () => {
    const exporting = await startTelemetry('EE', 'edge', { kind: 'otlp', url: 'http://127.0.0.1:9/v1/traces' });
    expect(await exporting.telemetry.span('seal', {}, undefined, async () => 7)).toBe(7);
    await exporting.close();
  }, 15_000);
});

describe('switched off', () => {
  it('runs the work, carries nothing and registers nothing for the process', async () => {
    const off = await startTelemetry('EE', 'edge', { kind: 'none' });
    expect(await off.telemetry.span('seal', {}, undefined, async () => off.telemetry.inject())).toEqual({});
    await off.close();
  });

  it('and switched on, no tracer of the process is set', async () => {
    await start('EE', 'edge');
    const global = trace.getTracer('anybody').startSpan('x');
    expect(global.isRecording()).toBe(false);
  });
});
