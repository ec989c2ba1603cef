import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError, type CountryCode, type Kid } from '@portolan/contracts';
import { InboxListener, type PartnerKeyIsLive, type PartnerMessage } from '@portolan/domain';
import type { Fate } from './batch.js';
import { KafkaDeadLetters } from './dead-letters.js';
import type { ConsumerLimits, InboxConsumerConfig, KafkaClients, RecordConsumer } from './clients.js';
import { InboxConsumer } from './inbox-consumer.js';
import { refusalOf, type InboxRecord } from './inbox-records.js';
import type { BrokerAddress, ClientIdentity, KafkaClientConfig } from './kafka-client.js';
import { KafkaInboxAdmin, TOPIC_LIMITS, type AdmittedPartner, type TopicLimits } from './kafka-inbox-admin.js';
import { QuietLog, type KafkaLog } from './log.js';
import { topicFrom } from './topics.js';
import { within } from './within.js';

export interface KafkaInboxLimits extends ConsumerLimits {
  /** How long brokers are waited for at the start. */
  readonly startWithinMs: number;
  /** How often partners and their keys are compared with what the brokers grant. */
  readonly compareEveryMs: number;
}

export interface KafkaInboxConfig {
  /** The listener within the country: no partner reaches it. */
  readonly brokers: readonly BrokerAddress[];
  /** Our certificate there must be one that may administer: a super user, or one granted `Alter` on the cluster. */
  readonly identity: ClientIdentity;
  /** Who may write, with which keys; asked again and again. Keys that `isLive` does not confirm are left out. */
  readonly partners: () => Promise<readonly AdmittedPartner[]>;
  readonly log: KafkaLog;
  /** Told when a partner's key was dropped, so that our own link to that partner can be let go of. */
  readonly onDrop?: (country: CountryCode, kid: Kid) => void;
  /** Instances of one group share the partitions. */
  readonly group?: string;
  readonly limits?: Partial<KafkaInboxLimits>;
  readonly topics?: Partial<TopicLimits>;
  /** What reads; kafkajs where absent. */
  readonly clients?: Pick<KafkaClients, 'consumer'>;
}

export const INBOX_LIMITS: KafkaInboxLimits = {
  accepting: 16,
  partitionsAtOnce: 4,
  fetchBytes: 16_000_000,
  sessionMs: 10_000,
  heartbeatMs: 1_000,
  backoffFirstMs: 100,
  backoffMostMs: 5_000,
  startWithinMs: 60_000,
  compareEveryMs: 5_000,
};

const GROUP = 'exchange.v1';
const RETRY_MS = 250;

/** For a consumer to join its group; kafkajs tries eight times by itself. */
const START_WITHIN_MS = 30_000;

type Accept = (from: CountryCode, message: PartnerMessage) => Promise<void>;

interface Running {
  readonly accept: Accept;
  readonly isLive: PartnerKeyIsLive;
  readonly over: AbortController;
  consumer: RecordConsumer | undefined;
  topics: readonly string[];
  comparing: Promise<void>;
}

/**
 * The inbox a country hosts on its own brokers. Who may write what is decided by the brokers, by certificate: the country of a message is
 * that of its topic. What is granted follows the registry: `drop` takes a key's grants away at once, and a comparison every few seconds
 * adds what is new and takes away whatever else is too much.
 */
export class KafkaInboxListener extends InboxListener {
  readonly deadLetters: KafkaDeadLetters;
  private readonly limits: KafkaInboxLimits;
  private readonly log: KafkaLog;
  private readonly client: KafkaClientConfig;
  private readonly admin: KafkaInboxAdmin;
  private readonly dropped = new Set<string>();
  private running: Running | undefined;

  constructor(private readonly config: KafkaInboxConfig) {
    super();
    const { brokers, identity } = config;
    const log = (this.log = new QuietLog(config.log));
    this.limits = { ...INBOX_LIMITS, ...config.limits };
    this.client = { clientId: 'portolan-inbox', brokers, identity, log, code: 'exchange.inbox-unavailable' };
    this.admin = new KafkaInboxAdmin(this.client, { ...TOPIC_LIMITS, ...config.topics });
    this.deadLetters = new KafkaDeadLetters(this.client);
  }

  /** Resolves when topics and grants stand and the topics are read. Throws `exchange.inbox-unavailable` where no broker answers. */
  async listen(accept: Accept, isLive: PartnerKeyIsLive): Promise<{ host: string; port: number }> {
    const [broker] = this.config.brokers;
    if (broker === undefined) throw new PortolanError('exchange.inbox-unavailable', 'brokers of the inbox', 'none configured');
    const running: Running = { accept, isLive, over: new AbortController(), consumer: undefined, topics: [], comparing: Promise.resolve() };
    this.running = running;
    const until = performance.now() + this.limits.startWithinMs;
    while (!(await this.begun(running, until))) await pause(RETRY_MS);
    void this.keepComparing(running);
    return { host: broker.host, port: broker.port };
  }

