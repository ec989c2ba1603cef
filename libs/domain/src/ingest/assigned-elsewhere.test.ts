import { describe, expect, it } from 'vitest';
import { isAssignedElsewhere, isAssignedHere, type Assigner } from './assigned-elsewhere.js';

const house = (value: string, assigns?: readonly string[]): Assigner => ({
  organisation: { system: 'urn:org', value },
  ...(assigns === undefined ? {} : { assigns }),
});
const sources = [house('a', ['urn:a']), house('a'), house('b', ['urn:b']), house('index', ['urn:a', 'urn:b'])];

describe('a number is another organisation’s', () => {
  it.each<[string, string, Assigner | undefined, boolean]>([
    ['of its own house', 'urn:a', house('a'), false],
    ['of its own house, sent by a system that declares nothing', 'urn:a', sources[1], false],
    ['of another house', 'urn:a', house('b'), true],
    ['of houses for which an index joins', 'urn:b', house('index'), false],
    ['that nobody declares', 'urn:national', house('b'), false],
    ['of a house, from nobody known', 'urn:a', undefined, true],
    ['of a house, by the same value under another system', 'urn:a', { organisation: { system: 'urn:else', value: 'a' } }, true],
  ])('%s', (_name, system, sender, expected) => {
    expect(isAssignedElsewhere({ system, value: '1' }, sender, sources)).toBe(expected);
  });
});

describe('a number is the sender’s own', () => {
  it.each<[string, string | undefined, Assigner | undefined, boolean]>([
    ['where its house declares it', 'urn:a', house('a'), true],
    ['where an index declares it, too', 'urn:b', house('index'), true],
    ['not of another house', 'urn:b', house('a'), false],
    ['not where nobody declares it', 'urn:national', house('a'), false],
    ['not without a system', undefined, house('a'), false],
    ['not from nobody known', 'urn:a', undefined, false],
  ])('%s', (_name, system, sender, expected) => {
    expect(isAssignedHere({ ...(system !== undefined && { system }) }, sender, sources)).toBe(expected);
  });
});
