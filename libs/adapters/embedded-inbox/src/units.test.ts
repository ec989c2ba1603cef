import { isMessageName } from '@portolan/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff.js';
import { KeyOrder } from './key-order.js';
import { LiveKeys } from './live-keys.js';
import { codeOf, refusal } from './protocol.js';

describe('KeyOrder', () => {
  it('runs the tasks of one key in their order, those of others side by side', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(3)), { maxLength: 20 }), async (tasks) => {
        const order = new KeyOrder();
        const done: string[] = [];
        const running = new Set<string>();
        await Promise.all(
          tasks.map(([key, ticks], i) =>
            order.run(key, async () => {
              expect(running.has(key)).toBe(false);
              running.add(key);
              for (let t = 0; t < ticks; t += 1) await Promise.resolve();
              running.delete(key);
              done.push(`${key}${i}`);
            }),
          ),
        );
        const of = (all: readonly string[], key: string): string[] => all.filter((one) => one.startsWith(key));
        const given = tasks.map(([key], i) => `${key}${i}`);
        for (const key of ['a', 'b', 'c']) expect(of(done, key)).toEqual(of(given, key));
        expect(order.size).toBe(0);
      }),
    );
  });

  it('fails what waits behind a failed task of its key, and nothing else', async () => {
    const order = new KeyOrder();
    const ran: string[] = [];
    const results = await Promise.allSettled([
      order.run('a', () => Promise.reject(new Error('first'))),
      order.run('a', async () => void ran.push('second')),
      order.run('b', async () => void ran.push('other')),
    ]);
    expect(results.map((one) => one.status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(ran).toEqual(['other']);
    await order.run('a', async () => void ran.push('later'));
    expect(ran).toEqual(['other', 'later']);
  });
});

describe('Backoff', () => {
  it('waits twice as long after each failure, up to its most, and is over at a success', () => {
    let now = 0;
    const backoff = new Backoff(100, 350, () => now);
    const waits: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      backoff.failed();
      backoff.failed();
      const from = now;
      while (backoff.isWaiting) now += 1;
      waits.push(now - from);
    }
    expect(waits).toEqual([100, 200, 350, 350]);
    backoff.failed();
    backoff.succeeded();
    expect(backoff.isWaiting).toBe(false);
    backoff.failed();
    now += 100;
    expect(backoff.isWaiting).toBe(false);
  });
});

describe('LiveKeys', () => {
  it('asks once in its time for one key, and at once for another', async () => {
    const asked: string[] = [];
    const keys = new LiveKeys(async (country, kid) => asked.push(country + kid) > 0, 10_000);
    await Promise.all([keys.check('PT', 'a'), keys.check('PT', 'a'), keys.check('PT', 'b'), keys.check('DE', 'a')]);
    expect(asked).toEqual(['PTa', 'PTb', 'DEa']);
  });

  it('believes a drop at once, and does not remember a registry that failed', async () => {
    let fails = true;
    const keys = new LiveKeys(() => (fails ? Promise.reject(new Error('away')) : Promise.resolve(true)), 10_000);
    await expect(keys.check('PT', 'a')).rejects.toThrow('away');
    fails = false;
    expect(await keys.check('PT', 'a')).toBe(true);
    keys.drop('PT', 'a');
    expect(await keys.check('PT', 'a')).toBe(false);
  });
});

describe('the protocol', () => {
  it.each(['', 'a b', 'a\r\nb', 'é', 'x'.repeat(201), undefined, ['a', 'b']])('takes no name like %j', (name) => {
    expect(isMessageName(name)).toBe(false);
  });

  it('reads only codes of the registry from a refusal', () => {
    expect(codeOf(refusal('exchange.busy'))).toBe('exchange.busy');
    for (const body of ['', '{', 'null', '{"code":1}', '{"code":"toString"}', '{"code":"a.b"}']) expect(codeOf(body)).toBeUndefined();
  });
});
