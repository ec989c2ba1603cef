import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { countryPack } from './country-pack.js';
import { oneResult } from './testing/one-result.fixture.js';
import { translate, type Translation } from './translate.js';

const file = new URL('../../countries/ee/country.json', import.meta.url);
const country = countryPack({ 'country.json': JSON.parse(readFileSync(file, 'utf8')) as unknown });
const bytes = oneResult('2160-0^Creatinine^LN');
const translated = (): Translation =>
  translate({ bytes, format: 'hl7v2', country, sha256: (text) => hash('sha256', text, 'hex'), received: '2026-11-20T10:00:00.000Z' });

setFlagsFromString('--expose-gc');
const clear = runInNewContext('gc') as (options: { type: 'minor' }) => void;
const oldBytes = (): number => getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? 0;

/**
 * Bytes that `count` messages leave in old memory, of which nobody keeps anything. Not beside other tests in one process: of what those keep, V8 learns where in memory
 * to make the next object.
 */
function leftBy(count: number): number {
  const before = oldBytes();
  let told = 0;
  for (let i = 0; i < count; i += 1) {
    const { account, provenance } = translated();
    told += Math.min(account.mapped.length, provenance.length);
    clear({ type: 'minor' });
  }
  const left = oldBytes() - before;
  expect(told).toBeGreaterThan(10 * count);
  return left;
}

describe('a translation', () => {
  it('writes its account and its provenance once', () => {
    const one = translated();
    expect(one.account).toBe(one.account);
    expect(one.provenance).toBe(one.provenance);
  });

  // What is left in old memory was copied twice, and waits for the whole heap to be cleared: it was a quarter of the time of translating.
  it('leaves nothing in old memory when it is let go', () => {
    // What the first ones leave is code and shapes, and some of it comes late: what a message leaves is left in every turn.
    leftBy(100);
    const turns = [leftBy(50), leftBy(50), leftBy(50)];
    expect(Math.min(...turns) / 50).toBeLessThan(20_000);
  });
});
