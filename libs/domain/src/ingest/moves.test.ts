import type { FhirObject } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { decideStayMove, renamed, restedStay, type RecordEntry } from './moves.js';

const ref = (reference: string): FhirObject => ({ reference });
const entry = (name: string, tree: FhirObject = {}): RecordEntry => ({ name, tree: { subject: ref('Patient/p'), ...tree } });
const moved = (...record: readonly RecordEntry[]): unknown => {
  const decided = decideStayMove('Encounter/v', [entry('Patient/p'), entry('Encounter/v'), ...record]);
  return decided.kind === 'moves' ? [...decided.entries].toSorted() : decided;
};

describe('what moves with a stay', () => {
  it.each<[string, readonly RecordEntry[], readonly string[]]>([
    ['nothing else', [entry('AllergyIntolerance/a'), entry('Encounter/w')], []],
    ['what refers to it', [entry('Condition/c', { encounter: ref('Encounter/v') })], ['Condition/c']],
    [
      'what only these refer to, and what refers to that',
      [
        entry('DiagnosticReport/r', { encounter: ref('Encounter/v'), result: [ref('Observation/o')], basedOn: [ref('ServiceRequest/s')] }),
        entry('Observation/o', { specimen: ref('Specimen/b') }),
        entry('Specimen/b'),
        entry('ServiceRequest/s'),
        entry('Goal/g', { addresses: [ref('DiagnosticReport/r')] }),
      ],
      ['DiagnosticReport/r', 'Goal/g', 'Observation/o', 'ServiceRequest/s', 'Specimen/b'],
    ],
    ['not the trail of it', [entry('Observation/x', { derivedFrom: [ref('Encounter/v/_history/1')] })], []],
  ])('%s', (_what, record, expected) => {
    expect(moved(...record)).toEqual(['Encounter/v', ...expected].toSorted());
  });

  it.each<[string, readonly RecordEntry[], string]>([
    ['names another stay, too', [entry('Encounter/w'), entry('Media/m', { of: [ref('Encounter/v'), ref('Encounter/w')] })], 'Media/m'],
    [
      'is shared with what stays',
      [
        entry('Encounter/w'),
        entry('Observation/o', { encounter: ref('Encounter/v'), specimen: ref('Specimen/b') }),
        entry('Observation/q', { encounter: ref('Encounter/w'), specimen: ref('Specimen/b') }),
        entry('Specimen/b'),
      ],
      'Specimen/b',
    ],
    [
      'is what something of another stay rests on',
      [
        entry('Encounter/w'),
        entry('ServiceRequest/s', { encounter: ref('Encounter/v') }),
        entry('DiagnosticReport/r', { encounter: ref('Encounter/w'), basedOn: [ref('ServiceRequest/s')] }),
      ],
      'DiagnosticReport/r',
    ],
    [
      'has something else refer to it, of which nobody said to which stay it belongs',
      [
        entry('Encounter/v', { diagnosis: [ref('Condition/c')] }),
        entry('Condition/c'),
        entry('Goal/g', { addresses: [ref('Condition/c')] }),
      ],
      'Condition/c',
    ],
    ['tells of the person', [entry('RelatedPerson/n', { of: ref('Encounter/v') })], 'RelatedPerson/n'],
  ])('nothing can, where something %s', (_what, record, expected) => {
    expect(moved(...record)).toEqual({ kind: 'entangled', entry: expected });
  });
});

describe('a content under other names', () => {
  it('names them wherever it referred to the old ones, and is the very same where it did not', () => {
    const tree = { a: [{ b: ref('X/1') }, ref('X/2')], text: 'X/1' };
    const names = new Map([['X/1', 'Y/1']]);
    expect(renamed(tree, names)).toEqual({ a: [{ b: ref('Y/1') }, ref('X/2')], text: 'X/1' });
    expect(renamed(tree, new Map([['X/9', 'Y/1']]))).toBe(tree);
  });
});

describe('a stay where it goes', () => {
  const number = (value: string): FhirObject => ({ system: 's', value });
  it('keeps what was known of it, under the number that the message names, without the account of whose it was', () => {
    const stood = {
      status: 'finished',
      account: [ref('Account/a')],
      period: { start: '2026' },
      identifier: [number('old'), number('alt')],
    };
    const said = { status: 'in-progress', class: { code: 'IMP' }, identifier: [number('new')] };
    expect(restedStay([stood, said], [number('old')])).toEqual({
      status: 'finished',
      class: { code: 'IMP' },
      period: { start: '2026' },
      identifier: [number('new'), number('alt')],
    });
    expect(restedStay([{ status: 'in-progress' }, { status: 'finished' }], [])).toEqual({ status: 'finished' });
  });
});
