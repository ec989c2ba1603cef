import { connect, type TLSSocket } from 'node:tls';
import { PortolanError } from '@portolan/contracts';
import type { BrokerAddress, ClientIdentity } from './kafka-client.js';

/*
 * AlterClientQuotas, version 0 (KIP-546; API key 49), over a connection of its own: kafkajs 2.2.4 has no call for it
 * (https://github.com/tulios/kafkajs). Request and answer are an int32 length and big-endian fields; strings carry an int16 length.
 */
const ALTER_CLIENT_QUOTAS = 49;
const ANSWER_MAX_BYTES = 1_000_000;
const WITHIN_MS = 10_000;

export interface UserQuota {
  /** As `User:` names it, without that prefix. */
  readonly user: string;
  /** Bytes a second that a user may write; undefined takes the bound away. */
  readonly producerBytesPerSecond: number | undefined;
}

/** Sets how much each user may write. Brokers slow down whoever writes more, by answering later. Throws `exchange.inbox-unavailable`. */
export async function setUserQuotas(broker: BrokerAddress, identity: ClientIdentity, quotas: readonly UserQuota[]): Promise<void> {
  if (quotas.length === 0) return;
  const answer = await ask(broker, identity, quotaRequest(quotas));
  const code = firstError(answer);
  if (code !== 0) throw new PortolanError('exchange.inbox-unavailable', 'quotas of partners', `Kafka error ${code}`);
}

export function quotaRequest(quotas: readonly UserQuota[]): Buffer {
  const entries = quotas.flatMap(({ user, producerBytesPerSecond: rate }) => [
    int32(1),
    text('user'),
    text(user),
    int32(1),
    text('producer_byte_rate'),
    float64(rate ?? 0),
    bool(rate === undefined),
  ]);
  const header = [int16(ALTER_CLIENT_QUOTAS), int16(0), int32(1), text('portolan')];
  const body = Buffer.concat([...header, int32(quotas.length), ...entries, bool(false)]);
  return Buffer.concat([int32(body.length), body]);
}

/** Error code of the first entry that has one, else 0. Answer without its length: correlation id, throttle time, entries. */
export function firstError(answer: Buffer): number {
  let at = 8;
  const skipText = (): void => {
    at += 2 + Math.max(0, answer.readInt16BE(at));
  };
  let entries = answer.readInt32BE(at);
  at += 4;
  for (; entries > 0; entries -= 1) {
    const code = answer.readInt16BE(at);
    if (code !== 0) return code;
    at += 2;
    skipText();
    let parts = answer.readInt32BE(at);
    at += 4;
    for (; parts > 0; parts -= 1) {
      skipText();
      skipText();
    }
  }
  return 0;
}

async function ask(broker: BrokerAddress, identity: ClientIdentity, request: Buffer): Promise<Buffer> {
  const { authorityPem: ca, certificatePem: cert, privateKeyPem: key } = identity;
  const socket = connect({ ...broker, ca, cert, key, minVersion: 'TLSv1.3', rejectUnauthorized: true }, () => socket.write(request));
  socket.setTimeout(WITHIN_MS, () => socket.destroy(new Error('no answer in time')));
  try {
    return await oneAnswer(socket);
  } catch (error) {
    throw new PortolanError('exchange.inbox-unavailable', 'quotas of partners', error instanceof Error ? error.name : 'unknown');
  } finally {
    socket.destroy();
  }
}

async function oneAnswer(socket: TLSSocket): Promise<Buffer> {
  let heard = Buffer.alloc(0);
  for await (const piece of socket) {
    heard = Buffer.concat([heard, piece as Buffer]);
    if (heard.length > ANSWER_MAX_BYTES) break;
    if (heard.length >= 4 && heard.length >= 4 + heard.readInt32BE(0)) return heard.subarray(4);
  }
  throw new RangeError('not one answer');
}

const int16 = (value: number): Buffer => write(2, (bytes) => bytes.writeInt16BE(value));
const int32 = (value: number): Buffer => write(4, (bytes) => bytes.writeInt32BE(value));
const float64 = (value: number): Buffer => write(8, (bytes) => bytes.writeDoubleBE(value));
const bool = (value: boolean): Buffer => Buffer.from([value ? 1 : 0]);
const text = (value: string): Buffer => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);

function write(length: number, fill: (bytes: Buffer) => unknown): Buffer {
  const bytes = Buffer.alloc(length);
  fill(bytes);
  return bytes;
}
