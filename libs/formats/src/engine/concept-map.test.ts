import { describe, expect, it } from 'vitest';
import { ConceptMap, linkConceptMaps } from './concept-map.js';
import type { Equivalence } from './equivalence.js';

const group = (element: object[], more: object = {}): object => ({ source: 'urn:s', target: 'urn:t', element, ...more });
const json = (element: object[], more: object = {}): object => ({ resourceType: 'ConceptMap', id: 'm', group: [group(element, more)] });
const to = (code: string, equivalence: string, more: object = {}): object => ({ code, equivalence, comment: 'why', ...more });
const one = (...target: object[]): object => json([{ code: 'a', target }]);

describe('equivalences', () => {
  it.each<[Equivalence, string | undefined]>([
    ['equal', 'x'],
    ['equivalent', 'x'],
    ['wider', 'x'],
    ['subsumes', 'x'],
    ['relatedto', 'x'],
    ['narrower', 'x'],
    ['specializes', 'x'],
    ['inexact', 'x'],
    ['unmatched', undefined],
    ['disjoint', undefined],
  ])('%s → %s', (equivalence, code) => expect(ConceptMap.read(one(to('x', equivalence))).translate('urn:s', 'a')?.code).toBe(code));

  it.each([
    ['what says the same before what is wider', [to('w', 'wider'), to('s', 'equal')], 's'],
    ['what is wider before what is related', [to('r', 'relatedto'), to('n', 'narrower'), to('w', 'subsumes')], 'w'],
    ['of two alike the first', [to('first', 'wider'), to('second', 'subsumes')], 'first'],
    ['what has a counterpart before what has none', [to('x', 'disjoint'), to('y', 'wider')], 'y'],
  ])('of several: %s', (_name, targets, code) => expect(ConceptMap.read(one(...targets)).translate('urn:s', 'a')?.code).toBe(code));

  it('a code without counterpart is another thing than one of which the map says nothing', () => {
    const map = ConceptMap.read(json([{ code: 'b', target: [{ equivalence: 'unmatched' }] }, { code: 'c' }]));
    expect([map.answer('urn:s', 'b'), map.answer('urn:s', 'c'), map.answer('urn:s', 'd')]).toEqual([
      'no-counterpart',
      undefined,
      undefined,
    ]);
  });
  it('a source is looked for in its own system alone, and without one in all', () => {
    const map = ConceptMap.read(one(to('y', 'wider')));
    expect(map.translate('urn:s', 'a')).toEqual({ system: 'urn:t', code: 'y', display: undefined, equivalence: 'wider' });
    expect(map.translate(undefined, 'a')?.code).toBe('y');
    expect(map.translate('urn:other', 'a')).toBeUndefined();
  });
});

describe('group.unmapped', () => {
  const known = [
    { code: 'a', target: [to('x', 'equal')] },
    { code: 'none', target: [{ equivalence: 'unmatched' }] },
  ];
  it('provided: the code as it came, in the target system; what is said to have no counterpart has none', () => {
    const map = ConceptMap.read(json(known, { unmapped: { mode: 'provided' } }));
    expect(map.answer('urn:s', 'z')).toMatchObject({ system: 'urn:t', code: 'z', unmapped: true });
    expect(map.answer('urn:s', 'a')).toMatchObject({ code: 'x' });
    expect(map.answer('urn:s', 'none')).toBe('no-counterpart');
    expect(map.answer('urn:other', 'z')).toBeUndefined();
  });
  it('fixed: one code for all, which is never more than inexact', () => {
    const map = ConceptMap.read(json(known, { unmapped: { mode: 'fixed', code: 'other', display: 'Other' } }));
    expect(map.answer('urn:s', 'z')).toEqual({ system: 'urn:t', code: 'other', display: 'Other', equivalence: 'inexact', unmapped: true });
  });
  it('other-map: what that map says, in its own turn', () => {
    const at = (id: string, more: object, element: object[] = []): [string, ConceptMap] => [
      id,
      ConceptMap.read({ resourceType: 'ConceptMap', id, url: `urn:map:${id}`, group: [group(element, more)] }),
    ];
    const hands = (id: string): object => ({ unmapped: { mode: 'other-map', url: `urn:map:${id}` } });
    const told: string[] = [];
    const maps = linkConceptMaps(
      new Map([at('m1', hands('m2')), at('m2', hands('m3')), at('m3', {}, [{ code: 'a', target: [to('far', 'equal')] }])]),
      (_id, what) => told.push(what),
    );
    expect(maps.get('m1')?.translate('urn:s', 'a')?.code).toBe('far');
    expect(told).toEqual([]);
    linkConceptMaps(new Map([at('m1', hands('m2')), at('m2', hands('m1')), at('m3', hands('gone'))]), (id, what) =>
      told.push(`${id}: ${what}`),
    );
    expect(told).toEqual([
      expect.stringMatching(/^m1: .*lead back/),
      expect.stringMatching(/^m2: .*lead back/),
      expect.stringMatching(/^m3: .*urn:map:gone is no map/),
    ]);
  });
});

describe('refused at load, by its place', () => {
  it.each([
    ['no ConceptMap', { resourceType: 'ValueSet' }, /resourceType/],
    ['no group', { resourceType: 'ConceptMap', id: 'm' }, /group is no list/],
    ['an R5 relationship', json([{ code: 'a', target: [{ code: 'x', relationship: 'equivalent' }] }]), /target\[0\]\.equivalence/],
    ['an unknown equivalence', one(to('x', 'roughly')), /equivalence is no FHIR R4 equivalence/],
    ['a code twice', json([{ code: 'a' }, { code: 'a' }]), /element\[1\]\.code stands twice/],
    ['narrower without a comment (cmd-1)', one({ code: 'x', equivalence: 'narrower' }), /target\[0\]\.comment must say/],
    ['inexact without a comment (cmd-1)', one({ code: 'x', equivalence: 'inexact' }), /target\[0\]\.comment must say/],
    ['a dependency', one(to('x', 'equal', { dependsOn: [{ property: 'p', value: 'v' }] })), /target\[0\]\.dependsOn is not acted on/],
    ['a product', one(to('x', 'equal', { product: [{ property: 'p', value: 'v' }] })), /target\[0\]\.product is not acted on/],
    ['a modifier', one(to('x', 'equal', { modifierExtension: [] })), /modifierExtension is not acted on/],
    ['an unknown mode', json([], { unmapped: { mode: 'guess' } }), /unmapped\.mode/],
    ['fixed without code', json([], { unmapped: { mode: 'fixed' } }), /unmapped\.code/],
    ['other-map without URL', json([], { unmapped: { mode: 'other-map' } }), /unmapped\.url/],
  ])('%s', (_name, map, what) => expect(() => ConceptMap.read(map)).toThrow(what));
});
