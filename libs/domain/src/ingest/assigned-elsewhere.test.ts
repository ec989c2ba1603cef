import { describe, expect, it } from 'vitest';
import { isAssignedElsewhere, type Assigner } from './assigned-elsewhere.js';

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
