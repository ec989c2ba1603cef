import {
  parseBounded,
  PortolanError,
  type EmbeddedTrust,
  type LedgerGenesis,
  type Sha256 as Sha256Hex,
  type TrustedParticipant,
} from '@portolan/contracts';
import { clockSkew } from '@portolan/ledger-rules';
import { sha256Hex, thumbprint } from '@portolan/verify';
import type { ChainTools } from './tools.js';

/** How a channel begins, pinned by its exact text. */
export interface Genesis extends LedgerGenesis {
  readonly text: string;
  /** SHA-256 of the text: what block 0 names as its predecessor. */
  readonly hash: Sha256Hex;
  /** How far a transaction's time may be from its block's. */
  readonly clockWindowMs: number;
}

const maxChars = 16_000_000;

/** Reads a genesis document; `config.invalid` where it does not fit its contract or a kid is not its key's thumbprint. */
export function readGenesis(text: string, tools: ChainTools): Genesis {
  const where = 'ledger genesis';
  const document = tools.validators.check<LedgerGenesis>(
    'ledger-genesis',
    parseBounded(text, maxChars, 'orderer.genesis-mismatch', where),
    'orderer.genesis-mismatch',
    where,
  );
  for (const organisation of document.organisations) {
    if (!namedByThumbprint(organisation, tools)) throw new PortolanError('ledger.key-mismatch', `${where} ${organisation.org}`);
  }
  const { clockWindowSeconds } = document;
  const clockWindowMs = clockWindowSeconds === undefined ? clockSkew : clockWindowSeconds * 1000;
  return { ...document, text, hash: sha256Hex(text, tools.sha256), clockWindowMs };
}

/** Whether every key of a participant bears its RFC 7638 thumbprint. */
export function namedByThumbprint({ keys }: TrustedParticipant, { sha256 }: ChainTools): boolean {
  return keys.every(({ kid, jwk }) => kid === thumbprint(jwk, sha256));
}

/** The trust file's frame of a channel around some participants: two thirds of the countries prove a block. */
export function trustIn(genesis: Genesis, participants: readonly TrustedParticipant[], { sha256 }: ChainTools): EmbeddedTrust {
  const { org, jwk } = genesis.orderer;
  return {
    v: 1,
    ledger: 'embedded',
    channel: genesis.channel,
    threshold: { numerator: 2, denominator: 3 },
    orderer: { org, kid: thumbprint(jwk, sha256), jwk },
    participants: [...participants],
  };
}
