import { bufferOf, type KafkaClientConfig, type RecordProducer, type TopicRecord } from '@portolan/kafka';
import type { ConfluentLibrary, LibraryProducer } from './confluent-library.js';
import { failureOf, LibraryFailure, within } from './failures.js';
import { brokerVerdict, commonSettings, tlsVerdict } from './settings.js';

/** The largest message, with its frame, as the brokers' `message.max.bytes`. */
const MESSAGE_MAX_BYTES = 3_200_000;
/** The library works on the few threads of libuv's pool, where what hangs holds up what does not. */
const CONNECT_WITHIN_MS = 15_000;
/** How many answers in time a message is given before it counts as not written. */
const ANSWERS = 2.5;
const LEAVE_WITHIN_MS = 1_000;

/**
 * librdkafka's idempotent producer. It cuts what it is given into requests itself, some of them under way at once, and keeps their order and
 * numbers right where one is repeated. What was not answered in time may have been written, as with any client.
 */
export class ConfluentProducer implements RecordProducer {
  private readonly producer: LibraryProducer;
  private readonly destroyed = Promise.withResolvers<never>();
  private connecting: Promise<unknown> = Promise.resolve();
  private verdict: string | undefined;
  private waiting = 0;

  constructor(
    private readonly library: ConfluentLibrary,
    config: KafkaClientConfig & { readonly answerMs: number },
  ) {
    this.destroyed.promise.catch(() => undefined);
    const { answerMs } = config;
    const common = commonSettings(config, answerMs, { line: (text) => this.read(text) });
    this.producer = new library.Kafka().producer({
      ...common,
      kafkaJS: { ...common.kafkaJS, idempotent: true, acks: -1 },
      'message.max.bytes': MESSAGE_MAX_BYTES,
      'batch.size': MESSAGE_MAX_BYTES,
      'message.timeout.ms': Math.floor(answerMs * ANSWERS),
      'request.timeout.ms': answerMs,
      // What has gathered is given at once; there is nothing more to wait for.
      'queue.buffering.max.ms': 1,
    });
  }

  get tlsError(): string | undefined {
    return this.verdict;
  }

  async connect(): Promise<void> {
    const connected = this.producer.connect();
    this.connecting = connected.catch(() => undefined);
    await this.unlessDestroyed(within(CONNECT_WITHIN_MS, connected));
    this.verdict = undefined;
  }

  async send(topic: string, records: readonly TopicRecord[]): Promise<void> {
    const messages = records.map(({ key, value, headers }) => ({ key, value: bufferOf(value), headers: { ...headers } }));
    await this.unlessDestroyed(this.producer.send({ topic, messages }));
  }

  async leave(): Promise<void> {
    await within(LEAVE_WITHIN_MS, this.producer.disconnect()).catch(() => undefined);
  }

  /** The library lets go of its connections by itself, after its last words; whoever waits is not kept. */
  destroy(): void {
    this.destroyed.reject(new LibraryFailure('DESTROYED'));
    // One that is connecting cannot be ended, by its makers' own word.
    void this.connecting.then(() => this.producer.disconnect()).catch(() => undefined);
  }

  /** The library tries again, and tells whoever waits when time is up; whoever called us knows better when to try. */
  private read(line: string): void {
    const tls = tlsVerdict(line);
    this.verdict = tls ?? this.verdict;
    const verdict = tls ?? brokerVerdict(line);
    // A connection that nobody needed may close.
    if (verdict !== undefined && this.waiting > 0) this.destroyed.reject(new LibraryFailure(verdict));
  }

  private async unlessDestroyed<T>(work: Promise<T>): Promise<T> {
    this.waiting += 1;
    try {
      return await Promise.race([work, this.destroyed.promise]);
    } catch (error) {
      throw failureOf(error, this.library.ErrorCodes);
    } finally {
      this.waiting -= 1;
    }
  }
}
