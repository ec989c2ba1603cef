import { PortolanError, type CountryCode, type Kid } from '@portolan/contracts';
import kafkajs, { type Acl, type AclEntry, type AclFilter, type Admin, type ITopicConfig } from 'kafkajs';
import { setUserQuotas } from './client-quotas.js';
import { KafkaClient, type KafkaClientConfig } from './kafka-client.js';
import { kafkaReason } from './kafka-errors.js';
import { DEAD_LETTERS, partnerPrincipal, topicFrom } from './topics.js';
import { within } from './within.js';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ConfigSource, ResourcePatternTypes } = kafkajs;

/** For one errand at the brokers, and for taking leave of them. */
const USE_WITHIN_MS = 15_000;
const LEAVE_WITHIN_MS = 2_000;

/** A partner and its TLS keys that may write: two while it changes one for the other. */
export interface AdmittedPartner {
  readonly country: CountryCode;
  readonly kids: readonly Kid[];
}

export interface TopicLimits {
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Of these so many must hold a message before it counts as stored. */
  readonly minInSyncReplicas: number;
  /** Older than this, and over so many bytes a partition, messages are forgotten, read or not: senders keep theirs until answered. */
  readonly retentionMs: number;
  readonly retentionBytes: number;
  /** What one partner's key may write. */
  readonly partnerBytesPerSecond: number;
}

export const TOPIC_LIMITS: TopicLimits = {
  partitions: 4,
  replicationFactor: 1,
  minInSyncReplicas: 1,
  retentionMs: 7 * 86_400_000,
  retentionBytes: 2_000_000_000,
  partnerBytesPerSecond: 20_000_000,
};

/** A batch of records is one message to Kafka; dead letters carry a little more than what they hold. */
const MESSAGE_MAX_BYTES = 3_200_000;
const DEAD_LETTER_MAX_BYTES = 3_400_000;
/** Names of partners at their door, whatever became of them: what is granted to such a name is ours to take away. */
const PARTNER = /^User:CN=[A-Z]{2}-[A-Za-z0-9_-]{43}$/;

/**
 * What partners may do on our brokers, kept as it should be: a topic for each, which its live keys may write and nobody else; bounds in
 * time and bytes; a quota a key. Every failure is `exchange.inbox-unavailable`; all of it may be done again at any time.
 */
export class KafkaInboxAdmin {
  private client: KafkaClient | undefined;
  private connected: Promise<Admin> | undefined;

  constructor(
    private readonly config: KafkaClientConfig,
    private readonly limits: TopicLimits,
  ) {}

  /** Topics, grants and quotas for exactly these partners and keys. Topics of others stay, with nobody to write them. */
  async ensure(partners: readonly AdmittedPartner[]): Promise<void> {
    await this.using(async (admin) => {
      await this.ensureTopics(admin, partners);
      await this.ensureGrants(admin, partners);
    });
  }

  /** Takes away whatever a key was granted: the brokers refuse its next request. */
  async revoke(country: CountryCode, kid: Kid): Promise<void> {
    await this.using((admin) => admin.deleteAcls({ filters: [{ ...ANY, principal: partnerPrincipal(country, kid) }] }));
  }

  /**
   * Lets the brokers read the key store of their partners' door again: certificates change without a restart. `location` is the file
   * on the brokers; they read it where it is another one, or the same one written anew. kafkajs can only set all changed settings of a
   * broker at once, so it is refused where there are others.
   */
  async reloadDoor(location: string, listener = 'partners'): Promise<void> {
    const setting = `listener.name.${listener}.ssl.keystore.location`;
    await this.using(async (admin) => {
      const { brokers } = await admin.describeCluster();
      const named = brokers.map(({ nodeId }) => ({ type: ConfigResourceTypes.BROKER, name: String(nodeId) }));
      const { resources } = await admin.describeConfigs({ resources: named, includeSynonyms: false });
      const changed = resources
        .flatMap((one) => one.configEntries)
        .filter((entry) => entry.configSource === ConfigSource.DYNAMIC_BROKER_CONFIG);
      if (changed.some(({ configName }) => configName !== setting))
        throw new PortolanError('exchange.inbox-unavailable', 'key store of the door', 'brokers have other changed settings');
      const configEntries = [{ name: setting, value: location }];
      await admin.alterConfigs({ validateOnly: false, resources: named.map((one) => ({ ...one, configEntries })) });
    });
  }

  async close(): Promise<void> {
    const { client, connected } = this;
    this.client = this.connected = undefined;
    const left = connected?.then((admin) => admin.disconnect()) ?? Promise.resolve();
    await within(LEAVE_WITHIN_MS, left).catch(() => undefined);
    client?.destroy();
  }

