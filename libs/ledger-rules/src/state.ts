import { canonicalJson, type Instant, type LedgerEntry, type OrgId } from '@portolan/contracts';
import { hexOf, textOf, utf8, type Sha256 } from '@portolan/verify';
import { keyText, type StateKey, type Values, type Write } from './rule.js';

/** What a key holds: a record, whose it is, and the time of the transaction that wrote it. */
export interface Entry<R> extends LedgerEntry {
  readonly record: LedgerEntry['record'] & R;
}

/** Where a record of a country lies. Owner and key together name it, so no country can take another's key. */
export interface RecordName {
  readonly owner: OrgId;
  readonly key: string;
}

/** Every record of the channel and its key; `again` beside suspension's standing is the only one not written once. */
export const names = {
  participant: (owner: OrgId): RecordName => ({ owner, key: 'participant' }),
  participantEnd: (owner: OrgId): RecordName => ({ owner, key: 'participant-end' }),
  key: (owner: OrgId, kid: string): RecordName => ({ owner, key: `key/${kid}` }),
  keyEnd: (owner: OrgId, kid: string): RecordName => ({ owner, key: `key-end/${kid}` }),
  policy: (owner: OrgId, hash: string): RecordName => ({ owner, key: `policy/${hash}` }),
  consent: (owner: OrgId, id: string): RecordName => ({ owner, key: `consent/${id}` }),
  permit: (owner: OrgId, id: string): RecordName => ({ owner, key: `permit/${id}` }),
  permitEnd: (owner: OrgId, id: string): RecordName => ({ owner, key: `permit-end/${id}` }),
  emergency: (owner: OrgId, id: string): RecordName => ({ owner, key: `emergency/${id}` }),
  emergencyEnd: (owner: OrgId, id: string): RecordName => ({ owner, key: `emergency-end/${id}` }),
  emergencyReview: (owner: OrgId, id: string): RecordName => ({ owner, key: `emergency-review/${id}` }),
  misuseCase: (owner: OrgId, id: string): RecordName => ({ owner, key: `misuse-case/${id}` }),
  suspension: (owner: OrgId, id: string): RecordName => ({ owner, key: `suspension/${id}` }),
  suspensionEnd: (owner: OrgId, id: string): RecordName => ({ owner, key: `suspension-end/${id}` }),
  /** Which suspension of `org` by `owner` stands; rewritten, since a release must find it without knowing its id. */
  standing: (owner: OrgId, org: OrgId): RecordName => ({ owner, key: `standing/${org}` }),
  batch: (owner: OrgId, n: number): RecordName => ({ owner, key: `batch/${n}` }),
  head: (owner: OrgId, seq: number): RecordName => ({ owner, key: `head/${seq}` }),
};

/** The two keys of a record: the bytes for all, and the owner's word for them. Both are read, and both are written. */
export function keysOf({ owner, key }: RecordName): [StateKey, StateKey] {
  return [
    { space: 'public', key: `${owner}/${key}` },
    { space: 'owned', owner, key },
  ];
}

/** What stands under a record's name. `forged`: the owner has spoken, and the public bytes are not what it said. */
export type Found<R> = { readonly is: 'absent' } | { readonly is: 'forged' } | { readonly is: 'present'; readonly entry: Entry<R> };

/**
 * Believes public bytes only where the owner's own entry has their hash. Without the owner's entry they are as if nobody had written them:
 * organisations with altered chaincode can write public keys, and must not change what an honest one decides.
 */
export function findRecord<R>(name: RecordName, values: Values, sha256: Sha256): Found<R> {
  const [open, owned] = keysOf(name).map((key) => values.get(keyText(key)));
  if (owned === undefined) return { is: 'absent' };
  if (open === undefined || !('bytes' in open) || !('hash' in owned)) return { is: 'forged' };
  if (hexOf(sha256(open.bytes)) !== owned.hash) return { is: 'forged' };
  const entry = parsed(open.bytes) as Entry<R> | undefined;
  return entry === undefined ? { is: 'forged' } : { is: 'present', entry };
}

/** No rule writes anything but an entry; bytes that are none were not written by a rule. */
function parsed(bytes: Uint8Array): LedgerEntry | undefined {
  try {
    return JSON.parse(textOf(bytes)) as LedgerEntry;
  } catch {
    return undefined;
  }
}

/** The two writes of a record of `by`: the same canonical bytes under the public and under the owned key. */
export function recordWrites(name: RecordName, record: object, at: Instant): [Write, Write] {
  const bytes = utf8(canonicalJson({ v: 1, by: name.owner, at, record }));
  const [open, owned] = keysOf(name);
  return [
    { key: open, bytes },
    { key: owned, bytes },
  ];
}
