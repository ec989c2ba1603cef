import type { Instant, TrustFile } from '@portolan/contracts';
import type { Write } from '../rule.js';
import { names, recordWrites } from '../state.js';

/**
 * State that a channel starts with: the participants and keys that everybody pinned before the first block, as if each
 * had registered its own. Deterministic, so that every copy starts alike.
 */
export function genesisWrites(trust: TrustFile, at: Instant): Write[] {
  return trust.participants.flatMap(({ org, kind, keys }) => [
    ...recordWrites(names.participant(org), { v: 1, org, kind }, at),
    ...keys.flatMap(({ kid, use, jwk, notBefore, notAfter }) =>
      recordWrites(names.key(org, kid), { v: 1, org, kid, use, jwk, notBefore, notAfter }, at),
    ),
  ]);
}
