import fc from 'fast-check';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { outputNames } from './output-names.js';

describe('names of results', () => {
  it.each([
    [
      ['a/x.hl7', 'b/y.xml'],
      ['x.hl7', 'y.xml'],
    ],
    [
      ['a/x.hl7', 'b/x.hl7', 'c/x.hl7'],
      ['x.hl7', 'x.hl7.2', 'x.hl7.3'],
    ],
    [
      ['a/x.hl7', 'b/X.HL7'],
      ['x.hl7', 'X.HL7.2'],
    ],
    [
      ['a/x', 'b/x', 'x.2'],
      ['x', 'x.3', 'x.2'],
    ],
  ])('of %j are %j', (paths, names) => expect(outputNames(paths)).toEqual(names));

  it('are as many as the files, none twice however case is told, and each begins with its file’s own', () => {
    const path = fc
      .tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'X', 'x.2', 'x.3', 'y', 'y.2', 'y.2.2'))
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(path), (paths) => {
        const names = outputNames(paths);
        expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(paths.length);
        for (const [i, name] of names.entries()) expect(name.startsWith(basename(paths[i] ?? ''))).toBe(true);
      }),
    );
  });
});
