import { randomUUID } from 'node:crypto';
import { isErrorCode, PortolanError, type CountryCode, type ErrorCode } from '@portolan/contracts';
import { isMessageName } from '@portolan/domain';
import type { KafkaMessage } from 'kafkajs';
import type { InboxRecord } from './inbox-records.js';
import { KafkaClient, type KafkaClientConfig } from './kafka-client.js';
import { kafkaReason } from './kafka-errors.js';
import { TopicWriter, WRITER_LIMITS, WriteFailure } from './topic-writer.js';
import { DEAD_LETTERS, ID_HEADER, senderOf } from './topics.js';

/** A record that can never be taken as it is; its bytes are kept with it, exactly. */
export interface KafkaDeadLetter {
  /** `<topic>/<partition>/<offset>` of the record. */
  readonly ref: string;
  readonly from: CountryCode;
  /** As the sender gave it, where that is a name at all. */
  readonly messageId: string | undefined;
  readonly code: ErrorCode;
  /** Instant at which it was set aside. */
  readonly at: string;
  readonly bytes: number;
}

interface Letter extends KafkaDeadLetter {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly id: Buffer | undefined;
}

const KEY_HEADER = 'portolan-dead-key';
const CODE_HEADER = 'portolan-dead-code';
const AT_HEADER = 'portolan-dead-at';
const NAME_MAX_BYTES = 1_024;
const READ_WITHIN_MS = 30_000;

/** What the inbox set aside: written beside the partners' topics, listed and replayed from there. */
export class KafkaDeadLetters {
  private writers = new Map<string, TopicWriter>();

  constructor(private readonly config: KafkaClientConfig) {}

  /** Rejects where the letter is not stored: its record is then to be tried again. */
  async setAside(record: InboxRecord, code: ErrorCode): Promise<void> {
    const { topic, partition, offset, raw } = record;
    const id = raw.headers?.[ID_HEADER];
    await this.write(DEAD_LETTERS, {
      key: `${topic}/${partition}/${offset}`,
      value: raw.value ?? Buffer.alloc(0),
      headers: {
        [CODE_HEADER]: code,
        [AT_HEADER]: new Date().toISOString(),
        [KEY_HEADER]: bounded(raw.key),
        ...(Buffer.isBuffer(id) ? { [ID_HEADER]: bounded(id) } : {}),
      },
    });
  }

  /** The oldest first. Throws `exchange.inbox-unavailable`. */
  async list(limit: number): Promise<readonly KafkaDeadLetter[]> {
    return [...(await this.read()).values()]
      .slice(0, limit)
      .map(({ ref, from, messageId, code, at, bytes }) => ({ ref, from, messageId, code, at, bytes }));
  }

  /** Puts the record into its topic again and takes the letter off the list. False where there is no such letter. */
  async replay(ref: string): Promise<boolean> {
    const letter = (await this.read()).get(ref);
    if (letter === undefined) return false;
    const topic = ref.split('/')[0] ?? '';
    const headers: Record<string, Buffer> = letter.id === undefined ? {} : { [ID_HEADER]: letter.id };
    // The record first: a crash in between makes it come twice, and the receiver knows it by its id.
    await this.write(topic, { key: letter.key?.toString('latin1') ?? '', value: letter.value, headers });
    await this.write(DEAD_LETTERS, { key: ref, value: null, headers: {} });
    return true;
  }

  async close(): Promise<void> {
    const writers = [...this.writers.values()];
    this.writers = new Map();
    await Promise.all(writers.map((writer) => writer.retire()));
  }

  private async write(topic: string, record: Parameters<TopicWriter['send']>[0]): Promise<void> {
    const writer = this.writers.get(topic) ?? new TopicWriter(topic, this.config, { ...WRITER_LIMITS, maxBatchRecords: 100 });
    this.writers.set(topic, writer);
    await writer.send(record).catch((error: unknown) => {
      const cause = error instanceof WriteFailure && error.reason === 'kafka' ? error.cause : error;
      throw new PortolanError('exchange.inbox-unavailable', `topic ${topic}`, kafkaReason(cause));
    });
  }

  /** All letters that were not dealt with, by their reference. Bounded by what the topic may hold. */
  private async read(): Promise<Map<string, Letter>> {
    const client = new KafkaClient(this.config);
    const letters = new Map<string, Letter>();
    try {
      await readAll(client, DEAD_LETTERS, (message) => {
        const ref = message.key?.toString('latin1') ?? '';
        if (message.value === null) letters.delete(ref);
        else letters.set(ref, letterOf(ref, message));
      });
    } catch (error) {
      throw new PortolanError('exchange.inbox-unavailable', 'dead letters', client.tlsError ?? kafkaReason(error));
    } finally {
      client.destroy();
    }
    return letters;
  }
}

const bounded = (bytes: Buffer | null): Buffer => (bytes ?? Buffer.alloc(0)).subarray(0, NAME_MAX_BYTES);

function letterOf(ref: string, { value, headers = {} }: KafkaMessage): Letter {
  const bytesOf = (name: string): Buffer | undefined => (Buffer.isBuffer(headers[name]) ? headers[name] : undefined);
  const textOf = (name: string): string => bytesOf(name)?.toString('latin1') ?? '';
  const [code, messageId] = [textOf(CODE_HEADER), textOf(ID_HEADER)];
  return {
    ref,
    from: senderOf(ref.split('/')[0] ?? ''),
    messageId: isMessageName(messageId) ? messageId : undefined,
    code: isErrorCode(code) ? code : 'exchange.message-malformed',
    at: textOf(AT_HEADER),
    bytes: value?.length ?? 0,
    key: bytesOf(KEY_HEADER) ?? null,
    value,
    id: bytesOf(ID_HEADER),
  };
}

/** Reads a topic from its beginning to where it ends now, through a group of its own that is forgotten afterwards. */
async function readAll({ kafka }: KafkaClient, topic: string, each: (message: KafkaMessage) => void): Promise<void> {
  const admin = kafka.admin();
  const groupId = `portolan-reader-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, allowAutoTopicCreation: false });
  await admin.connect();
  try {
    const open = new Map(
      (await admin.fetchTopicOffsets(topic)).filter(({ low, high }) => low !== high).map((one) => [one.partition, one.high]),
    );
    if (open.size === 0) return;
    const { promise: ended, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => reject(new Error('the topic was not read in time')), READ_WITHIN_MS);
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const message of batch.messages) each(message);
        const high = open.get(batch.partition);
        if (high !== undefined && BigInt(batch.lastOffset()) + 1n >= BigInt(high)) open.delete(batch.partition);
        if (open.size === 0) resolve(undefined);
      },
    });
    await ended.finally(() => clearTimeout(timer));
  } finally {
    await consumer.disconnect().catch(() => undefined);
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect().catch(() => undefined);
  }
}