  private async using<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      const connected = (this.connected ??= this.connect());
      return await within(
        USE_WITHIN_MS,
        connected.then((admin) => work(admin)),
      );
    } catch (error) {
      const detail = this.client?.tlsError ?? kafkaReason(error);
      await this.close();
      throw error instanceof PortolanError ? error : new PortolanError('exchange.inbox-unavailable', 'brokers of the inbox', detail);
    }
  }

  private async connect(): Promise<Admin> {
    this.client = new KafkaClient(this.config);
    const admin = this.client.kafka.admin();
    await admin.connect();
    return admin;
  }

  private async ensureTopics(admin: Admin, partners: readonly AdmittedPartner[]): Promise<void> {
    const wanted = [this.deadLetters(), ...partners.map(({ country }) => this.topic(topicFrom(country)))];
    const present = new Set(await admin.listTopics());
    const missing = wanted.filter(({ topic }) => !present.has(topic));
    if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: true });
    const resources = wanted
      .filter(({ topic }) => present.has(topic))
      .map(({ topic, configEntries = [] }) => ({ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }));
    if (resources.length > 0) await admin.alterConfigs({ validateOnly: false, resources });
  }

  private topic(topic: string): ITopicConfig {
    const { partitions, replicationFactor, minInSyncReplicas, retentionMs, retentionBytes } = this.limits;
    return {
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: entriesOf({
        'cleanup.policy': 'delete',
        'retention.ms': retentionMs,
        'retention.bytes': retentionBytes,
        'segment.bytes': Math.min(268_435_456, Math.max(1_048_576, Math.floor(retentionBytes / 4))),
        'max.message.bytes': MESSAGE_MAX_BYTES,
        'min.insync.replicas': minInSyncReplicas,
      }),
    };
  }

  /** One partition: its order is the order of the list. A letter that was dealt with is overwritten by nothing under its own name. */
  private deadLetters(): ITopicConfig {
    const { configEntries = [], ...topic } = this.topic(DEAD_LETTERS);
    const changes = entriesOf({ 'cleanup.policy': 'compact,delete', 'max.message.bytes': DEAD_LETTER_MAX_BYTES });
    const kept = configEntries.filter(({ name }) => changes.every((change) => change.name !== name));
    return { ...topic, numPartitions: 1, configEntries: [...kept, ...changes] };
  }

  private async ensureGrants(admin: Admin, partners: readonly AdmittedPartner[]): Promise<void> {
    const wanted = partners.flatMap(({ country, kids }) => kids.map((kid) => grant(partnerPrincipal(country, kid), topicFrom(country))));
    const present = (await admin.describeAcls(ANY)).resources.flatMap((resource) => {
      const { resourceName, resourceType, resourcePatternType } = resource;
      return resource.acls.map((acl): AclEntry => ({ ...plain(acl), resourceName, resourceType, resourcePatternType }));
    });
    const partnersGrants = present.filter(({ principal }) => PARTNER.test(principal));
    const extra = partnersGrants.filter((one) => !wanted.some((other) => isSame(one, other)));
    const missing = wanted.filter((one) => !partnersGrants.some((other) => isSame(one, other)));
    if (extra.length > 0) await admin.deleteAcls({ filters: extra });
    if (missing.length > 0) await admin.createAcls({ acl: missing });
    await this.ensureQuotas(missing, extra);
  }

  private async ensureQuotas(granted: readonly AclEntry[], taken: readonly AclEntry[]): Promise<void> {
    const [broker] = this.config.brokers;
    if (broker === undefined) return;
    const user = ({ principal }: AclEntry): string => principal.slice('User:'.length);
    const gone = taken.filter(({ principal }) => !granted.some((one) => one.principal === principal));
    await setUserQuotas(broker, this.config.identity, [
      ...granted.map((one) => ({ user: user(one), producerBytesPerSecond: this.limits.partnerBytesPerSecond })),
      ...[...new Set(gone.map(user))].map((one) => ({ user: one, producerBytesPerSecond: undefined })),
    ]);
  }
}

const ANY: AclFilter = {
  resourceType: AclResourceTypes.ANY,
  resourcePatternType: ResourcePatternTypes.ANY,
  operation: AclOperationTypes.ANY,
  permissionType: AclPermissionTypes.ANY,
};

/** Writing implies to see the topic, and nothing else. */
const grant = (principal: string, topic: string): AclEntry => ({
  principal,
  host: '*',
  operation: AclOperationTypes.WRITE,
  permissionType: AclPermissionTypes.ALLOW,
  resourceType: AclResourceTypes.TOPIC,
  resourceName: topic,
  resourcePatternType: ResourcePatternTypes.LITERAL,
});

const plain = ({ principal, host, operation, permissionType }: Acl): Acl => ({ principal, host, operation, permissionType });

const isSame = (a: AclEntry, b: AclEntry): boolean => (Object.keys(a) as (keyof AclEntry)[]).every((name) => a[name] === b[name]);

const entriesOf = (values: Readonly<Record<string, string | number>>): { name: string; value: string }[] =>
  Object.entries(values).map(([name, value]) => ({ name, value: String(value) }));
