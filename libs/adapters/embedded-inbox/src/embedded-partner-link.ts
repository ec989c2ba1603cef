import { PortolanError, type CountryCode } from '@portolan/contracts';
import { isMessageName, MESSAGE_MAX_BYTES, PartnerLink, type PartnerMessage } from '@portolan/domain';
import { PartnerConnection, type LinkLimits, type PartnerEndpoint } from './partner-connection.js';

export interface EmbeddedPartnerLinkConfig {
  /** Where a partner's inbox is, and how we show ourselves there; undefined where there is no such partner. Asked at each message. */
  readonly partners: (country: CountryCode) => PartnerEndpoint | undefined | Promise<PartnerEndpoint | undefined>;
  readonly limits?: Partial<LinkLimits>;
}

const DEFAULTS: LinkLimits = { maxConnections: 4, maxWaiting: 2_000, messageMs: 30_000, backoffFirstMs: 100, backoffMostMs: 5_000 };

/**
 * Writes into partners' embedded inboxes. Messages of one key are sent in the order they were given; those of several keys go side by
 * side over a few kept connections. After a failure to connect the partner is left alone for a moment, and sends fail at once.
 */
export class EmbeddedPartnerLink extends PartnerLink {
  private readonly connections = new Map<CountryCode, PartnerConnection>();
  private readonly limits: LinkLimits;

  constructor(private readonly config: EmbeddedPartnerLinkConfig) {
    super();
    this.limits = { ...DEFAULTS, ...config.limits };
  }

  async send(to: CountryCode, message: PartnerMessage): Promise<void> {
    if (!isMessageName(message.id) || !isMessageName(message.key)) throw new PortolanError('exchange.message-malformed', `link to ${to}`);
    if (message.body.length > MESSAGE_MAX_BYTES) throw new PortolanError('exchange.message-too-large', `message ${message.id}`);
    const endpoint = await this.config.partners(to);
    if (endpoint === undefined) throw new PortolanError('exchange.partner-unknown', to);
    return this.connection(to, endpoint).send(message);
  }

  async close(): Promise<void> {
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }

  /** The connection to this very endpoint: a partner that moved, or a certificate that was renewed, is met with a new one. */
  private connection(country: CountryCode, endpoint: PartnerEndpoint): PartnerConnection {
    const known = this.connections.get(country);
    if (known?.isTo(endpoint) === true) return known;
    known?.retire();
    const fresh = new PartnerConnection(country, endpoint, this.limits);
    this.connections.set(country, fresh);
    return fresh;
  }
}