  drop(country: CountryCode, kid: Kid): void {
    this.dropped.add(`${country}-${kid}`);
    this.config.onDrop?.(country, kid);
    const running = this.running;
    if (running !== undefined) void this.revoke(running, country, kid);
  }

  async close(): Promise<void> {
    const running = this.running;
    this.running = undefined;
    running?.over.abort();
    await running?.comparing.catch(() => undefined);
    await running?.consumer?.stop();
    await this.deadLetters.close();
    await this.admin.close();
  }

  private async begun(running: Running, until: number): Promise<boolean> {
    try {
      await this.compare(running);
      return true;
    } catch (error) {
      if (performance.now() > until || running.over.signal.aborted) throw error;
      return false;
    }
  }

  private async revoke(running: Running, country: CountryCode, kid: Kid): Promise<void> {
    while (!running.over.signal.aborted) {
      try {
        await this.admin.revoke(country, kid);
        return;
      } catch (error) {
        this.log.failure(`grants of an ended key of ${country} still stand`, 'exchange.inbox-unavailable', error);
        await pause(RETRY_MS);
      }
    }
  }

  private async keepComparing({ over: { signal } }: Running): Promise<void> {
    for await (const _tick of ticks(this.limits.compareEveryMs, signal)) {
      const running = this.running;
      if (running === undefined) return;
      await this.compare(running).catch((error: unknown) => {
        if (this.running === running) this.log.failure('grants of partners could not be compared', 'exchange.inbox-unavailable', error);
      });
    }
  }

  /** One at a time: what a slow one knew must not undo what a later one did. */
  private compare(running: Running): Promise<void> {
    running.comparing = running.comparing.catch(() => undefined).then(() => this.compareNow(running));
    return running.comparing;
  }

  private async compareNow(running: Running): Promise<void> {
    const admitted = await this.liveKeys(running.isLive);
    if (running.over.signal.aborted) return;
    await this.admin.ensure(admitted);
    const topics = admitted.map(({ country }) => topicFrom(country)).sort();
    if (running.consumer !== undefined && topics.join() === running.topics.join()) return;
    await running.consumer?.stop();
    running.consumer = undefined;
    running.topics = topics;
    if (topics.length > 0) await this.consume(running);
  }

  private async liveKeys(isLive: PartnerKeyIsLive): Promise<readonly AdmittedPartner[]> {
    const partners = await this.config.partners();
    return Promise.all(
      partners.map(async ({ country, kids }) => {
        const live = await Promise.all(kids.map(async (kid) => !this.dropped.has(`${country}-${kid}`) && (await isLive(country, kid))));
        return { country, kids: kids.filter((_kid, i) => live[i]) };
      }),
    );
  }

  private async consume(running: Running): Promise<void> {
    const config: InboxConsumerConfig = {
      client: this.client,
      group: this.config.group ?? GROUP,
      topics: running.topics,
      limits: this.limits,
      handle: (record) => this.take(running.accept, record),
      onEnd: (reason) => void this.replace(running, consumer, reason),
    };
    const consumer = this.config.clients?.consumer(config) ?? new InboxConsumer(config);
    running.consumer = consumer;
    try {
      await within(START_WITHIN_MS, consumer.start());
    } catch (error) {
      running.consumer = undefined;
      await consumer.stop();
      throw error;
    }
  }

  /** The next comparison starts another where this one cannot be replaced at once. */
  private async replace(running: Running, ended: RecordConsumer, reason: string): Promise<void> {
    if (running.over.signal.aborted || running.consumer !== ended) return;
    this.log.failure(`reading the inbox ended (${reason}); it begins anew`, 'exchange.inbox-unavailable');
    running.consumer = undefined;
    await ended.stop();
    await pause(RETRY_MS);
    if (this.running === running) await this.compare(running).catch(() => undefined);
  }

  private async take(accept: Accept, record: InboxRecord): Promise<Fate> {
    if ('refused' in record.read) return this.setAside(record, record.read.refused);
    try {
      await accept(record.from, record.read.message);
      return 'done';
    } catch (error) {
      const code = refusalOf(error);
      if (code !== undefined) return this.setAside(record, code);
      this.log.failure(`a message from ${record.from} could not be stored; it is tried again`, 'exchange.busy', error);
      return 'later';
    }
  }

  private async setAside(record: InboxRecord, code: Parameters<KafkaDeadLetters['setAside']>[1]): Promise<Fate> {
    try {
      await this.deadLetters.setAside(record, code);
      this.log.failure(`a message from ${record.from} was set aside as a dead letter`, code);
      return 'done';
    } catch (error) {
      this.log.failure('a dead letter could not be stored', 'exchange.inbox-unavailable', error);
      return 'later';
    }
  }
}

/** Every so often, until it is over. */
async function* ticks(everyMs: number, signal: AbortSignal): AsyncGenerator<void> {
  try {
    for (;;) {
      await pause(everyMs, undefined, { signal });
      yield;
    }
  } catch {
    // over
  }
}
