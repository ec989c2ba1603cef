import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import kafkajs from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InboxConsumer } from './inbox-consumer.js';
import { KafkaClient, type KafkaClientConfig } from './kafka-client.js';

const limits = {
  accepting: 1,
  partitionsAtOnce: 1,
  fetchBytes: 1_000,
  sessionMs: 1_000,
  heartbeatMs: 100,
  backoffFirstMs: 1,
  backoffMostMs: 1,
};
const told: string[] = [];
const clientOf = (port: number): KafkaClientConfig => ({
  clientId: 'test',
  brokers: [{ host: '127.0.0.1', port }],
  identity: { privateKeyPem: '', certificatePem: '', authorityPem: '' },
  log: { failure: (message) => void told.push(message) },
  code: 'exchange.inbox-unavailable',
});

/** What kafkajs would be asked, and what it is made to do while it starts. */
class FakeConsumer {
  readonly events = { HEARTBEAT: 'heartbeat', FETCH: 'fetch', CRASH: 'crash' };
  private readonly listeners = new Map<string, (event: unknown) => void>();
  whileRunStarts: () => void = () => undefined;
  readonly connect = async (): Promise<void> => Promise.resolve();
  readonly subscribe = async (): Promise<void> => Promise.resolve();
  readonly disconnect = async (): Promise<void> => Promise.resolve();
  on(event: string, listener: (event: unknown) => void): void {
    this.listeners.set(event, listener);
  }
  async run(): Promise<void> {
    this.whileRunStarts();
    return Promise.resolve();
  }
  crash(): void {
    this.listeners.get('crash')?.({ payload: { error: new Error('crashed') } });
  }
}

describe('a consumer', () => {
  let fake: FakeConsumer;
  let ended: string[];
  let consumer: InboxConsumer;
  beforeEach(() => {
    vi.useFakeTimers();
    fake = new FakeConsumer();
    ended = [];
    vi.spyOn(kafkajs.Kafka.prototype, 'consumer').mockReturnValue(fake as never);
    const onEnd = (reason: string): void => void ended.push(reason);
    consumer = new InboxConsumer({ client: clientOf(1), group: 'g', topics: ['t'], limits, handle: () => Promise.resolve('done'), onEnd });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('is watched while it runs, and ends where it gives no sign of life', async () => {
    await consumer.start();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(4_100);
    expect([ended, vi.getTimerCount()]).toEqual([['SILENT'], 0]);
  });

  it('that crashed while it started keeps no watchdog, which would keep the process alive', async () => {
    fake.whileRunStarts = () => fake.crash();
    await consumer.start();
    expect(ended).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that was stopped while it started keeps no watchdog', async () => {
    let stopped = Promise.resolve();
    fake.whileRunStarts = () => void (stopped = consumer.stop());
    await consumer.start();
    await stopped;
    // The unreferenced limit on taking leave is the one timer that may be left.
    vi.advanceTimersByTime(5_000);
    expect([ended, vi.getTimerCount()]).toEqual([[], 0]);
  });
});

describe('a client', () => {
  it('tells of a socket that broke, and of none that we let go', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const client = new KafkaClient(clientOf(port));
      const met = once(server, 'connection');
      const connecting = client.kafka
        .admin()
        .connect()
        .catch(() => undefined);
      await met;
      client.destroy();
      await connecting;
      expect(told).toEqual([]);

      const refused = new KafkaClient(clientOf(port));
      server.on('connection', (socket) => socket.destroy());
      await refused.kafka
        .admin()
        .connect()
        .catch(() => undefined);
      expect(told).toContain('kafka client, Connection');
      refused.destroy();
    } finally {
      server.close();
    }
  });
});
