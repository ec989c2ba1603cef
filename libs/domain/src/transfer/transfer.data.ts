import type { Actor, CommittedPredecessor, ExchangeRequest } from '@portolan/contracts';
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
  /** `release`: exact text of the signed content, and what it holds. */
  readonly content?: string;
  readonly salt?: string;
  readonly manifest?: readonly ManifestEntry[];
  /** `seal` */
  readonly sealed?: SealedParts;
  readonly leaf?: string;
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
  /** record (signal): the sealed parts and where `released` stands, as the sender says. */
  readonly arrived?: SealedParts;
  readonly released?: CommittedPredecessor;
  /** `open` */
  readonly opening?: string;
  readonly refusal?: string;
  /** `receipt` */
  readonly counterReceipt?: string;
}

/** Sealed parts of one envelope in order: RFC 6962 leaf hashes (hex) and compact JWEs. */
export interface SealedParts {
  readonly hashes: readonly string[];
  readonly parts: readonly string[];
}

export const custodianData = (transfer: Transfer): CustodianData => transfer.data;
export const askerData = (transfer: Transfer): AskerData => transfer.data;

/** A member that an earlier row must have written; its absence is a fault of ours, never of what came in. */
export function needed<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new TypeError(`the transfer's row lacks ${name}`);
  return value;
}
