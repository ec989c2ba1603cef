import type { Actor, CommittedPredecessor, CompactJws, ExchangeRequest, Instant, Uuid } from '@portolan/contracts';
import type { Late, LateRelease } from '../emergency/late-step.js';
import type { AskCommand } from '../messages/role-messages.js';
import type { TraceCarrier } from '../telemetry/index.js';
import type { ManifestEntry } from '../release/release.js';
import type { Transfer } from './exchange.ports.js';

/** The trace that runs through both countries of a transfer. */
interface Traced {
  readonly trace?: TraceCarrier;
}

/** What a transfer's row gathers on the custodian's side; JSON, encrypted at rest. Each member is written once by the row named. */
export interface CustodianData extends Traced {
  /** `receive`: the request as it came: part leaf hashes and the sealed parts. */
  readonly request?: SealedParts;
  readonly receivedAt?: string;
  /** `permit` */
  readonly asked?: ExchangeRequest;
  readonly opening?: string;
  readonly grant?: { categories: readonly string[]; since?: string; ground: string };
  /** `permit`: the emergency in which it was granted while the channel could not be reached. */
  readonly late?: { readonly id: Uuid; readonly declared: Instant };
  /** `release`: exact text of the signed content, and what it holds. */
  readonly content?: string;
  readonly salt?: string;
  readonly manifest?: readonly ManifestEntry[];
  /** `seal` */
  readonly sealed?: SealedParts;
  readonly leaf?: string;
  /** `seal`, of a late release: our signed word for the leaf, which goes with the record instead of its place on the channel. */
  readonly lateStep?: CompactJws;
  /** `anchor` (signal): where `released` stands. */
  readonly released?: CommittedPredecessor;
  /** counter-receipt (signal): sealed parts, then the compact JWS */
  readonly receipt?: SealedParts;
  readonly counterReceipt?: string;
  readonly outcome?: 'received' | 'refused';
}

/** What it gathers on the asker's side. */
export interface AskerData extends Traced {
  /** `ask`: the edge's command. */
  readonly command?: AskCommand;
  readonly asked?: ExchangeRequest;
  readonly actor?: Actor;
  /** record (signal): the sealed parts and where `released` stands, as the sender says; or its verified word for a late one. */
  readonly arrived?: SealedParts;
  readonly released?: CommittedPredecessor;
  readonly lateRelease?: LateRelease;
  /** `open` */
  readonly opening?: string;
  /** `open`: when and in which emergency it was opened on the sender's word alone. */
  readonly openedLate?: Late;
  readonly refusal?: string;
  /** `receipt` */
  readonly counterReceipt?: string;
  /** Each adoption under its id (adoptionKey): the opening of its commitment, and where its step stands. */
  readonly [adoption: `adoption.${string}`]: AdoptionData | undefined;
}

/** An item of a view that was taken over: canonical JSON text of salt and items, and its step as anchored or the code it was refused for. */
export interface AdoptionData {
  readonly opening: string;
  readonly stands?: CommittedPredecessor;
  readonly code?: string;
}

/** Member of the asker's data that one adoption has to itself: members are merged, so none overwrites another. */
export const adoptionKey = (id: Uuid): `adoption.${string}` => `adoption.${id}`;

/** Sealed parts of one envelope in order: RFC 6962 leaf hashes (hex) and compact JWEs. */
export interface SealedParts {
  readonly hashes: readonly string[];
  readonly parts: readonly string[];
}

export const custodianData = (transfer: Transfer): CustodianData => transfer.data;
export const askerData = (transfer: Transfer): AskerData => transfer.data as AskerData;

/** Marks an audited act of a late transfer. */
export const lateMark = ({ late }: CustodianData): { late?: Uuid } => (late === undefined ? {} : { late: late.id });

/** A member that an earlier row must have written; its absence is a fault of ours, never of what came in. */
export function needed<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new TypeError(`the transfer's row lacks ${name}`);
  return value;
}
