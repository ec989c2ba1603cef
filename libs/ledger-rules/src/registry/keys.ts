import type { KeyEndRecord, KeyRecord } from '@portolan/contracts';
import { thumbprint } from '@portolan/verify';
import { day, isInstant, plus } from '../instants.js';
import { recordRule, type Look } from '../record-rule.js';
import { refusal, type Refusal } from '../rule.js';
import { names } from '../state.js';
import { partRecords, takesPart } from './participants.js';

/** Longest validity of a registered key or CA. */
export const keyTerm = 3653 * day;

export const putKey = recordRule<KeyRecord>({
  name: 'put-key',
  schema: 'key-record',
  role: 'governance',
  owner: ({ org }) => org,
  target: ({ org, kid }) => names.key(org, kid),
  restsOn: ({ org }) => partRecords(org),
  check: keyMistake,
});

export const endKey = recordRule<KeyEndRecord>({
  name: 'end-key',
  schema: 'key-end-record',
  role: 'governance',
  owner: ({ org }) => org,
  target: ({ org, kid }) => names.keyEnd(org, kid),
  restsOn: ({ org, kid }) => [names.key(org, kid)],
  check: ({ org, kid }, look) => (look.has(names.key(org, kid)) ? undefined : refusal('ledger.record-unknown', 'end-key kid')),
});

function keyMistake(key: KeyRecord, look: Look): Refusal | undefined {
  if (!takesPart(key.org, look)) return refusal('ledger.participant-unknown', 'put-key org');
  if (!isInstant(key.notBefore) || !isInstant(key.notAfter)) return refusal('ledger.args-invalid', 'put-key validity');
  const empty = key.notAfter <= key.notBefore || key.notAfter <= look.time;
  if (empty || key.notAfter > plus(key.notBefore, keyTerm)) return refusal('ledger.key-term', 'put-key validity');
  // A CA's certificate is not parsed here; its brokers and partners do that with a real X.509 library.
  if (key.use !== 'ca' && key.kid !== thumbprint(key.jwk, look.sha256)) return refusal('ledger.key-mismatch', 'put-key kid');
  return undefined;
}
