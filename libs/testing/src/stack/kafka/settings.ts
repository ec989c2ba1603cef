import { join } from 'node:path';
import type { KafkaEngine } from './engine.js';

/** Ports on loopback. Partners reach `partners` alone. */
export interface BrokerPorts {
  readonly partners: number;
  readonly country: number;
  readonly controller: number;
}

export const HOST = '127.0.0.1';
export const PARTNERS = 'PARTNERS';
export const COUNTRY = 'COUNTRY';
const CONTROLLER = 'CONTROLLER';
/** A sealed part is at most 2 MB, with its wire header at most 3 MB; the rest is Kafka's framing. */
const MESSAGE_MAX_BYTES = 3_200_000;

/** Where a broker's files lie in its folder. */
export const brokerFiles = (folder: string) =>
  ({
    properties: join(folder, 'server.properties'),
    logging: join(folder, 'log4j2.properties'),
    log: join(folder, 'broker.log'),
    data: join(folder, 'data'),
    note: join(folder, 'broker.json'),
    partners: { keystore: join(folder, 'partners.keystore.pem'), trust: join(folder, 'partners.trust.pem') },
    country: { keystore: join(folder, 'country.keystore.pem'), trust: join(folder, 'country.trust.pem') },
  }) as const;

/**
 * One broker with its controller (KRaft). Kafka's principal is the subject of a certificate and never its issuer, so each listener
 * trusts one authority and has names of its own: `User:CN=<cc>-<kid>` of partners, `User:country.<role>` of the country's own. Any other
 * name is turned away at the door. `advertised`: the port at which partners are told to knock, where something stands before the door.
 */
export function serverProperties(folder: string, ports: BrokerPorts, advertised: number = ports.partners): string {
  const files = brokerFiles(folder);
  const listener = (name: string, port: number): string => `${name}://${HOST}:${port}`;
  const partnerNames = 'RULE:^CN=([A-Z]{2}-[A-Za-z0-9_-]{43})$/CN=$1/';
  const ownNames = 'RULE:^CN=([a-z]+) [A-Z]{2}$/country.$1/';
  const lines: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${HOST}:${ports.controller}`,
    listeners: [listener(PARTNERS, ports.partners), listener(COUNTRY, ports.country), listener(CONTROLLER, ports.controller)].join(','),
    'advertised.listeners': [listener(PARTNERS, advertised), listener(COUNTRY, ports.country)].join(','),
    'listener.security.protocol.map': [PARTNERS, COUNTRY, CONTROLLER].map((name) => `${name}:SSL`).join(','),
    'inter.broker.listener.name': COUNTRY,
    'controller.listener.names': CONTROLLER,
    ...tlsOf(PARTNERS, files.partners, partnerNames),
    ...tlsOf(COUNTRY, files.country, ownNames),
    ...tlsOf(CONTROLLER, files.country, ownNames),
    'ssl.enabled.protocols': 'TLSv1.3',
    'ssl.protocol': 'TLSv1.3',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': false,
    'super.users': 'User:country.broker;User:country.exchange',
    'auto.create.topics.enable': false,
    'log.dirs': files.data,
    ...bounds,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** What one broker may take of a small machine, and what anybody may take of the broker. */
const bounds = {
  'num.network.threads': 2,
  'num.io.threads': 4,
  'background.threads': 2,
  'num.recovery.threads.per.data.dir': 1,
  'offsets.topic.num.partitions': 4,
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.num.partitions': 2,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 2_000,
  // With a heap under 256 MB the cleaner's own default does not fit, and the broker dies of it.
  'log.cleaner.dedupe.buffer.size': 16_777_216,
  'message.max.bytes': MESSAGE_MAX_BYTES,
  'replica.fetch.max.bytes': MESSAGE_MAX_BYTES,
  'socket.request.max.bytes': 16_777_216,
  'queued.max.request.bytes': 33_554_432,
  'queued.max.requests': 200,
  'connections.max.idle.ms': 300_000,
  'max.connections': 2_000,
  'listener.name.partners.max.connections': 1_000,
  'listener.name.partners.max.connection.creation.rate': 200,
  // A broker that was killed is let in again only when its earlier self has been silent for so long; Kafka's own default is 9 s.
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500,
};

function tlsOf(name: string, files: { keystore: string; trust: string }, names: string): Record<string, string> {
  const settings = {
    'keystore.type': 'PEM',
    'keystore.location': files.keystore,
    'truststore.type': 'PEM',
    'truststore.location': files.trust,
    'client.auth': 'required',
    'principal.mapping.rules': names,
    'endpoint.identification.algorithm': 'https',
  };
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`listener.name.${name.toLowerCase()}.ssl.${key}`, value]));
}

/** Without a configuration of its own log4j writes errors alone, and the line that says "started" never shows. */
export const loggingProperties = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
`;

/** Arguments of `java`, less the main class: a small heap, the collector and the compiler that start quickest. */
export function javaArguments(engine: KafkaEngine, jars: readonly string[], logging: string, archive: readonly string[]): string[] {
  const classPath = [...jars].sort().map((name) => join(engine.jars, name));
  const memory = ['-Xmx160m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  return [...memory, ...archive, `-Dlog4j2.configurationFile=${logging}`, '-cp', classPath.join(process.platform === 'win32' ? ';' : ':')];
}
