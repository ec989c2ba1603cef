import type { CountryCode, NodeConfig } from '@portolan/contracts';
import type { CountryMaterial, SystemClock, SystemRandom } from '@portolan/keys';
import type { DatabaseAddress, PasswordOf } from '@portolan/postgres';
import type { X509Authorities } from '@portolan/x509';
import type { ProvisionedOrderer, WorldPlan } from './provision-world.js';

/** The cluster in which an organisation's databases lie. */
export interface WorldDatabase {
  readonly admin: DatabaseAddress;
  readonly passwordOf: PasswordOf;
}

export interface Tools {
  readonly clock: SystemClock;
  readonly random: SystemRandom;
  readonly authorities: X509Authorities;
}

/** What a world is before its engines know of it: each country has its keys, and let the others in. */
export interface Foundation extends Tools {
  readonly plan: WorldPlan;
  readonly materials: readonly CountryMaterial[];
  /** Ports of a country's doors, and of the orderer of the embedded ledger. */
  readonly ports: { readonly orderer: number; readonly inboxOf: (country: CountryCode) => number };
}

/** Where a country's engines are, as its configuration names them. */
export interface ColumnDoors {
  ledgerOf(country: CountryCode): NodeConfig['ledger'];
  inboxOf(country: CountryCode): NodeConfig['inbox'];
  /** The same inbox as its partners reach it. */
  wayTo(country: CountryCode): NodeConfig['partners'][number]['inbox'];
  /** Brokers within the country, for events between roles that run apart; none where absent. */
  eventsOf?(country: CountryCode): Extract<NodeConfig['transport'], { kind: 'tcp' }>['events'];
  /** The embedded ledger's alone. */
  readonly orderer?: ProvisionedOrderer;
}

/** One column of engines under a world (ARCHITECTURE.md, embedded and real): the same countries, provisioned alike, run on either. */
export interface Column {
  readonly kind: 'embedded' | 'real';
  database(owner: string): WorldDatabase;
  /** Founds the channel and readies the inboxes, as far as that is not done. */
  open(foundation: Foundation): Promise<ColumnDoors>;
  /** Ends what it started, and nothing that it was told to leave running. */
  close(): Promise<void>;
}
