import { isUuid } from '@portolan/domain';
import { describe, expect, it } from 'vitest';
import { sha256, SystemClock, SystemRandom } from './machine.js';

describe('what a pure core takes from the machine', () => {
  it('hashes as FIPS 180-4 says', () => {
    const digest = Buffer.from(sha256(new TextEncoder().encode('abc'))).toString('hex');
    expect(digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('draws ids and bytes that do not repeat', () => {
    const random = new SystemRandom();
    const ids = Array.from({ length: 100 }, () => random.uuid());
    expect(ids.every(isUuid) && new Set(ids).size === 100).toBe(true);
    expect(random.bytes(32)).toHaveLength(32);
    expect(random.bytes(32)).not.toEqual(random.bytes(32));
  });

  it('tells the time in milliseconds', () => {
    expect(Math.abs(new SystemClock().now() - Date.now())).toBeLessThan(1000);
  });
});
