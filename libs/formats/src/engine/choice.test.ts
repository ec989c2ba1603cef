import { describe, expect, it } from 'vitest';
import type { MapCondition } from '@portolan/contracts';
import { compileChoice } from './choice.js';
import { parseSourcePath, select, SourceNode } from './index.js';

const leaf = (name: string, path: string, value: string): SourceNode => SourceNode.leaf(name, `${path}/${name}`, value);
const section = (n: number, code: string, mood: string): SourceNode =>
  SourceNode.branch('section', `section[${n}]`, [
    SourceNode.branch('code', `section[${n}]/code`, [
      leaf('@code', `section[${n}]/code`, code),
      leaf('@codeSystem', `section[${n}]/code`, 'S'),
    ]),
    SourceNode.branch('entry', `section[${n}]/entry`, [leaf('@moodCode', `section[${n}]/entry`, mood)]),
  ]);
const root = SourceNode.branch('document', '', [section(1, 'A', 'EVN'), section(2, 'A', 'INT'), section(3, 'B', 'EVN')]);
const entries = select(root, parseSourcePath('section/entry'));

/** Paths of what decided, by entry. */
function decided(each: readonly string[], when?: MapCondition, claims: readonly string[] = []): string[][] | undefined {
  const choice = compileChoice(each.map(parseSourcePath), when, claims.map(parseSourcePath));
  const of = choice?.(root);
  return of && entries.map((node) => [...of(node)].map(({ path }) => path));
}

describe('what decided that a node makes a resource', () => {
  it.each<[string, readonly string[], MapCondition | undefined, readonly string[] | undefined, string[][] | undefined]>([
    [
      'a value that its path demands',
      ["section[code/@code='A']/entry"],
      undefined,
      [],
      [['section[1]/code/@code'], ['section[2]/code/@code'], []],
    ],
    [
      'values of two steps',
      ["section[code/@code='A']/entry[@moodCode='INT']"],
      undefined,
      [],
      [[], ['section[2]/code/@code', 'section[2]/entry/@moodCode'], []],
    ],
    [
      'values of either path',
      ["section[code/@code='A']/entry", "section/entry[@moodCode='EVN']"],
      undefined,
      [],
      [['section[1]/code/@code', 'section[1]/entry/@moodCode'], ['section[2]/code/@code'], ['section[3]/entry/@moodCode']],
    ],
    [
      'no value that merely had to be there, or not to be this one',
      ['section[code]/entry', "section[code/@code!='A']/entry"],
      undefined,
      [],
      undefined,
    ],
    ['no place', ['section[1]/entry'], undefined, [], undefined],
    [
      'a value that the condition asks for',
      ['section/entry'],
      { path: '../code/@code', in: ['B', 'C'] },
      [],
      [[], [], ['section[3]/code/@code']],
    ],
    ['none that it denies', ['section/entry'], { not: { path: '../code/@code', in: ['B'] } }, [], undefined],
    ['none that merely stands there', ['section/entry'], { path: '../code/@code', present: true }, [], undefined],
    [
      'of alternatives those that hold',
      ['section/entry'],
      {
        any: [
          {
            all: [
              { path: '../code/@code', in: ['A'] },
              { path: '@moodCode', in: ['INT'] },
            ],
          },
          { path: '@moodCode', in: ['EVN'] },
        ],
      },
      [],
      [['section[1]/entry/@moodCode'], ['section[2]/code/@code', 'section[2]/entry/@moodCode'], ['section[3]/entry/@moodCode']],
    ],
    [
      'all of what the rule claims',
      ['section/entry'],
      undefined,
      ["../code[@code='B']"],
      [[], [], ['section[3]/code/@code', 'section[3]/code/@codeSystem']],
    ],
  ])('is %s', (_what, each, when, claims, expected) => expect(decided(each, when, claims)).toEqual(expected));
});
