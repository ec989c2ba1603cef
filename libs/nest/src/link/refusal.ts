import { errorRegistry, isErrorCode, PortolanError, type ErrorCode } from '@portolan/contracts';

/** Retriable, and still the recipient's answer to this very message: a fault in its handler, or a type that it does not know. */
const ANSWERED: ReadonlySet<ErrorCode> = new Set(['link.failed', 'link.unknown-message', 'exchange.partner-refused']);

/** How a delivery failed. `refused`: its recipient answered, and did not take it. What reached nobody, or has to wait for something, is none. */
export function failureOf(error: unknown, otherwise: ErrorCode): { readonly code: ErrorCode; readonly refused: boolean } {
  const code = error instanceof PortolanError && isErrorCode(error.code) ? error.code : otherwise;
  return { code, refused: ANSWERED.has(code) || !errorRegistry[code].retriable };
}
