import { describe, expect, it } from 'vitest';
import { CodeSystem } from './code-system.js';
import { readValueSet, resolveValueSets } from './value-set.js';

const animals = CodeSystem.read({
  resourceType: 'CodeSystem',
  url: 'urn:animals',
  version: '2',
  content: 'complete',
  hierarchyMeaning: 'is-a',
  concept: [
    {
      code: 'mammal',
      concept: [
        { code: 'cat', property: [{ code: 'legs', valueInteger: 4 }] },
        { code: 'bat', property: [{ code: 'legs', valueInteger: 2 }] },
        { code: 'auroch', property: [{ code: 'inactive', valueBoolean: true }] },
      ],
    },
    { code: 'flyer', property: [{ code: 'child', valueCode: 'bat' }] },
    { code: 'robin', property: [{ code: 'parent', valueCode: 'flyer' }] },
  ],
});
const flat = CodeSystem.read({ resourceType: 'CodeSystem', url: 'urn:flat', content: 'complete', concept: [{ code: 'x' }, { code: 'y' }] });
const part = CodeSystem.read({ resourceType: 'CodeSystem', url: 'urn:part', content: 'fragment', concept: [{ code: 'p' }] });

const set = (url: string, compose: object, more: object = {}): object => ({ resourceType: 'ValueSet', url, compose, ...more });
const including = (...include: object[]): object => set('urn:vs', { include });
const filter = (property: string, op: string, value: string): object => ({ system: 'urn:animals', filter: [{ property, op, value }] });

function resolved(...sets: object[]): { codes: string[]; told: string[] } {
  const told: string[] = [];
  const read = sets.map(readValueSet);
  const members = resolveValueSets(
    {
      sets: new Map(read.map((one) => [one.url, one])),
      systems: new Map([animals, flat, part].map((one) => [one.url, one])),
    },
    (url, what) => told.push(`${url}: ${what}`),
  ).get('urn:vs');
  const systems = [...(members?.systems ?? [])];
  return { codes: systems.flatMap(([, { allBut, codes }]) => [...codes].map((code) => (allBut ? `not ${code}` : code))).sort(), told };
}

describe('what a set holds', () => {
  it.each<[string, object[], string[]]>([
    ['concepts', [including({ system: 'urn:s', concept: [{ code: 'a' }, { code: 'b' }] })], ['a', 'b']],
    ['a whole system that is at hand', [including({ system: 'urn:flat' })], ['x', 'y']],
    ['is-a', [including(filter('concept', 'is-a', 'flyer'))], ['bat', 'flyer', 'robin']],
    ['descendent-of', [including(filter('concept', 'descendent-of', 'mammal'))], ['auroch', 'bat', 'cat']],
    ['is-not-a', [including(filter('concept', 'is-not-a', 'mammal'))], ['flyer', 'robin']],
    ['= of a property', [including(filter('legs', '=', '4'))], ['cat']],
    ['in', [including(filter('legs', 'in', '2, 4'))], ['bat', 'cat']],
    ['not-in', [including(filter('code', 'not-in', 'cat,bat,mammal,auroch'))], ['flyer', 'robin']],
    ['regex, held against the whole code', [including(filter('code', 'regex', '[a-z]a.'))], ['bat', 'cat']],
    [
      'several filters together',
      [
        including({
          system: 'urn:animals',
          filter: [
            { property: 'concept', op: 'is-a', value: 'mammal' },
            { property: 'concept', op: 'is-a', value: 'flyer' },
          ],
        }),
      ],
      ['bat'],
    ],
    ['several includes', [including(filter('legs', '=', '4'), { system: 'urn:flat', concept: [{ code: 'y' }] })], ['cat', 'y']],
    [
      'without the excluded',
      [set('urn:vs', { include: [{ system: 'urn:flat' }], exclude: [{ system: 'urn:flat', concept: [{ code: 'x' }] }] })],
      ['y'],
    ],
    [
      'an open system without one code',
      [set('urn:vs', { include: [{ system: 'urn:o' }], exclude: [{ system: 'urn:o', concept: [{ code: 'x' }] }] })],
      ['not x'],
    ],
    [
      'without the inactive, where it asks for that',
      [set('urn:vs', { inactive: false, include: [filter('concept', 'is-a', 'mammal')] })],
      ['bat', 'cat', 'mammal'],
    ],
    [
      'another set, of which the system is a part',
      [
        including({ system: 'urn:flat', valueSet: ['urn:other|7'] }),
        set('urn:other', { include: [{ system: 'urn:flat', concept: [{ code: 'x' }] }, { system: 'urn:z' }] }, { version: '7' }),
      ],
      ['x'],
    ],
    [
      'its expansion, as it is, headings and what is abstract left out',
      [
        {
          resourceType: 'ValueSet',
          url: 'urn:vs',
          compose: { include: [{ system: 'urn:never' }] },
          expansion: {
            total: 3,
            contains: [
              {
                display: 'heading',
                contains: [
                  { system: 'urn:s', code: 'a' },
                  { system: 'urn:s', code: 'b', abstract: true, contains: [{ system: 'urn:s', code: 'c' }] },
                ],
              },
            ],
          },
        },
      ],
      ['a', 'c'],
    ],
  ])('%s', (_name, sets, codes) => expect(resolved(...sets)).toEqual({ codes, told: [] }));
});

