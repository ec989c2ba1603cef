import { DecimalText, type FhirObject } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import type { RecordEntry } from './moves.js';
import { goesWith, toldAgain } from './told-again.js';

describe('what was moved, once its message is translated again', () => {
  it.each<[string, FhirObject, FhirObject, FhirObject, FhirObject]>([
    [
      'says what the message says otherwise',
      { code: 'a', value: 1 },
      { code: 'a', value: 1 },
      { code: 'b', value: 1 },
      { code: 'b', value: 1 },
    ],
    ['keeps what was said of it since', { code: 'z' }, { code: 'a' }, { code: 'b' }, { code: 'z' }],
    [
      'gets what the message says now and did not before',
      { code: 'a' },
      { code: 'a' },
      { code: 'a', note: ['n'] },
      { code: 'a', note: ['n'] },
    ],
    ['loses what the message says no more', { code: 'a', note: ['n'] }, { code: 'a', note: ['n'] }, { code: 'a' }, { code: 'a' }],
    ['keeps without it what the move took away', { code: 'a' }, { code: 'a', account: 'x' }, { code: 'b', account: 'x' }, { code: 'b' }],
    [
      'keeps its digits',
      { value: new DecimalText('1.50') },
      { value: new DecimalText('1.5') },
      { value: new DecimalText('1.7') },
      { value: new DecimalText('1.50') },
    ],
  ])('%s', (_what, stands, before, now, expected) => {
    expect(toldAgain(stands, before, now)).toEqual(expected);
  });
});

describe('what of a message belongs to what was moved', () => {
  const ref = (reference: string): FhirObject => ({ reference });
  const entry = (name: string, tree: FhirObject = {}): RecordEntry => ({ name, tree: { subject: ref('Patient/p'), ...tree } });

  it('is what refers to it or is referred to by it, and neither her own nor of another stay', () => {
    const message = [
      entry('Patient/p'),
      entry('Encounter/v'),
      entry('Encounter/w', { partOf: ref('Encounter/v') }),
      entry('DiagnosticReport/r', { encounter: ref('Encounter/v'), result: [ref('Observation/o')] }),
      entry('Observation/o'),
      entry('AllergyIntolerance/a'),
      entry('Observation/of-w', { encounter: ref('Encounter/w') }),
    ];
    expect([...goesWith(new Set(['Encounter/v']), message)].toSorted()).toEqual(['DiagnosticReport/r', 'Encounter/v', 'Observation/o']);
    expect([...goesWith(new Set(), message)]).toEqual([]);
  });
});
