import { PortolanError } from '@portolan/contracts';
import { isUuid } from '@portolan/domain';

export function uuidOf(text: string): string {
  if (!isUuid(text)) throw new PortolanError('operator.id-invalid', ':id');
  return text;
}

/** The row after which a page of a list begins; undefined: its first. */
export const pageAfter = (after: unknown): string | undefined =>
  after === undefined ? undefined : uuidOf(typeof after === 'string' ? after : '');

const MAX_REASON = 500;

export function reasonOf(body: unknown): string {
  const reason = typeof body === 'object' && body !== null && 'reason' in body ? body.reason : undefined;
  if (typeof reason !== 'string' || reason.trim() === '' || reason.length > MAX_REASON)
    throw new PortolanError('operator.reason-missing', 'reason');
  return reason;
}
