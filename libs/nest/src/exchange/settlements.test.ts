import type { ExchangePorts, ExchangeTx } from '@portolan/domain';
import { describe, expect, it } from 'vitest';
import { Settlements } from './settlements.js';

const transferId = '00000000-0000-4000-8000-000000000001';
const ports = { clock: { now: () => 0 } } as ExchangePorts;
const place = { tx: 'b', index: 0 };

/** One custodian's transfer that waits for its expiry to stand; what it is changed by. */
function expiring(): { tx: ExchangeTx; changes: unknown[][] } {
  const changes: unknown[][] = [];
  const data = { content: '{"record":"Kreatinin"}', manifest: [], leaf: 'leaf', sealed: { hashes: ['h'], parts: ['p'] } };
  const transfers = {
    get: async () => ({ transferId, side: 'custodian', state: 'expiring', data }),
    advance: async (...change: unknown[]) => {
      changes.push(change);
      return true;
    },
  };
  return { tx: { transfers } as unknown as ExchangeTx, changes };
}

describe('a transfer that expired keeps no record', () => {
  const ends: readonly (readonly [string, object])[] = [
    ['when our own word stands', { state: 'committed', stands: place }],
    ["when the receiver's word stands before it", { state: 'rejected', ended: 'expired' }],
  ];
  it.each(ends)('%s', async (_, end) => {
    const { tx, changes } = expiring();
    const settled = { transferId, step: 'expired', ...end } as Parameters<Settlements['step']>[1];
    await new Settlements(ports).step(tx, settled);
    const [[id, from, to, change] = []] = changes;
    expect([id, from, to]).toEqual([transferId, 'expiring', 'expired']);
    expect(change).toMatchObject({ data: { content: null, sealed: { hashes: ['h'], parts: [] } } });
  });
});
