import type { CommittedPredecessor, CountryCode, Instant, Kid, PublicJwk, Uuid } from '@portolan/contracts';
import { ChannelReader, type EmergencyStanding, type Standing } from '@portolan/domain';
import type { RoleLink } from '../link/role-link.js';

/** The channel as the exchange sees it: questions to its own notary. Nothing is cached here: a revocation must bite within 2 s. */
export class RemoteChannel extends ChannelReader {
  constructor(
    private readonly link: RoleLink,
    private readonly name: string,
  ) {
    super();
  }

  channel(): string {
    return this.name;
  }

  senderKey(country: CountryCode, kid: Kid): Promise<PublicJwk | undefined> {
    return this.ask('senderKey', [country, kid]);
  }

  sealKey(country: CountryCode): Promise<{ kid: Kid; publicJwk: PublicJwk } | undefined> {
    return this.ask('sealKey', [country]);
  }

  tlsKeyLive(country: CountryCode, kid: Kid): Promise<boolean> {
    return this.ask('tlsKeyLive', [country, kid]);
  }

  tlsKeys(country: CountryCode): Promise<readonly Kid[]> {
    return this.ask('tlsKeys', [country]);
  }

  standing(step: CommittedPredecessor, recipient: CountryCode): Promise<Standing> {
    return this.ask('standing', [step, recipient]);
  }

  permitStanding(custodian: CountryCode, permitId: Uuid, recipient: CountryCode): Promise<Standing['permit']> {
    return this.ask('permitStanding', [custodian, permitId, recipient]);
  }

  permitCommitment(custodian: CountryCode, permitId: Uuid): Promise<string | undefined> {
    return this.ask('permitCommitment', [custodian, permitId]);
  }

  stepOf(transferId: Uuid, step: string, org: CountryCode): Promise<CommittedPredecessor | undefined> {
    return this.ask('stepOf', [transferId, step, org]);
  }

  expiresAfter(release: CommittedPredecessor): Promise<Instant | undefined> {
    return this.ask('expiresAfter', [release]);
  }

  suspended(partner: CountryCode): Promise<boolean> {
    return this.ask('suspended', [partner]);
  }

  emergency(id: Uuid, by: CountryCode, custodian: CountryCode, recipient: CountryCode): Promise<EmergencyStanding> {
    return this.ask('emergency', [id, by, custodian, recipient]);
  }

  reachable(): Promise<boolean> {
    return this.ask('reachable', []);
  }

  private ask<T>(question: ChannelQuestion, args: readonly unknown[]): Promise<T> {
    return this.link.query<T>('notary', 'channel', { question, args });
  }
}

/** The questions that the notary answers about the channel. */
export const channelQuestions = [
  'senderKey',
  'sealKey',
  'tlsKeyLive',
  'tlsKeys',
  'standing',
  'permitStanding',
  'permitCommitment',
  'stepOf',
  'expiresAfter',
  'suspended',
  'emergency',
  'reachable',
] as const;
export type ChannelQuestion = (typeof channelQuestions)[number];
