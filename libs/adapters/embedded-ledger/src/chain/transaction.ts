import { canonicalJson, PortolanError, type CompactJws, type Kid, type LedgerTransaction } from '@portolan/contracts';
import { decodeJws, payloadOf, type JwsKind } from '@portolan/verify';
import { limits } from './limits.js';
import type { ChainTools } from './tools.js';

/** `typ` of a signed text (libs/verify, JwsKind). */
export const typ = (kind: JwsKind): string => `portolan-${kind}+jws`;

/** A transaction whose form is right. Its signature is not verified yet: that needs the key that stood registered before it. */
export interface OpenedTransaction {
  readonly jws: CompactJws;
  readonly kid: Kid;
  readonly payload: LedgerTransaction;
}

/** Takes a transaction apart; `ledger.transaction-malformed` where it is not one of this channel. */
export function openTransaction(jws: CompactJws, channel: string, { validators }: ChainTools): OpenedTransaction {
  if (jws.length > limits.transactionChars) throw malformed('length');
  try {
    const decoded = decodeJws(jws);
    if (decoded.header.typ !== typ('transaction')) throw malformed('typ');
    const payload = payloadOf(decoded, 'ledger-transaction', validators);
    if (payload.channel !== channel) throw malformed('channel');
    return { jws, kid: decoded.header.kid, payload };
  } catch (error) {
    throw error instanceof PortolanError && error.code !== 'ledger.transaction-malformed' ? malformed(error.where, error) : error;
  }
}

/** The exact text that a sender signs. */
export function transactionText(transaction: LedgerTransaction): string {
  return canonicalJson(transaction);
}

const malformed = (where: string, cause?: unknown): PortolanError =>
  new PortolanError('ledger.transaction-malformed', `transaction ${where}`, undefined, { cause });
