import type { CountryCode, Validators } from '@portolan/contracts';
import type { AccessTokens, ProfessionalAssertions } from '../access/index.js';
import type { ChannelReader } from '../channel/channel.port.js';
import type { CountrySetting } from '../country/country-setting.js';
import type { Clock, Random, Sha256 } from '../kernel/machine.port.js';
import type { RecordSource } from '../release/record-source.port.js';
import type { Sealer, Signer } from '../seal/seal.port.js';
import type { RecordReader } from '../store/edge-tx.port.js';
import type { ExchangeTx, ExchangeTransfer } from '../store/exchange-tx.port.js';
import type { UnitOfWork } from '../store/role-tx.port.js';
import type { TransferState } from './transfer.states.js';

/** Everything the exchange's rows may ask. */
export interface ExchangePorts {
  readonly country: CountrySetting;
  /** Countries whose inbox we can reach. */
  readonly partners: readonly CountryCode[];
  readonly clock: Clock;
  readonly random: Random;
  readonly sha256: Sha256;
  readonly validators: Validators;
  readonly sealer: Sealer;
  readonly signer: Signer;
  readonly channel: ChannelReader;
  /** Who the person is: identity index of our own node. */
  readonly people: RecordReader;
  /** The records: our own store, or a hospital's service asked now. */
  readonly records: RecordSource;
  readonly tokens: AccessTokens;
  readonly professionals: ProfessionalAssertions;
  readonly uow: UnitOfWork<ExchangeTx>;
}

export type Transfer = ExchangeTransfer<TransferState>;
