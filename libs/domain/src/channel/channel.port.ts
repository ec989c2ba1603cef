import type { CommittedPredecessor, CountryCode, Instant, Kid, PublicJwk, Uuid } from '@portolan/contracts';

/** How a released step and its permit stand on our own copy of the channel, at this moment. */
export interface Standing {
  /** `not-visible`: our copy has not reached that batch yet; ask again. `mismatch`: the path does not lead to the batch's root. */
  readonly step: 'stands' | 'not-visible' | 'mismatch';
  readonly permit: 'live' | 'ended' | 'expired' | 'foreign' | 'unknown';
}

/** A declared emergency on our own copy. `over`: ended, past its limit, or between other countries. */
export type EmergencyStanding =
  { readonly is: 'stands'; readonly declared: Instant; readonly until: Instant } | { readonly is: 'over' | 'unknown' };

/**
 * What the exchange asks its own notary about the channel. Only ever answered from the country's own copy (design, invariant 1).
 * The edge has no such port: it cannot release.
 */
export abstract class ChannelReader {
  /** The registered, live `sign` key of a country; undefined where it is unknown, ended or out of its validity. */
  abstract senderKey(country: CountryCode, kid: Kid): Promise<PublicJwk | undefined>;
  /** The youngest registered live `seal` key of a country. */
  abstract sealKey(country: CountryCode): Promise<{ kid: Kid; publicJwk: PublicJwk } | undefined>;
  /** Whether a partner's `tls` key is registered and live. */
  abstract tlsKeyLive(country: CountryCode, kid: Kid): Promise<boolean>;
  /** The registered live `tls` keys of a country, the youngest first: two while it changes one for the other. */
  abstract tlsKeys(country: CountryCode): Promise<readonly Kid[]>;
  abstract standing(step: CommittedPredecessor, recipient: CountryCode): Promise<Standing>;
  /** How a permit stands on our own copy, whatever became of its step. */
  abstract permitStanding(custodian: CountryCode, permitId: Uuid, recipient: CountryCode): Promise<Standing['permit']>;
  /** Commitment of a permit as its custodian anchored it; undefined where no such permit stands. */
  abstract permitCommitment(custodian: CountryCode, permitId: Uuid): Promise<string | undefined>;
  /** Whether a step of a transfer by `org` stands accepted on our own copy, and where. Of releases and ends only the one that counts. */
  abstract stepOf(transferId: Uuid, step: string, org: CountryCode): Promise<CommittedPredecessor | undefined>;
  /** After which moment a release may expire, by the channel's clock; undefined where it does not stand on our own copy. */
  abstract expiresAfter(release: CommittedPredecessor): Promise<Instant | undefined>;
  /** Whether a suspension stops releases between us and this country: our own of ourselves or of it, its own of itself or of us. */
  abstract suspended(partner: CountryCode): Promise<boolean>;
  /** How an emergency stands that `by` declared between these two countries. */
  abstract emergency(id: Uuid, by: CountryCode, custodian: CountryCode, recipient: CountryCode): Promise<EmergencyStanding>;
  /** False once our notary has had no contact with the channel for some seconds. Only in a declared emergency does anything go on then. */
  abstract reachable(): Promise<boolean>;
  /** Name of the channel. */
  abstract channel(): string;
}
