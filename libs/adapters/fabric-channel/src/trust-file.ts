import type { FabricParticipant, FabricTrust, KeyRecord, OrgId, ParticipantRecord, PinnedEndorser, TrustedKey } from '@portolan/contracts';
import type { FabricIndexStore } from '@portolan/domain';
import { names, type RecordName } from '@portolan/ledger-rules';
import { X509Certificate } from 'node:crypto';
import { indexKeys } from './block/read-block.js';
import { authoritiesIn, isPeerOf } from './channel-config.js';
import type { BlockIndex } from './index/block-index.js';
import { pinnedEndorser } from './pinned-endorser.js';

export interface TrustFileParts {
  readonly channel: string;
  readonly chaincode: string;
  readonly otherEndorsers: number;
  readonly store: FabricIndexStore;
  readonly index: BlockIndex;
}

/** Endorsing certificates that an index may hold, of all organisations; keys of one organisation. */
const most = { endorsers: 4_096, keys: 256 } as const;

/**
 * What a verifier pins, from our own peer's blocks: every organisation that has registered itself, every key it has registered and when a
 * key ended, and the certificates with which its peers have endorsed, as far as an authority of the channel's configuration issued them.
 */
export async function trustFileOf(parts: TrustFileParts): Promise<FabricTrust> {
  const { channel, chaincode, otherEndorsers, store } = parts;
  const [config] = await store.read([indexKeys.config]);
  const endorsers = await store.startingWith('endorser:', most.endorsers);
  const participants: FabricParticipant[] = [];
  for (const [org, authorities] of config === undefined ? [] : authoritiesIn(config)) {
    const record = await recordOf<ParticipantRecord>(names.participant(org), parts);
    if (record === undefined) continue;
    const own = endorsers.filter(({ key }) => key.startsWith(`endorser:${org}:`)).flatMap(({ value }) => pinned(value, authorities));
    participants.push({ org, kind: record.record.kind, keys: await keysIn(org, parts), endorsers: own });
  }
  return { v: 1, ledger: 'fabric', channel, chaincode, otherEndorsers, participants };
}

async function keysIn(org: OrgId, parts: TrustFileParts): Promise<TrustedKey[]> {
  const prefix = indexKeys.open(`${org}/key/`);
  const found = await parts.store.startingWith(prefix, most.keys);
  const kids = new Set(found.map(({ key }) => key.slice(prefix.length).split('/')[0] ?? ''));
  const keys: TrustedKey[] = [];
  for (const kid of kids) {
    const key = (await recordOf<KeyRecord>(names.key(org, kid), parts))?.record;
    if (key === undefined || key.use === 'ca') continue;
    const ended = (await recordOf(names.keyEnd(org, kid), parts))?.at;
    const { use, jwk, notBefore, notAfter } = key;
    keys.push({ kid, use, jwk, notBefore, notAfter, ...(ended === undefined ? {} : { ended }) });
  }
  return keys;
}

/** A certificate that cannot be read, or that no authority of the organisation issued to a peer, is pinned by nobody. */
function pinned(bytes: Uint8Array, authorities: readonly X509Certificate[]): PinnedEndorser[] {
  const cert = Buffer.from(bytes).toString('utf8');
  try {
    return isPeerOf(new X509Certificate(cert), authorities) ? [pinnedEndorser(cert)] : [];
  } catch {
    return [];
  }
}

async function recordOf<R>(
  { owner, key }: RecordName,
  { index }: TrustFileParts,
): Promise<{ readonly at: string; readonly record: R } | undefined> {
  const bytes = await index.record(owner, key);
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString('utf8')) as { at: string; record: R });
}
