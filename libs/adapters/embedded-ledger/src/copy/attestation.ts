import {
  canonicalJson,
  PortolanError,
  type BlockAttestation,
  type CompactJws,
  type OrgId,
  type Sha256 as Sha256Hex,
} from '@portolan/contracts';
import type { StoredAttestation } from '@portolan/domain';
import { decodeJws, payloadOf, sha256Hex, verifyJws, type DecodedJws } from '@portolan/verify';
import type { ChainTools } from '../chain/tools.js';
import type { BlockFacts, LedgerCopy } from './ledger-copy.js';
import { Records } from './records.js';

/** The text by which `org` says that executing this block gave this. */
export function attestationText(org: OrgId, channel: string, { time: _, ...facts }: BlockFacts): string {
  return canonicalJson({ v: 1, channel, org, ...facts } satisfies BlockAttestation);
}

/** Digest under which the attestation stands by which `org` agrees with our own copy. */
export function agreeingDigest(org: OrgId, channel: string, facts: BlockFacts, { sha256 }: ChainTools): Sha256Hex {
  return sha256Hex(attestationText(org, channel, facts), sha256);
}

export interface OpenedAttestation {
  readonly stored: StoredAttestation;
  readonly statement: BlockAttestation;
  readonly kid: string;
}

/** Takes an attestation apart, unverified; `orderer.attestation-invalid` where it is not one of this channel. */
export function openAttestation(jws: CompactJws, channel: string, { validators, sha256 }: ChainTools): OpenedAttestation {
  const decoded = decoding(jws);
  const statement = payloadOf(decoded, 'block-attestation', validators);
  if (statement.channel !== channel) throw invalid('channel');
  const stored = { block: statement.number, org: statement.org, digest: sha256Hex(decoded.payload, sha256), jws };
  return { stored, statement, kid: decoded.header.kid };
}

/**
 * Verifies that a ledger key of its organisation signed it, registered and not ended at the time of the block it speaks of.
 * A key that ended later does not undo it. `orderer.attestation-invalid` otherwise. The block must stand on the copy.
 */
export async function verifyAttestation({ stored, kid }: OpenedAttestation, copy: LedgerCopy): Promise<void> {
  const facts = await copy.facts(stored.block);
  if (facts === undefined) throw invalid(`block ${stored.block}`);
  const { time } = facts;
  const key = await new Records(copy.store, copy.tools.sha256).key(stored.org, kid);
  if (key?.record.use !== 'ledger') throw invalid('key');
  const { notBefore, notAfter, jwk } = key.record;
  if (time < notBefore || time >= notAfter || (key.ended !== undefined && key.ended <= time)) throw invalid('key validity');
  await verifyJws(stored.jws, jwk, copy.tools.subtle, 'attestation').catch((error: unknown) => {
    throw invalid('signature', error);
  });
}

function decoding(jws: CompactJws): DecodedJws {
  try {
    return decodeJws(jws);
  } catch (error) {
    throw invalid('form', error);
  }
}

const invalid = (where: string, cause?: unknown): PortolanError =>
  new PortolanError('orderer.attestation-invalid', `attestation ${where}`, undefined, { cause });