describe('told when sets are put together, by set and place', () => {
  const two = (a: string, b: string): object => set(a, { include: [{ valueSet: [b] }] });
  it.each<[string, object[], RegExp[]]>([
    ['an import that is not there', [two('urn:vs', 'urn:gone')], [/^urn:vs: compose\.include\[0\]\.valueSet: urn:gone is no value set/]],
    ['a set that imports itself', [two('urn:vs', 'urn:vs')], [/^urn:vs: .*leads back/]],
    [
      'a circle',
      [two('urn:vs', 'urn:b'), two('urn:b', 'urn:vs')],
      [
        /^urn:vs: compose\.include\[0\]\.valueSet: in urn:b: .*leads back/,
        /^urn:b: compose\.include\[0\]\.valueSet: in urn:vs: .*leads back/,
      ],
    ],
    [
      'another version of a set',
      [two('urn:vs', 'urn:b|2'), set('urn:b', { include: [{ system: 'urn:s' }] }, { version: '1' })],
      [/another version/],
    ],
    [
      'another version of a system',
      [including({ system: 'urn:animals', version: '1' })],
      [/include\[0\]\.version: urn:animals is at hand in another version/],
    ],
    [
      'a filter on a system that is not at hand',
      [including({ system: 'urn:o', filter: [{ property: 'concept', op: 'is-a', value: 'x' }] })],
      [/filter asks for urn:o/],
    ],
    [
      'a filter on a part of a system',
      [including({ system: 'urn:part', filter: [{ property: 'code', op: '=', value: 'p' }] })],
      [/not at hand in full/],
    ],
    [
      'is-a where no hierarchy means it',
      [including({ system: 'urn:flat', filter: [{ property: 'concept', op: 'is-a', value: 'x' }] })],
      [/filter\[0\]\.op: the hierarchy of urn:flat/],
    ],
    ['is-a of no code', [including(filter('concept', 'is-a', 'unicorn'))], [/filter\[0\]\.value is no code of urn:animals/]],
    ['a property that none has', [including(filter('wings', '=', '2'))], [/filter\[0\]\.property: no concept of urn:animals has wings/]],
    [
      'a code that is none of its system',
      [including({ system: 'urn:flat', concept: [{ code: 'x' }, { code: 'q' }] })],
      [/concept\[1\]\.code is no code of urn:flat/],
    ],
    [
      'the active ones of what is not at hand',
      [set('urn:vs', { inactive: false, include: [{ system: 'urn:o' }] })],
      [/compose\.inactive asks for urn:o/],
    ],
  ])('%s', (_name, sets, what) => {
    const { codes, told } = resolved(...sets);
    expect(codes).toEqual([]);
    expect(told).toEqual(what.map((one) => expect.stringMatching(one) as string));
  });
});

describe('refused as they are read, by place', () => {
  it.each<[string, object, RegExp]>([
    ['another resource', { resourceType: 'CodeSystem' }, /resourceType is not ValueSet/],
    ['no URL', { resourceType: 'ValueSet', compose: { include: [] } }, /url is no text/],
    ['neither compose nor expansion', { resourceType: 'ValueSet', url: 'urn:vs' }, /compose is no object/],
    ['nothing included', including(), /compose\.include is empty/],
    ['a locked date', set('urn:vs', { lockedDate: '2026-01-01', include: [{ system: 'urn:s' }] }), /compose\.lockedDate is not acted on/],
    ['an include of nothing (vsd-1)', including({}), /include\[0\] names neither/],
    ['concepts without system (vsd-2)', including({ concept: [{ code: 'x' }], valueSet: ['urn:b'] }), /without a system/],
    ['concept and filter (vsd-3)', including({ ...filter('code', '=', 'x'), concept: [{ code: 'x' }] }), /both concept and filter/],
    ['an operator that is not acted on', including(filter('concept', 'generalizes', 'cat')), /filter\[0\]\.op generalizes is not acted on/],
    ['a broken expression', including(filter('code', 'regex', '(')), /filter\[0\]\.value is no regular expression/],
    ['a long expression', including(filter('code', 'regex', 'a'.repeat(201))), /longer than 200/],
    ['a page of an expansion', { resourceType: 'ValueSet', url: 'urn:vs', expansion: { total: 9, contains: [] } }, /only a part/],
    [
      'an expansion that says it is a part',
      {
        resourceType: 'ValueSet',
        url: 'urn:vs',
        expansion: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-toocostly', valueBoolean: true }] },
      },
      /only a part/,
    ],
  ])('%s', (_name, json, what) => expect(() => readValueSet(json)).toThrow(what));
  it.each<[string, object, RegExp]>([
    ['codes elsewhere', { content: 'not-present' }, /content is none of/],
    ['letters of any case', { caseSensitive: false }, /caseSensitive false/],
    [
      'a code twice',
      { concept: [{ code: 'a' }, { code: 'b', concept: [{ code: 'a' }] }] },
      /concept\[1\]\.concept\[0\]\.code stands twice/,
    ],
    [
      'a child that is none',
      { concept: [{ code: 'a', property: [{ code: 'child', valueCode: 'b' }] }] },
      /concept\[0\]\.property: the child b of a is no concept/,
    ],
    [
      'a parent that is none',
      { concept: [{ code: 'a', property: [{ code: 'parent', valueCode: 'b' }] }] },
      /concept\[0\]\.property: the parent b of a is no concept/,
    ],
    ['a supplement of nothing', { content: 'supplement' }, /supplements is no text/],
  ])('a code system: %s', (_name, more, what) =>
    expect(() => CodeSystem.read({ resourceType: 'CodeSystem', url: 'urn:s', content: 'complete', ...more })).toThrow(what),
  );
});
