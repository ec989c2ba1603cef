import { PortolanError, type CountryCode, type ErrorCode } from '@portolan/contracts';
import { isMessageName, MESSAGE_MAX_BYTES, type PartnerMessage } from '@portolan/domain';
import { ID_HEADER, senderOf } from './topics.js';

/** A record as clients hand it over. */
export interface RawRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** A record of a partner's topic: either a message, or something that can never be one. */
export interface InboxRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly from: CountryCode;
  readonly key: string;
  readonly read: { readonly message: PartnerMessage } | { readonly refused: ErrorCode };
  readonly raw: RawRecord;
}

export function inboxRecord(topic: string, partition: number, raw: RawRecord): InboxRecord {
  const key = raw.key?.toString('latin1') ?? '';
  return { topic, partition, offset: raw.offset, from: senderOf(topic), key, read: readMessage(raw, key), raw };
}

function readMessage({ value, headers }: RawRecord, key: string): InboxRecord['read'] {
  const header = headers?.[ID_HEADER];
  const id = Buffer.isBuffer(header) ? header.toString('latin1') : undefined;
  if (!isMessageName(id) || !isMessageName(key) || value === null) return { refused: 'exchange.message-malformed' };
  if (value.length > MESSAGE_MAX_BYTES) return { refused: 'exchange.message-too-large' };
  return { message: { id, key, body: new Uint8Array(value.buffer, value.byteOffset, value.length) } };
}

/** A failure of which the receiver says that it is the message's, and for good. Whatever else went wrong may go right next time. */
export const refusalOf = (error: unknown): ErrorCode | undefined =>
  error instanceof PortolanError && !error.retriable && error.code.startsWith('exchange.') ? error.code : undefined;
