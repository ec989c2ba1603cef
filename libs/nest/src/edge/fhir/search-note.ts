import type { OperationOutcome, SearchQuery } from '@portolan/domain';

/** Tells a lenient client that parameters were ignored (R4 §3.1.1.1): how many, not which, since an unknown name may be anything. */
export function ignoredNote({ ignored }: Pick<SearchQuery, 'ignored'>): { outcome?: OperationOutcome } {
  if (ignored === 0) return {};
  const text = `${ignored} unknown search parameter${ignored === 1 ? ' was' : 's were'} ignored`;
  return { outcome: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-supported', details: { text } }] } };
}
