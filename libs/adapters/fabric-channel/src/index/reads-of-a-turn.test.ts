import { describe, expect, it } from 'vitest';
import { ReadsOfATurn } from './reads-of-a-turn.js';

describe('values asked for within one turn', () => {
  it('are read at once, each key once, and each answered with its own', async () => {
    const statements: (readonly string[])[] = [];
    const reads = new ReadsOfATurn(async (keys) => {
      statements.push(keys);
      return Promise.resolve(keys.map((key) => (key === 'absent' ? undefined : Buffer.from(key))));
    });
    expect(await Promise.all(['a', 'absent', 'a', 'b'].map(async (key) => reads.value(key)))).toEqual([
      Buffer.from('a'),
      undefined,
      Buffer.from('a'),
      Buffer.from('b'),
    ]);
    expect(await reads.value('a')).toEqual(Buffer.from('a'));
    expect(statements).toEqual([['a', 'absent', 'b'], ['a']]);
  });

  it('fail together, and the next are asked anew', async () => {
    let isAway = true;
    const reads = new ReadsOfATurn(async (keys) => {
      if (isAway) throw new Error('away');
      return Promise.resolve(keys.map((key) => Buffer.from(key)));
    });
    const failed = await Promise.allSettled([reads.value('a'), reads.value('b')]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    expect(await reads.value('a')).toEqual(Buffer.from('a'));
  });
});
