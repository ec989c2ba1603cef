import type { Actor, Instant } from '@portolan/contracts';
import type { EdgeTx, IndexOptions, IngestAnswer, KeyId, ReadHead, Reading, Reject, StoredMessage } from '@portolan/domain';
import { earlierAnswer } from '@portolan/domain';
import type { CountryPack, Sha256Hex } from '@portolan/formats';
import type { EdgeParts, SendingSystem } from '../edge.parts.js';

/** What the steps of ingest use. */
export interface IngestTools extends Pick<EdgeParts, 'country' | 'random' | 'sources'> {
  readonly sha256: Sha256Hex;
  /** The country's rules, without the answers that were given to questions since. */
  readonly pack: CountryPack;
  /** Identifier systems by which the country knows a person. */
  readonly national: ReadonlySet<string>;
  readonly index: IndexOptions;
}

/** A message on its way in: read, its sender looked up, nothing stored yet. */
export interface Incoming {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, hex. */
  readonly sha256: string;
  readonly via: StoredMessage['via'];
  readonly received: Instant;
  readonly reading: Reading;
  /** What the sender calls itself (MSH-3|MSH-4), or is authenticated as (client id). */
  readonly source: string;
  /** The configured system of that name. */
  readonly sender: SendingSystem | undefined;
  /** The reject that this message is the repair of. */
  readonly repairs: Reject | undefined;
  /** It was filed before, and is translated again with these rules. */
  readonly again?: { readonly mapVersion: string; readonly pack: CountryPack };
}

/** A message's own row and key, or what became of it the first time. */
export type Kept = { readonly id: string; readonly keyId: KeyId } | { readonly earlier: IngestAnswer };

/**
 * Keeps the message as it came, under a key that belongs to nobody yet. The same bytes from the same source are kept once. A repair
 * is kept under a name of its own: it may be the very bytes that were refused before the maps were mended; so is what is translated again.
 */
export async function keepMessage(tx: EdgeTx, incoming: Incoming, state: StoredMessage['state'], tools: IngestTools): Promise<Kept> {
  const { bytes, sha256, via, received, reading } = incoming;
  const keyId = await tx.keys.create();
  const source = nameOf(incoming);
  const { format, controlId } = reading;
  const message = { id: tools.random.uuid(), via, source, format, controlId, sha256, receivedAt: received, state, keyId, original: bytes };
  const { id, fresh, state: stands } = await tx.messages.put(message);
  if (fresh) return { id, keyId };
  await tx.keys.destroy(keyId);
  return { earlier: earlierAnswer(id, stands, await tx.messages.account(id)) };
}

function nameOf({ source, repairs, again }: Incoming): string {
  if (again !== undefined) return `${source}#again-${again.mapVersion.slice(0, 16)}`;
  return repairs === undefined ? source : `${source}#replay-${repairs.id}`;
}

/** The name under which a source sent what is kept under a name of its own. */
export const sourceOf = (kept: string): string => kept.replace(/#(?:replay|again)-[0-9a-f-]+$/, '');

/** The sending system as the actor of an audit event: an unattended machine, and said to be one. */
export function sendingActor({ source, sender }: Incoming): Actor {
  const { system, value, name } = sender?.organisation ?? { system: 'urn:portolan:source', value: 'unknown', name: 'unknown' };
  return {
    kind: 'machine',
    name: sender?.name ?? 'unknown sender',
    id: { system: 'urn:portolan:source', value: source },
    role: 'sending system',
    organisation: { id: { system, value }, name },
  };
}

/** What came of a message, and what an acknowledgement of it needs. */
export interface Accepted {
  readonly answer: IngestAnswer;
  readonly head: ReadHead;
}
