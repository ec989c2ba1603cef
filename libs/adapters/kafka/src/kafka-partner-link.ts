import { setImmediate as thisTurn, setTimeout as pause } from 'node:timers/promises';
import { PortolanError, type CountryCode } from '@portolan/contracts';
import { isMessageName, MESSAGE_MAX_BYTES, PartnerLink, type PartnerMessage } from '@portolan/domain';
import type { KafkaClients } from './clients.js';
import type { BrokerAddress, ClientIdentity } from './kafka-client.js';
import { isRefusal, kafkaReason } from './kafka-errors.js';
import { QuietLog, type KafkaLog } from './log.js';
import { TopicWriter, WRITER_LIMITS, WriteFailure, type WriterLimits } from './topic-writer.js';
import { ID_HEADER, topicFrom } from './topics.js';

/** One partner's brokers, and who we are there: the certificate that the partner issued for our registered TLS key. */
export interface KafkaEndpoint extends ClientIdentity {
  /** The door for partners. One is enough to find the others. */
  readonly brokers: readonly BrokerAddress[];
}

export interface KafkaPartnerLinkConfig {
  /** Names the topic that is ours on each partner's brokers. */
  readonly country: CountryCode;
  /** Undefined where there is no such partner. Asked after each message was given, so that a renewed certificate is used from the next one on. */
  readonly partners: (country: CountryCode) => KafkaEndpoint | undefined | Promise<KafkaEndpoint | undefined>;
  readonly log: KafkaLog;
  readonly limits?: Partial<WriterLimits>;
  /** What writes; kafkajs where absent. */
  readonly clients?: Pick<KafkaClients, 'producer'>;
}

/** What is on its way to a partner that does not answer is given up, and is sent again later by whoever keeps it. */
const CLOSE_WITHIN_MS = 3_000;

interface Way {
  readonly endpoint: KafkaEndpoint;
  readonly writer: TopicWriter;
}

/**
 * Writes into the topics that partners keep for us on their own brokers. Messages of one key arrive in the order they were given;
 * whatever is given while a request is under way leaves together in the next one.
 */
export class KafkaPartnerLink extends PartnerLink {
  private readonly ways = new Map<CountryCode, Way>();
  private readonly asked = new Map<CountryCode, Promise<KafkaEndpoint | undefined>>();
  private readonly limits: WriterLimits;
  private readonly log: KafkaLog;

  constructor(private readonly config: KafkaPartnerLinkConfig) {
    super();
    this.log = new QuietLog(config.log);
    this.limits = { ...WRITER_LIMITS, ...config.limits };
  }

  async send(to: CountryCode, message: PartnerMessage): Promise<void> {
    if (!isMessageName(message.id) || !isMessageName(message.key)) throw new PortolanError('exchange.message-malformed', `link to ${to}`);
    if (message.body.length > MESSAGE_MAX_BYTES) throw new PortolanError('exchange.message-too-large', `message ${message.id}`);
    const endpoint = await this.endpoint(to);
    if (endpoint === undefined) throw new PortolanError('exchange.partner-unknown', to);
    const { key, body: value, id } = message;
    await this.writer(to, endpoint)
      .send({ key, value, headers: { [ID_HEADER]: id } })
      .catch((error: unknown) => {
        throw failureOf(error, to);
      });
  }

  /** Destroys our sockets to a partner: its key has ended, or ours has. The next message connects anew. */
  drop(country: CountryCode): void {
    this.ways.get(country)?.writer.destroy();
    this.ways.delete(country);
  }

  async close(): Promise<void> {
    const ways = [...this.ways.values()];
    this.ways.clear();
    const emptied = Promise.all(ways.map(({ writer }) => writer.retire()));
    const late = pause(CLOSE_WITHIN_MS, undefined, { ref: false }).then(() => ways.forEach(({ writer }) => writer.destroy()));
    await Promise.race([emptied, late]);
  }

  /** Asked once for all messages that are given in one turn, after the last of them. */
  private endpoint(to: CountryCode): Promise<KafkaEndpoint | undefined> {
    const known = this.asked.get(to);
    if (known !== undefined) return known;
    const asked = thisTurn().then(() => {
      this.asked.delete(to);
      return this.config.partners(to);
    });
    this.asked.set(to, asked);
    return asked;
  }

  /** The way to this very endpoint. Where the partner moved, or our certificate is another, the new way opens when the old has emptied. */
  private writer(country: CountryCode, endpoint: KafkaEndpoint): TopicWriter {
    const known = this.ways.get(country);
    if (known !== undefined && isSame(known.endpoint, endpoint)) return known.writer;
    const { log } = this;
    const { country: us } = this.config;
    const { brokers, ...identity } = endpoint;
    const client = { clientId: `portolan-${us}`, brokers, identity, log, code: 'exchange.partner-unreachable' as const };
    const writer = new TopicWriter(topicFrom(us), client, this.limits, known?.writer.retire(), this.config.clients);
    this.ways.set(country, { endpoint, writer });
    return writer;
  }
}

function isSame(a: KafkaEndpoint, b: KafkaEndpoint): boolean {
  const addresses = ({ brokers }: KafkaEndpoint): string => brokers.map(({ host, port }) => `${host}:${port}`).join();
  return (
    addresses(a) === addresses(b) &&
    a.certificatePem === b.certificatePem &&
    a.privateKeyPem === b.privateKeyPem &&
    a.authorityPem === b.authorityPem
  );
}

function failureOf(error: unknown, country: CountryCode): PortolanError {
  if (!(error instanceof WriteFailure)) return new PortolanError('exchange.partner-unreachable', country);
  if (error.reason === 'tls') return new PortolanError('exchange.partner-refused', country, error.detail);
  if (error.reason !== 'kafka') return new PortolanError('exchange.partner-unreachable', country, error.detail);
  const reason = kafkaReason(error.cause);
  return new PortolanError(isRefusal(reason) ? 'exchange.partner-refused' : 'exchange.partner-unreachable', country, reason);
}
