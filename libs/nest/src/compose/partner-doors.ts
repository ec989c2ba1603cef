import type { CountryCode, Door, NodeConfig, NodeKafkaInbox, PartnerKafkaInbox } from '@portolan/contracts';
import type { ChannelReader, InboxListener, PartnerLink } from '@portolan/domain';
import { EmbeddedInboxListener, EmbeddedPartnerLink } from '@portolan/embedded-inbox';
import { KafkaInboxListener, KafkaPartnerLink, type AdmittedPartner, type KafkaClients } from '@portolan/kafka';
import { findPartnerIdentity, readTlsIdentity, RefusedKeysFile, type CountryFolders, type FileKeyVault } from '@portolan/keys';
import { RoutedPartnerLink } from '../exchange/routed-partner-link.js';
import type { NodeLogger } from '../runtime/logger.js';
import type { PartnerList } from '../runtime/partner-list.js';

/** What the ways between countries are made of. */
export interface PartnerDoorParts {
  readonly config: Pick<NodeConfig, 'country' | 'inbox'>;
  readonly partners: Pick<PartnerList, 'all'>;
  readonly folders: CountryFolders;
  readonly logger: Pick<NodeLogger, 'failure' | 'info'>;
  /** What writes to brokers and reads ours; kafkajs where absent. */
  readonly kafkaClients?: KafkaClients | undefined;
}

/** The client that the configuration names, loaded then and not before; undefined for the default one. Throws `config.invalid`. */
export async function kafkaClientsOf({ kafkaClient }: Pick<NodeConfig, 'kafkaClient'>): Promise<KafkaClients | undefined> {
  if (kafkaClient === undefined) return undefined;
  return (await import('@portolan/kafka-confluent')).confluentClients(kafkaClient.package);
}

type Inbox = Door | NodeKafkaInbox | PartnerKafkaInbox;
const isKafka = (inbox: Inbox): inbox is NodeKafkaInbox | PartnerKafkaInbox => 'kind' in inbox;

/** The way to each partner, by what that partner hosts: its embedded door or its Kafka brokers. */
export function partnerLinkOf(parts: PartnerDoorParts, vault: FileKeyVault): PartnerLink {
  const { config, partners, folders, logger, kafkaClients: clients } = parts;
  const inboxOf = (country: CountryCode): Inbox | undefined => partners.all.find((one) => one.country === country)?.inbox;
  const identityOf = (country: CountryCode): ReturnType<typeof findPartnerIdentity> => findPartnerIdentity(folders.partner(country), vault);
  const embedded = new EmbeddedPartnerLink({
    async partners(country) {
      const [inbox, identity] = [inboxOf(country), await identityOf(country)];
      return inbox === undefined || isKafka(inbox) || identity === undefined ? undefined : { ...inbox, ...identity };
    },
  });
  const kafka = new KafkaPartnerLink({
    country: config.country,
    async partners(country) {
      const [inbox, identity] = [inboxOf(country), await identityOf(country)];
      return inbox === undefined || !isKafka(inbox) || identity === undefined ? undefined : { brokers: inbox.brokers, ...identity };
    },
    log: logger,
    ...(clients === undefined ? {} : { clients }),
  });
  return new RoutedPartnerLink(
    (country) => {
      const inbox = inboxOf(country);
      return inbox !== undefined && isKafka(inbox) ? kafka : embedded;
    },
    [embedded, kafka],
  );
}

/** The inbox that this country hosts. Kafka lets in the keys that stand registered on our own copy of the channel. */
export async function inboxOf(parts: PartnerDoorParts, channel: ChannelReader): Promise<InboxListener> {
  const { partners, folders, logger, kafkaClients: clients } = parts;
  const { inbox } = parts.config;
  // What our own authority revoked counts at once, also while the channel still calls the key live.
  const refused = new RefusedKeysFile(folders.inbox);
  if (!isKafka(inbox))
    return new EmbeddedInboxListener({
      ...inbox,
      ...(await readTlsIdentity(folders.inbox)),
      reread: () => readTlsIdentity(folders.inbox),
      isRefused: ({ country, kid, serial }) => refused.refuses({ org: country, kid, serial }),
      onTrouble: (error) => logger.failure('inbox: its new certificate cannot be used', 'keys.file-invalid', error),
    });
  return new KafkaInboxListener({
    brokers: inbox.brokers,
    identity: await readTlsIdentity(folders.internal('exchange')),
    partners: () => Promise.all(partners.all.map(({ country }) => admitted(country, channel, refused))),
    log: logger,
    ...(clients === undefined ? {} : { clients }),
  });
}

/** Kafka knows a client by its name, which is its key's: a key is refused as a whole, and a single certificate of it cannot be. */
async function admitted(country: CountryCode, channel: ChannelReader, refused: RefusedKeysFile): Promise<AdmittedPartner> {
  const kids = await channel.tlsKeys(country);
  const isRefused = await Promise.all(kids.map((kid) => refused.refuses({ org: country, kid })));
  return { country, kids: kids.filter((_, i) => isRefused[i] !== true) };
}
