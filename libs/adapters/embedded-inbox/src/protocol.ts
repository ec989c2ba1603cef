import { isErrorCode, type ErrorCode } from '@portolan/contracts';

/*
 * The embedded inbox speaks HTTP/1.1 over mutual TLS 1.3:
 *
 *   POST /exchange/v1/messages
 *   portolan-message-id:  unique, person-free; the receiver deduplicates by it
 *   portolan-message-key: person-free transfer id; messages of one key keep their order
 *   <the message's exact bytes, at most MESSAGE_MAX_BYTES>
 *
 *   204  the message is stored
 *   4xx  it never will be, as it is: {"code": "exchange.…"}
 *   5xx  not now: send it again
 *
 * Who sends is told by the client certificate alone.
 */
export const MESSAGES_PATH = '/exchange/v1/messages';
export const ID_HEADER = 'portolan-message-id';
export const KEY_HEADER = 'portolan-message-key';
export const refusal = (code: ErrorCode): string => JSON.stringify({ code });

/** The code in a refusal's body, where it is one of ours. */
export function codeOf(body: string): ErrorCode | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const code = typeof value === 'object' && value !== null && 'code' in value ? value.code : undefined;
    return typeof code === 'string' && isErrorCode(code) ? code : undefined;
  } catch {
    return undefined;
  }
}
