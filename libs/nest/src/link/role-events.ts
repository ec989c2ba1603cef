import { ClientKafka, ServerKafka, type CustomTransportStrategy } from '@nestjs/microservices';
import { PortolanError } from '@portolan/contracts';
import { roles, type Role } from '@portolan/domain';
import { ensureRoleTopics, KafkaClient, kafkaReason, QuietLog, roleGroup, roleTopic, type KafkaClientConfig } from '@portolan/kafka';
import { lastValueFrom, timeout } from 'rxjs';
import { sleep } from '../runtime/loop.js';

/** What travels between roles: ids alone. No broker sees a record (design, section 3). */
export interface Delivery {
  readonly id: string;
  readonly type: string;
  /** How often it was tried, where it is told by an event. */
  readonly attempts?: number;
}

/** How a role tells others that messages wait for them in its outbox. Told is not delivered: that is for the receiver to say. */
export interface RoleEvents {
  /** Resolves when the brokers have it; rejects with `link.unreachable`. */
  tell(to: Role, deliveries: readonly Delivery[]): Promise<void>;
  close(): Promise<void>;
}

const TELL_WITHIN_MS = 10_000;
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 2_000;
/** kafkajs has been seen to stand still without a word: without a sign of life for so many sessions it is replaced. */
const SILENT_SESSIONS = 3;
const AGAIN_FIRST_MS = 250;
const AGAIN_MOST_MS = 5_000;
const LEAVE_WITHIN_MS = 3_000;

/** Nest's Kafka client that writes alone, over our mutual TLS. */
class EventProducer extends ClientKafka {
  private own: KafkaClient | undefined;

  constructor(private readonly ours: KafkaClientConfig) {
    // A repetition is harmless, the receiver knows its id; so no idempotent producer, whose numbers kafkajs mistakes after a failure.
    super({ producerOnlyMode: true, producer: { allowAutoTopicCreation: false }, send: { acks: -1 } });
  }

  override async createClient<T>(): Promise<T> {
    this.own = new KafkaClient(this.ours);
    return this.own.kafka as T;
  }

  /** Leaves in order where that is quick; the sockets go in any case. */
  async leave(): Promise<void> {
    const { own } = this;
    await Promise.race([this.close().catch(() => undefined), sleep(LEAVE_WITHIN_MS)]);
    own?.destroy();
  }
}

/** Tells over the country's brokers, on topics that this role alone may write. After a failure it begins with a new connection. */
export class KafkaRoleEvents implements RoleEvents {
  private producer: EventProducer | undefined;

  constructor(
    private readonly us: Role,
    private readonly config: KafkaClientConfig,
  ) {}

  async tell(to: Role, deliveries: readonly Delivery[]): Promise<void> {
    const producer = (this.producer ??= new EventProducer(this.config));
    // Any partition will do: of one key of the outbox no second message is under way.
    const messages = deliveries.map((value) => ({ key: value.id, value: { ...value } }));
    try {
      await lastValueFrom(producer.emitBatch(roleTopic(this.us, to), { messages }).pipe(timeout(TELL_WITHIN_MS)), {
        defaultValue: undefined,
      });
    } catch (error) {
      if (this.producer === producer) this.producer = undefined;
      void producer.leave();
      throw new PortolanError('link.unreachable', `${to} event`, kafkaReason(error));
    }
  }

  async close(): Promise<void> {
    await this.producer?.leave();
    this.producer = undefined;
  }
}

/**
 * Nest's Kafka server for the events to one role: reads the topics that others may write for it, as one of the role's group. Brokers that
 * are away are waited for, and a consumer that ended or fell silent is replaced.
 */
export class RoleEventsServer extends ServerKafka implements CustomTransportStrategy {
  private readonly closing = new AbortController();
  private supervised: Promise<void> = Promise.resolve();
  private own: KafkaClient | undefined;
  private lastSign = 0;
  private ended: (() => void) | undefined;
  private readonly log: QuietLog;

  constructor(
    private readonly us: Role,
    private readonly ours: KafkaClientConfig,
  ) {
    super({
      postfixId: '',
      consumer: {
        groupId: roleGroup(us),
        sessionTimeout: SESSION_MS,
        heartbeatInterval: HEARTBEAT_MS,
        allowAutoTopicCreation: false,
        maxWaitTimeInMs: 500,
        retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8, restartOnFailure: () => Promise.resolve(false) },
      },
      run: { partitionsConsumedConcurrently: 8 },
      subscribe: { fromBeginning: true },
    });
    this.log = new QuietLog(ours.log);
  }

  override async listen(callback: () => void): Promise<void> {
    this.supervised = this.supervise();
    callback();
    return Promise.resolve();
  }

  override async createClient<T>(): Promise<T> {
    this.own = new KafkaClient(this.ours);
    return this.own.kafka as T;
  }

  /** All topics to this role, whatever handlers there are: there is one, which takes them all. */
  override async bindEvents(consumer: Parameters<ServerKafka['bindEvents']>[0]): Promise<void> {
    const topics = roles.filter((role) => role !== this.us).map((role) => roleTopic(role, this.us));
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({ ...this.options.run, eachMessage: this.getMessageHandler() });
  }

  override getHandlerByPattern(): ReturnType<ServerKafka['getHandlerByPattern']> {
    return super.getHandlerByPattern('event');
  }

  override async close(): Promise<void> {
    this.closing.abort();
    this.ended?.();
    await this.supervised;
  }

  protected override registerConsumerEventListeners(): void {
    super.registerConsumerEventListeners();
    const { consumer } = this;
    if (consumer === null) return;
    const alive = (): void => void (this.lastSign = performance.now());
    consumer.on(consumer.events.HEARTBEAT, alive);
    consumer.on(consumer.events.FETCH, alive);
    consumer.on(consumer.events.CRASH, () => this.ended?.());
  }

  private async supervise(): Promise<void> {
    for (let failures = 0; !this.closing.signal.aborted;) {
      const began = performance.now();
      await this.runOnce().catch((error: unknown) => this.complain(error));
      await this.letGo();
      failures = performance.now() - began > AGAIN_MOST_MS * 2 ? 0 : failures + 1;
      await sleep(Math.min(AGAIN_MOST_MS, AGAIN_FIRST_MS * 2 ** Math.min(failures, 10)), this.closing.signal);
    }
  }

  private complain(error: unknown): void {
    const reason = this.own?.tlsError ?? kafkaReason(error);
    const failure = error instanceof PortolanError ? error : new PortolanError('link.unreachable', `events to ${this.us}`, reason);
    this.log.failure('events are not read; it begins anew', failure.code, failure);
  }

  /** Reads until it is closed, or its consumer ended. */
  private async runOnce(): Promise<void> {
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.ended = end;
    if (this.closing.signal.aborted) return;
    // The exchange administers the country's brokers, for its inbox, too.
    if (this.us === 'exchange') await ensureRoleTopics(this.ours);
    this.client = await this.createClient();
    this.lastSign = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - this.lastSign > SESSION_MS * SILENT_SESSIONS) end();
    }, SESSION_MS);
    try {
      await Promise.race([this.start(() => undefined), over]);
      await over;
    } finally {
      clearInterval(watch);
    }
  }

  private async letGo(): Promise<void> {
    const { own } = this;
    await Promise.race([super.close().catch(() => undefined), sleep(LEAVE_WITHIN_MS)]);
    own?.destroy();
  }
}
