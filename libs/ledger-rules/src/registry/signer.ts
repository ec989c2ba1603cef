import type { Instant, KeyRecord, OrgId, PublicJwk } from '@portolan/contracts';
import { recordsOf } from '../records.js';
import { refusal, type Caller, type Refusal, type Scene, type StateKey } from '../rule.js';
import { keysOf, names, type RecordName } from '../state.js';
import { partRecords, takesPart } from './participants.js';

/** Who claims to have signed a transaction. */
export interface Claim extends Caller {
  readonly kid: string;
  readonly time: Instant;
}

/** What a host reads before it verifies a transaction's signature. */
export function signerReads(org: OrgId, kid: string): StateKey[] {
  return signerRecords(org, kid).flatMap(keysOf);
}

/**
 * The key under which a transaction must verify: registered by that organisation for that role (`ledger` for the notary,
 * `governance` for registry acts), valid at the transaction's time and not ended. An end bites from its commit on, whatever
 * time the transaction claims.
 */
export function signerOf(claim: Claim, scene: Pick<Scene, 'values' | 'sha256'>): { readonly ok: true; readonly jwk: PublicJwk } | Refusal {
  const look = recordsOf(scene.values, scene.sha256);
  const wrong = look.forged(signerRecords(claim.org, claim.kid), 'signer');
  if (wrong !== undefined) return wrong;
  if (!takesPart(claim.org, look)) return refusal('ledger.participant-unknown', 'signer');
  const key = look.entry<KeyRecord>(names.key(claim.org, claim.kid))?.record;
  const use = claim.role === 'notary' ? 'ledger' : 'governance';
  if (key?.use !== use) return refusal('ledger.key-unknown', 'signer');
  const live = key.notBefore <= claim.time && claim.time < key.notAfter && !look.has(names.keyEnd(claim.org, claim.kid));
  return live ? { ok: true, jwk: key.jwk } : refusal('ledger.key-not-valid', 'signer');
}

const signerRecords = (org: OrgId, kid: string): RecordName[] => [...partRecords(org), names.key(org, kid), names.keyEnd(org, kid)];
