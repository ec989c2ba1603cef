import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodeMembers } from './code-members.js';
import { readValueSet, resolveValueSets } from './value-set.js';

const systems = ['urn:a', 'urn:b'] as const;
const codes = ['1', '2', '3', '4'] as const;
const places = systems.flatMap((system) => codes.map((code) => [system, code] as const));

const listed = fc.tuple(fc.constantFrom(...systems), fc.subarray([...codes])).map(([system, some]) => CodeMembers.of(system, some));
const whole = fc.constantFrom(...systems).map((system) => CodeMembers.whole(system));
const members = fc
  .array(fc.oneof(listed, whole), { maxLength: 4 })
  .map((all) => all.reduce((sum, one) => sum.union(one), CodeMembers.none));
const cut = fc.tuple(members, members).map(([a, b]) => a.difference(b));
const anySet = fc.oneof(members, cut);
const isIn = (set: CodeMembers): boolean[] => places.map(([system, code]) => set.has(system, code));
const by = (a: CodeMembers, b: CodeMembers, what: (a: boolean, b: boolean) => boolean): boolean[] =>
  isIn(a).map((one, i) => what(one, isIn(b)[i] ?? false));

describe('sets of codes', () => {
  it('join, meet and are taken from each other as sets are', () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        expect(isIn(a.union(b))).toEqual(by(a, b, (x, y) => x || y));
        expect(isIn(a.intersection(b))).toEqual(by(a, b, (x, y) => x && y));
        expect(isIn(a.difference(b))).toEqual(by(a, b, (x, y) => x && !y));
      }),
    );
  });
  it('without a system, a code is in where it is under any', () => {
    fc.assert(
      fc.property(anySet, fc.constantFrom(...codes), (set, code) => {
        expect(set.has(undefined, code)).toBe(systems.some((system) => set.has(system, code)));
      }),
    );
  });
});

interface Part {
  readonly system: string;
  readonly concept: readonly { readonly code: string }[];
}
const part: fc.Arbitrary<Part> = fc
  .tuple(fc.constantFrom(...systems), fc.subarray([...codes]))
  .map(([system, some]) => ({ system, concept: some.map((code) => ({ code })) }));
const holds = (parts: readonly Part[], [system, code]: readonly [string, string]): boolean =>
  parts.some((one) => one.system === system && one.concept.some((concept) => concept.code === code));

describe('a value set', () => {
  it('holds what is included and not excluded', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.array(part, { maxLength: 4 }), (include, exclude) => {
        const set = readValueSet({ resourceType: 'ValueSet', url: 'urn:vs', compose: { include, exclude } });
        const found = resolveValueSets({ sets: new Map([['urn:vs', set]]), systems: new Map() }, () => expect.unreachable()).get('urn:vs');
        expect(places.map((place) => found?.has(...place))).toEqual(places.map((place) => holds(include, place) && !holds(exclude, place)));
      }),
    );
  });
  it('that leads back to itself, over whatever sets, is refused, and no other one is', () => {
    const names = ['urn:0', 'urn:1', 'urn:2', 'urn:3', 'urn:4'];
    const graph = fc.tuple(...names.map(() => fc.subarray(names)));
    fc.assert(
      fc.property(graph, (imports) => {
        const sets = new Map(
          names.map((url, i) => {
            const include = [{ system: 'urn:a', concept: [{ code: '1' }] }, ...(imports[i] ?? []).map((one) => ({ valueSet: [one] }))];
            return [url, readValueSet({ resourceType: 'ValueSet', url, compose: { include } })];
          }),
        );
        const refused: string[] = [];
        resolveValueSets({ sets, systems: new Map() }, (url) => void refused.push(url));
        expect(refused).toEqual(names.filter((url) => reachesCircle(url, names, imports)));
      }),
    );
  });
});

/** By walking: from the set one comes to a set from which one comes back to it. */
function reachesCircle(url: string, names: readonly string[], imports: readonly (readonly string[])[]): boolean {
  const next = (one: string): readonly string[] => imports[names.indexOf(one)] ?? [];
  const reach = (from: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const open = [...next(from)];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      open.push(...next(at));
    }
    return seen;
  };
  return [url, ...reach(url)].some((one) => reach(one).has(one));
}
