import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '@portolan/contracts';
import { commonConversions } from './conversions.js';
import { ConceptMap } from './concept-map.js';
import type { ConversionContext } from './conversion.js';
import { toFhirJson } from './fhir.js';
import { SourceNode } from './source-node.js';

const map = ConceptMap.read({
  resourceType: 'ConceptMap',
  id: 'letters',
  group: [
    {
      element: [
        { code: 'a', target: [{ code: 'A', equivalence: 'equivalent' }] },
        { code: 'b', target: [{ code: 'B', equivalence: 'wider' }] },
        { code: 'c', target: [{ code: 'C', equivalence: 'inexact', comment: 'for a test' }] },
      ],
      unmapped: { mode: 'fixed', code: 'other' },
    },
  ],
});

const contextOf = (rule: ConversionContext['rule'], notes: ErrorCode[]): ConversionContext => ({
  rule,
  conceptMaps: new Map([['letters', map]]),
  codingSystems: new Map(),
  assigningAuthorities: new Map(),
  documentOffset: undefined,
  assumedZone: 'Europe/Tallinn',
  note: (code) => void notes.push(code),
});

const texts = fc.oneof(
  fc.constantFrom('a', 'b', 'c', ' a ', '', ' ', '7', '+1', '1.50', '-0.5', '20261110', '202611100930', '20261110093000+0200', '99999999'),
  fc.constantFrom('2026-11-10', '2026-11-10T09:30:00Z', '09:30', '0930', '1.2.3', 'urn:x', 'true', 'tab\tand\u0007bell'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const plain = Object.entries(commonConversions).filter(([, one]) => one.plain !== undefined);

describe('the short way of a conversion', () => {
  it.each(plain)('%s: makes what the conversion makes, of all that the text says, and where nothing is to be told', (_name, conversion) => {
    fc.assert(
      fc.property(texts, fc.constantFrom({}, { map: 'letters' }), (text, rule) => {
        const notes: ErrorCode[] = [];
        const context = contextOf(rule, notes);
        const value = conversion.plain?.(text, context);
        expect(notes).toEqual([]);
        if (value === undefined) return;
        const leaf = SourceNode.leaf('1', 'X-1', text);
        const made = conversion(leaf, context);
        expect(made !== undefined && 'value' in made && [toFhirJson(made.value), made.origins]).toEqual([
          toFhirJson(value),
          [{ path: '', from: [leaf] }],
        ]);
        expect(notes).toEqual([]);
      }),
    );
  });

  it('is had by the texts, codes, numbers and times that most values are', () => {
    expect(plain.map(([name]) => name)).toEqual(expect.arrayContaining(['string', 'code', 'decimal', 'dateTime', 'date', 'iso-dateTime']));
  });
});
