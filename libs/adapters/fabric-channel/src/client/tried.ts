import { errorRegistry, PortolanError, type ErrorCode } from '@portolan/contracts';

/** What became of one try, as far as it can be known. */
export type Tried =
  | { readonly is: 'committed' }
  /** Our own peer runs the rule to a refusal. */
  | { readonly is: 'refused'; readonly code: ErrorCode; readonly where: string }
  /** Nothing was ordered, or it was and changed nothing: the act may be tried again at once. */
  | { readonly is: 'again'; readonly code: ErrorCode }
  /** It may have been ordered. */
  | { readonly is: 'unknown'; readonly cause: unknown };

/** What our chaincode refuses with: the text of its answer. Undefined for every other text. */
export function refusalOf(text: string): { readonly code: ErrorCode; readonly where: string } | undefined {
  try {
    const { code, where } = JSON.parse(text) as Record<string, unknown>;
    return isCode(code) ? { code, where: typeof where === 'string' ? where : '' } : undefined;
  } catch {
    return undefined;
  }
}

const isCode = (text: unknown): text is ErrorCode => typeof text === 'string' && Object.hasOwn(errorRegistry, text);

export function unreachable(cause: unknown, where = 'fabric peer'): PortolanError {
  return cause instanceof PortolanError ? cause : new PortolanError('ledger.unreachable', where, undefined, { cause });
}
