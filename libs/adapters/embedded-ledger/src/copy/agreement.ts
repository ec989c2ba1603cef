import type { BlockAttestation, CompactJws, OrgId } from '@portolan/contracts';
import type { ExecutedBlock, StoredAttestation } from '@portolan/domain';
import { decodeJws } from '@portolan/verify';
import { agreeingDigest, attestationText } from './attestation.js';
import { factsOf, type LedgerCopy } from './ledger-copy.js';
import { Records } from './records.js';

/** An organisation whose copy came to something else, and the first block where it did. */
export interface Divergence {
  readonly org: OrgId;
  readonly block: number;
  /** What differs, the most telling first: another block under the number, other outcomes, or another state. */
  readonly differs: 'header' | 'results' | 'state';
}

type Said = Pick<BlockAttestation, 'headerHash' | 'resultsHash' | 'stateHash'>;

/**
 * Attestations by which countries agree with our own copy, once they are two thirds of the countries that the channel
 * has admitted (as the trust file pins them; one that left still counts); undefined before. Kept attestations were verified when they came.
 */
export async function proofOf(block: ExecutedBlock, copy: LedgerCopy): Promise<readonly CompactJws[] | undefined> {
  const admitted = await new Records(copy.store, copy.tools.sha256).admitted();
  const countries = admitted.filter(({ kind }) => kind === 'country').map(({ org }) => org);
  const kept = await copy.store.attestations(block.number, block.number);
  const facts = factsOf(block, copy.tools);
  const agreeing = countries.flatMap((org) => {
    const digest = agreeingDigest(org, copy.genesis.channel, facts, copy.tools);
    const found = kept.find((one) => one.org === org && one.digest === digest);
    return found === undefined ? [] : [found.jws];
  });
  return agreeing.length > 0 && agreeing.length * 3 >= countries.length * 2 ? agreeing : undefined;
}

/**
 * Names each organisation that stands apart, with the first block where it does: from what more than half of the signed
 * statements on that block say (ours among them; so an altered copy names itself), or, without such a majority, from ours.
 */
export async function divergencesOn(copy: LedgerCopy, own: OrgId): Promise<readonly Divergence[]> {
  const found = new Map<OrgId, Divergence>();
  const pageSize = 100;
  for (let from = 0; ; from += pageSize) {
    const blocks = await copy.store.blocks(from, pageSize);
    if (blocks.length === 0) return [...found.values()];
    const kept = await copy.store.attestations(from, from + pageSize - 1);
    for (const block of blocks) {
      const here = kept.filter((one) => one.block === block.number);
      for (const divergence of apart(block, here, copy, own)) {
        if (!found.has(divergence.org)) found.set(divergence.org, divergence);
      }
    }
  }
}

function apart(block: ExecutedBlock, kept: readonly StoredAttestation[], copy: LedgerCopy, own: OrgId): Divergence[] {
  const ours = JSON.parse(attestationText(own, copy.genesis.channel, factsOf(block, copy.tools))) as BlockAttestation;
  const others = kept.map(({ jws }) => JSON.parse(decodeJws(jws).payload) as BlockAttestation);
  // What we attested before our copy was altered is no second voice: our copy as it stands is what we say.
  const said = [ours, ...others.filter(({ org }) => org !== own)];
  const right = majority(said) ?? ours;
  return said.flatMap((one) => {
    const differs = difference(one, right);
    return differs === undefined ? [] : [{ org: one.org, block: block.number, differs }];
  });
}

function majority(said: readonly Said[]): Said | undefined {
  return said.find((one) => said.filter((other) => difference(one, other) === undefined).length * 2 > said.length);
}

function difference(one: Said, other: Said): Divergence['differs'] | undefined {
  if (one.headerHash !== other.headerHash) return 'header';
  if (one.resultsHash !== other.resultsHash) return 'results';
  return one.stateHash === other.stateHash ? undefined : 'state';
}
