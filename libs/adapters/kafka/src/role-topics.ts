import { PortolanError } from '@portolan/contracts';
import { roles, type Role } from '@portolan/domain';
import kafkajs, { type AclEntry, type AclFilter, type Admin } from 'kafkajs';
import { KafkaClient, type KafkaClientConfig } from './kafka-client.js';
import { kafkaReason } from './kafka-errors.js';
import { within } from './within.js';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const PREFIX = 'roles.v1.';
const ENSURE_WITHIN_MS = 15_000;
const LEAVE_WITHIN_MS = 2_000;
/** An event is an id, a type and a number. */
const EVENT_MAX_BYTES = 2_000;

export interface RoleTopicLimits {
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Events that nobody took are forgotten: whose message still waits in its outbox is told again. */
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

export const ROLE_TOPIC_LIMITS: RoleTopicLimits = {
  partitions: 4,
  replicationFactor: 1,
  retentionMs: 3_600_000,
  retentionBytes: 64_000_000,
};

/** The topic that `from` alone may write and `to` alone may read, on the country's own brokers. */
export const roleTopic = (from: Role, to: Role): string => `${PREFIX}${from}.${to}`;

/** The consumer group of all instances of a role. */
export const roleGroup = (role: Role): string => `${PREFIX}${role}`;

/** The role whose word an event is: by the topic, which no other may write. */
export function senderRoleOf(topic: string): Role | undefined {
  return roles.find((role) => topic.startsWith(`${PREFIX}${role}.`));
}

/** Kafka's name of a role: its certificate of the internal authority, as the listener of the country maps it. */
const principalOf = (role: Role): string => `User:country.${role}`;

const pairs = roles.flatMap((from) => roles.filter((to) => to !== from).map((to) => ({ from, to })));

/**
 * The topics between the roles of one country, and the rights of each role to write its own and read its own, and no others. May be done
 * again at any time, by whoever may administer the brokers. Every failure is `link.unreachable`.
 */
export async function ensureRoleTopics(config: KafkaClientConfig, limits: RoleTopicLimits = ROLE_TOPIC_LIMITS): Promise<void> {
  const client = new KafkaClient(config);
  const admin = client.kafka.admin();
  try {
    await within(
      ENSURE_WITHIN_MS,
      admin.connect().then(async () => {
        await ensureTopics(admin, limits);
        await ensureGrants(admin);
      }),
    );
  } catch (error) {
    throw new PortolanError('link.unreachable', 'topics between roles', client.tlsError ?? kafkaReason(error));
  } finally {
    await within(LEAVE_WITHIN_MS, admin.disconnect()).catch(() => undefined);
    client.destroy();
  }
}

async function ensureTopics(admin: Admin, limits: RoleTopicLimits): Promise<void> {
  const present = new Set(await admin.listTopics());
  const topics = pairs
    .map(({ from, to }) => roleTopic(from, to))
    .filter((topic) => !present.has(topic))
    .map((topic) => ({
      topic,
      numPartitions: limits.partitions,
      replicationFactor: limits.replicationFactor,
      configEntries: Object.entries({
        'cleanup.policy': 'delete',
        'retention.ms': limits.retentionMs,
        'retention.bytes': limits.retentionBytes,
        'segment.bytes': Math.max(1_048_576, Math.floor(limits.retentionBytes / 4)),
        'max.message.bytes': EVENT_MAX_BYTES * 100,
      }).map(([name, value]) => ({ name, value: String(value) })),
    }));
  if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: true });
}

async function ensureGrants(admin: Admin): Promise<void> {
  const wanted = [
    ...pairs.map(({ from, to }) => grant(from, AclOperationTypes.WRITE, AclResourceTypes.TOPIC, roleTopic(from, to))),
    ...pairs.map(({ from, to }) => grant(to, AclOperationTypes.READ, AclResourceTypes.TOPIC, roleTopic(from, to))),
    ...roles.map((role) => grant(role, AclOperationTypes.READ, AclResourceTypes.GROUP, roleGroup(role))),
  ];
  const described = (await admin.describeAcls(ANY)).resources.flatMap(({ resourceName, resourceType, resourcePatternType, acls }) =>
    acls.map(({ principal, host, operation, permissionType }): AclEntry => {
      return { principal, host, operation, permissionType, resourceName, resourceType, resourcePatternType };
    }),
  );
  const present = described.filter(({ resourceName }) => resourceName.startsWith(PREFIX));
  const extra = present.filter((one) => !wanted.some((other) => isSame(one, other)));
  const missing = wanted.filter((one) => !present.some((other) => isSame(one, other)));
  if (extra.length > 0) await admin.deleteAcls({ filters: extra });
  if (missing.length > 0) await admin.createAcls({ acl: missing });
}

const ANY: AclFilter = {
  resourceType: AclResourceTypes.ANY,
  resourcePatternType: ResourcePatternTypes.ANY,
  operation: AclOperationTypes.ANY,
  permissionType: AclPermissionTypes.ANY,
};

/** To read or write implies to see. */
const grant = (role: Role, operation: AclEntry['operation'], resourceType: AclEntry['resourceType'], resourceName: string): AclEntry => ({
  principal: principalOf(role),
  host: '*',
  operation,
  permissionType: AclPermissionTypes.ALLOW,
  resourceType,
  resourceName,
  resourcePatternType: ResourcePatternTypes.LITERAL,
});

const isSame = (a: AclEntry, b: AclEntry): boolean => (Object.keys(a) as (keyof AclEntry)[]).every((name) => a[name] === b[name]);
