import type { CountryCode, Kid } from '@portolan/contracts';

/** One message on its way between two countries: an envelope's part with its wire header, as exact bytes. */
export interface PartnerMessage {
  /** Unique and person-free: the receiver deduplicates by it. */
  readonly id: string;
  /** Person-free transfer id: the order of one transfer's parts is kept by it. */
  readonly key: string;
  readonly body: Uint8Array;
}

/** Writes into a partner's inbox. Resolves only when the partner holds the message durably. */
export abstract class PartnerLink {
  /** Throws `exchange.partner-unreachable` (retriable), `exchange.partner-refused` (the partner's door said no). */
  abstract send(to: CountryCode, message: PartnerMessage): Promise<void>;
  abstract close(): Promise<void>;
}

/** Whether a partner's TLS key is registered and live on our own copy of the channel; asked at each connection. */
export type PartnerKeyIsLive = (country: CountryCode, kid: Kid) => Promise<boolean>;

/**
 * The inbox a country hosts: mutual TLS, only client certificates that its own CA issued, one partner a certificate
 * (`CN=<cc>-<kid>`). `accept` stores the message in the caller's database, idempotent by id, before the partner hears "stored".
 */
export abstract class InboxListener {
  abstract listen(
    accept: (from: CountryCode, message: PartnerMessage) => Promise<void>,
    isLive: PartnerKeyIsLive,
  ): Promise<{ host: string; port: number }>;
  /** Destroys open connections of a key that was revoked. */
  abstract drop(country: CountryCode, kid: Kid): void;
  abstract close(): Promise<void>;
}
