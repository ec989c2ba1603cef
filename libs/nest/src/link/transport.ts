import { ClientProxyFactory, Transport, type ClientProxy, type CustomStrategy, type MicroserviceOptions } from '@nestjs/microservices';
import type { NodeConfig } from '@portolan/contracts';
import { roles, type Role } from '@portolan/domain';
import { QuietLog, type KafkaClientConfig, type KafkaLog } from '@portolan/kafka';
import { readTlsIdentity, type CountryFolders } from '@portolan/keys';
import { InProcessClient, InProcessHub, InProcessServer } from './in-process.js';
import { KafkaRoleEvents, RoleEventsServer } from './role-events.js';
import { RoleLink } from './role-link.js';

const ASK_TIMEOUT_MS = 20_000;

/** How the roles of one node reach each other: which server a role is, and by which clients it asks the others. */
export interface RoleTransport {
  server(role: Role): Promise<MicroserviceOptions>;
  link(role: Role): Promise<RoleLink>;
  /** The server of events to a role, where they come by brokers. */
  events(role: Role): Promise<CustomStrategy | undefined>;
}

/** All roles in one process. */
export function togetherTransport(): RoleTransport {
  const hub = new InProcessHub();
  const clients = (us: Role): ReadonlyMap<Role, ClientProxy> => new Map(roles.map((role) => [role, new InProcessClient(hub, us, role)]));
  return {
    server: async (role) => ({ strategy: new InProcessServer(hub, role) }),
    link: async (role) => new RoleLink(clients(role), ASK_TIMEOUT_MS),
    events: async () => undefined,
  };
}

/** A process a role: Nest's TCP with mutual TLS under the node's internal authority; certificates name their role. */
export function tcpTransport(config: NodeConfig, folders: CountryFolders, logOf: (role: Role) => KafkaLog): RoleTransport {
  const { transport } = config;
  if (transport.kind !== 'tcp') throw new TypeError('the transport of roles apart is tcp');
  const tls = async (role: Role): Promise<{ key: string; cert: string; ca: string }> => {
    const { privateKeyPem: key, certificatePem: cert, authorityPem: ca } = await readTlsIdentity(folders.internal(role));
    return { key, cert, ca };
  };
  const eventsOf = async (role: Role): Promise<KafkaClientConfig | undefined> => {
    if (transport.events?.kind !== 'kafka') return undefined;
    const { brokers } = transport.events;
    const clientId = `portolan-${config.country}-${role}`;
    return {
      clientId,
      brokers,
      identity: await readTlsIdentity(folders.internal(role)),
      log: new QuietLog(logOf(role)),
      code: 'link.unreachable',
    };
  };
  return {
    async server(role) {
      const tlsOptions = { ...(await tls(role)), requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' as const };
      return { transport: Transport.TCP, options: { host: transport.host, port: transport[role], tlsOptions } };
    },
    async link(us) {
      const identity = await tls(us);
      const client = (role: Role): ClientProxy =>
        ClientProxyFactory.create({
          transport: Transport.TCP,
          options: { host: transport.host, port: transport[role], tlsOptions: { ...identity, servername: role, minVersion: 'TLSv1.3' } },
        });
      const clients = new Map(roles.filter((role) => role !== us).map((role) => [role, client(role)]));
      const brokers = await eventsOf(us);
      return new RoleLink(clients, ASK_TIMEOUT_MS, brokers === undefined ? undefined : new KafkaRoleEvents(us, brokers));
    },
    async events(role) {
      const brokers = await eventsOf(role);
      return brokers === undefined ? undefined : { strategy: new RoleEventsServer(role, brokers) };
    },
  };
}
