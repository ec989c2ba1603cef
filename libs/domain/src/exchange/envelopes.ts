import {
  canonicalJson,
  PortolanError,
  type CommittedPredecessor,
  type CompactJws,
  type CountryCode,
  type Envelope,
  type Instant,
  type Uuid,
  type Validators,
} from '@portolan/contracts';
import { concat, leafHash, sealedRoot, textOf, utf8, type Sha256 } from '@portolan/verify';
import type { OpenedPart, PartHeader, Sealer, SenderKeys } from '../seal/seal.port.js';
import type { OutgoingEnvelope } from '../store/exchange-tx.port.js';
import type { SealedParts } from '../transfer/transfer.data.js';

/** Content bytes of one part. Base64url twice (JWS in JWE) makes 1,100,000 bytes about 1.96 MB: under the 2 MB of a sealed part. */
export const PART_CONTENT_BYTES = 1_100_000;
/** Most parts of one envelope that this version takes: about 22 MB of record. */
export const MAX_PARTS = 20;

export type EnvelopeKind = Envelope['kind'];
export interface EnvelopeHead {
  readonly kind: EnvelopeKind;
  readonly transferId: string;
  readonly from: CountryCode;
  readonly to: CountryCode;
}

/** Short answers are padded to one length, so that their size tells nothing (design, invariant 8). */
const PADDED_KINDS: ReadonlySet<EnvelopeKind> = new Set(['answer']);
const ANSWER_BYTES = 2048;

/** Signs and encrypts a content in parts. */
export async function sealContent(
  sealer: Sealer,
  sha256: Sha256,
  content: string,
  head: EnvelopeHead,
  recipient: Parameters<Sealer['seal']>[2],
): Promise<SealedParts & { root: string }> {
  const bytes = utf8(content);
  const of = Math.max(1, Math.ceil(bytes.length / PART_CONTENT_BYTES));
  if (of > MAX_PARTS) throw new PortolanError('seal.too-large', 'exchange/seal', `more than ${MAX_PARTS} parts`);
  const parts: string[] = [];
  for (let n = 1; n <= of; n += 1) {
    const chunk = bytes.subarray((n - 1) * PART_CONTENT_BYTES, n * PART_CONTENT_BYTES);
    const padding = PADDED_KINDS.has(head.kind) ? { padTo: ANSWER_BYTES } : {};
    parts.push(textOf(await sealer.seal(chunk, { ...head, n, of }, recipient, padding)));
  }
  const hashes = parts.map((part) => leafHash(utf8(part), sha256));
  return { hashes, parts, root: sealedRoot(hashes, sha256) };
}

/** Decrypts, verifies and joins the parts of one envelope; exact text as the sender signed it, and the key that signed. */
export async function openContent(
  sealer: Sealer,
  sealed: SealedParts,
  head: EnvelopeHead,
  senders: SenderKeys,
): Promise<{ content: string; senderKid: string }> {
  const opened: OpenedPart[] = [];
  const of = sealed.parts.length;
  for (const [index, part] of sealed.parts.entries()) {
    const expected: PartHeader = { ...head, n: index + 1, of };
    opened.push(await sealer.open(utf8(part), expected, senders));
  }
  const [first] = opened;
  if (first === undefined || opened.some((part) => part.senderKid !== first.senderKid))
    throw new PortolanError('seal.header-mismatch', 'exchange/open');
  return { content: textOf(concat(...opened.map((part) => part.content))), senderKid: first.senderKid };
}

/** What an envelope may say beside its head: where its step stands or the word for a late one, and the trace it belongs to. */
export interface EnvelopeExtras {
  readonly step?: CommittedPredecessor;
  readonly late?: CompactJws;
  readonly trace?: string;
}

/** When an envelope may leave, and until when it is of use; without `until` it is tried until it is sent. */
export interface EnvelopeTime {
  readonly notBefore: Instant;
  readonly until?: Instant;
}

/** Who asked waits for seconds: an answer is of no use a day later. What closes a transfer and what a partner must be told always is. */
const ANSWER_OF_USE_MS = 86_400_000;
const ofUse = (kind: EnvelopeKind, notBefore: Instant): Instant | undefined =>
  kind === 'answer' ? new Date(Date.parse(notBefore) + ANSWER_OF_USE_MS).toISOString() : undefined;

/** The messages that carry an envelope to its inbox, one a part; ids are stable, so that a part sent again is the same message. */
export function outgoing(
  head: EnvelopeHead,
  envelopeId: Uuid,
  sealed: SealedParts,
  time: Instant | EnvelopeTime,
  extras: EnvelopeExtras = {},
): OutgoingEnvelope[] {
  const { notBefore, until = ofUse(head.kind, notBefore) } = typeof time === 'string' ? { notBefore: time } : time;
  return sealed.parts.map((part, index) => {
    const id = `${envelopeId}.${index + 1}`;
    const envelope: Envelope = { v: 1, id, ...head, n: index + 1, parts: [...sealed.hashes], sealed: part, ...extras };
    return {
      id,
      to: head.to,
      key: head.transferId,
      body: utf8(canonicalJson(envelope)),
      notBefore,
      ...(until === undefined ? {} : { until }),
    };
  });
}

/** An envelope part as it was read from the inbox: schema, sender and the part's own hash checked. `from` is the certificate's country. */
export function readEnvelope(body: Uint8Array, from: CountryCode, us: CountryCode, validators: Validators, sha256: Sha256): Envelope {
  const where = 'exchange/inbox';
  let parsed: unknown;
  try {
    parsed = JSON.parse(textOf(body));
  } catch {
    throw new PortolanError('exchange.envelope-invalid', where, 'not JSON');
  }
  const envelope = validators.check<Envelope>('envelope', parsed, 'exchange.envelope-invalid', where);
  if (envelope.from !== from || envelope.to !== us)
    throw new PortolanError('exchange.envelope-invalid', where, 'not from this partner to us');
  if (envelope.parts.length > MAX_PARTS || envelope.n > envelope.parts.length)
    throw new PortolanError('exchange.envelope-invalid', where, 'part number');
  if (leafHash(utf8(envelope.sealed), sha256) !== envelope.parts[envelope.n - 1])
    throw new PortolanError('exchange.envelope-invalid', where, 'part hash');
  return envelope;
}
