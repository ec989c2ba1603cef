import type { AdmitOrganisationArgs, EmbeddedTrust, KeyRecord, Kid, OrgId, TrustedKey, TrustedParticipant } from '@portolan/contracts';
import type { CommittedTx } from '@portolan/domain';
import { trustIn } from '../chain/genesis.js';
import { admitFn } from '../copy/admission.js';
import type { LedgerCopy } from '../copy/ledger-copy.js';
import { Records } from '../copy/records.js';
import { committedBlock } from './committed.js';

/**
 * What a verifier pins, from our own copy as it stands: every organisation that the channel has admitted, every key it has
 * registered, and when a key ended. Ended keys stay, so that old receipts verify.
 */
export async function trustFileOf(copy: LedgerCopy): Promise<EmbeddedTrust> {
  const records = new Records(copy.store, copy.tools.sha256);
  const kids = await registeredKids(copy);
  const participants: TrustedParticipant[] = [];
  for (const { org, kind } of await records.admitted()) {
    const keys: TrustedKey[] = [];
    for (const kid of kids.get(org) ?? []) {
      const key = await records.key(org, kid);
      if (key !== undefined && key.record.use !== 'ca') keys.push(trusted(key.record, key.ended));
    }
    participants.push({ org, kind, keys });
  }
  return trustIn(copy.genesis, participants, copy.tools);
}

function trusted({ kid, use, jwk, notBefore, notAfter }: Exclude<KeyRecord, { use: 'ca' }>, ended: string | undefined): TrustedKey {
  return { kid, use, jwk, notBefore, notAfter, ...(ended === undefined ? {} : { ended }) };
}

/** Key ids by organisation, in the order they were registered: from the genesis, and from every valid registry act. */
async function registeredKids(copy: LedgerCopy): Promise<Map<OrgId, Set<Kid>>> {
  const kids = new Map<OrgId, Set<Kid>>();
  const note = (org: OrgId, kid: Kid): void => void kids.set(org, (kids.get(org) ?? new Set<Kid>()).add(kid));
  const noteAll = ({ org, keys }: TrustedParticipant): void => keys.forEach(({ kid }) => note(org, kid));
  copy.genesis.organisations.forEach(noteAll);
  const pageSize = 50;
  for (let from = 0; ; from += pageSize) {
    const blocks = await copy.store.blocks(from, pageSize);
    if (blocks.length === 0) return kids;
    for (const tx of blocks.flatMap((block) => committedBlock(block).transactions)) noteKeys(tx, note, noteAll);
  }
}

function noteKeys(tx: CommittedTx, note: (org: OrgId, kid: Kid) => void, noteAll: (organisation: TrustedParticipant) => void): void {
  if (!tx.valid) return;
  if (tx.fn === 'put-key') note(tx.org, (tx.args as KeyRecord).kid);
  if (tx.fn === admitFn) noteAll((tx.args as AdmitOrganisationArgs).organisation);
}
