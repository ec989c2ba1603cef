import { PortolanError } from '@portolan/contracts';
import type { ExchangeTx } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openExchangeDatabase } from '../exchange/open-exchange-database.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import type { RoleDatabase } from './role-database.js';

describe('work', () => {
  let db: RoleDatabase<ExchangeTx>;

  beforeAll(async () => {
    db = await openExchangeDatabase({ address: (await (await testCluster()).country('LT')).exchange }, new AesDataKeys());
  });
  afterAll(async () => db.close());

  const known = async (id: string): Promise<boolean> => !(await db.uow.alone((tx) => tx.inbox.first(id)));
  const broken = async (tx: ExchangeTx, id: string): Promise<void> => {
    await tx.inbox.first(id);
    throw new PortolanError('store.conflict', 'test');
  };

  it('whose statements belong together leaves nothing behind where it fails', async () => {
    const id = uuid();
    await expect(db.uow.run((tx) => broken(tx, id))).rejects.toMatchObject({ code: 'store.conflict' });
    expect(await known(id)).toBe(false);
  });

  it('whose statements stand alone leaves behind what came before', async () => {
    const id = uuid();
    await expect(db.uow.alone((tx) => broken(tx, id))).rejects.toMatchObject({ code: 'store.conflict' });
    expect(await known(id)).toBe(true);
  });

  it('wakes who waits, in either way', async () => {
    for (const work of ['run', 'alone'] as const) {
      const began = performance.now();
      const waited = db.wakeups.wait('outbox', 20_000).then(() => performance.now() - began);
      // The listener may still be on its way: it is told until it hears.
      const told = setInterval(() => void db.uow[work]((tx) => tx.outbox.delivered(uuid())), 50);
      expect(await waited).toBeLessThan(20_000 * 0.9);
      clearInterval(told);
    }
  });

  it('is refused with a code, not in the driver’s words', async () => {
    await expect(db.uow.alone((tx) => tx.inbox.first('no uuid'))).rejects.toMatchObject({ code: 'store.rejected' });
  });
});
