import { PortolanError } from '@portolan/contracts';
import type { FhirObject } from '@portolan/formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesSearch } from './match-search.js';
import { pageToken, searchInMemory, type Searchable } from './page.js';
import { parseSearch } from './parse-search.js';
import { searchValues } from './search-values.js';
import { instantOf } from './time-range.js';

const DAY = 86_400_000;
const day = (n: number): string => instantOf(Date.UTC(2024, 0, 1) + n * DAY).slice(0, 10);

const encounter = fc.record({ from: fc.integer({ min: 0, max: 40 }), length: fc.integer({ min: 0, max: 20 }), dated: fc.boolean() });
const encounters = fc.array(encounter, { maxLength: 30 }).map((rows) =>
  rows.map(({ from, length, dated }, i): Searchable => {
    const period: FhirObject = dated ? { period: { start: day(from), end: day(from + length) } } : {};
    return { id: `e${i}`, values: searchValues({ resourceType: 'Encounter', id: `e${i}`, ...period }) };
  }),
);

function allPages(parameters: string, candidates: readonly Searchable[]): string[] {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const extra: [string, string][] = cursor === undefined ? [] : [['_cursor', cursor]];
    const page = searchInMemory(parseSearch('Encounter', [...new URLSearchParams(parameters), ...extra]), candidates);
    ids.push(...page.matches.map((m) => m.id));
    cursor = page.next;
  } while (cursor !== undefined && ids.length <= candidates.length);
  return ids;
}

describe('paging', () => {
  it('shows every match once, in one order, whatever the page size', () => {
    const sorts = fc.constantFrom('', '&_sort=date', '&_sort=-date', '&_sort=-date,_id', '&_sort=_id');
    fc.assert(
      fc.property(encounters, sorts, fc.integer({ min: 1, max: 7 }), (candidates, sort, count) => {
        const whole = allPages(`_count=200${sort}`, candidates);
        expect(allPages(`_count=${count}${sort}`, candidates)).toEqual(whole);
        expect([...whole].sort()).toEqual(candidates.map((c) => c.id).sort());
      }),
    );
  });

  it('a token belongs to its search, whatever is left of the match it names', () => {
    const query = parseSearch('Encounter', [['_count', '1']]);
    const token = pageToken(query, 'gone');
    expect(searchInMemory(parseSearch('Encounter', [['_cursor', token]]), []).matches).toEqual([]);
    expect(() => parseSearch('Encounter', [['status', 'planned'], ['_cursor', token]])).toThrow(PortolanError); // prettier-ignore
    expect(token).toMatch(/^[\w-]+$/);
  });
});

describe('date prefixes', () => {
  const holds: Record<string, (from: number, to: number, a: number, b: number) => boolean> = {
    eq: (from, to, a, b) => from >= a && to <= b,
    ne: (from, to, a, b) => !(from >= a && to <= b),
    gt: (_from, to, _a, b) => to > b,
    lt: (from, _to, a) => from < a,
    ge: (from, to, a, b) => to > b || (from >= a && to <= b),
    le: (from, to, a, b) => from < a || (from >= a && to <= b),
    sa: (from, _to, _a, b) => from > b,
    eb: (_from, to, a) => to < a,
  };
  it('agree with counting days', () => {
    const days = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 40 }));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(holds)), days, (prefix, [from, length, asked]) => {
        const values = searchValues({ resourceType: 'Encounter', period: { start: day(from), end: day(from + length) } });
        const query = parseSearch('Encounter', [['date', `${prefix}${day(asked)}`]]);
        expect(matchesSearch(query, values)).toBe(holds[prefix]?.(from, from + length, asked, asked));
      }),
    );
  });
});

describe('any search', () => {
  it('is read or refused by a code, and never anything else', () => {
    const name = fc.oneof(
      fc.constantFrom('name', 'birthdate', 'identifier', 'organization', '_sort', '_include', '_cursor', '_count'),
      fc.string(),
    );
    const modifier = fc.constantFrom('', ':exact', ':not', ':missing', ':x', ':identifier');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, modifier, fc.string()), { maxLength: 5 }), (parameters) => {
        try {
          const query = parseSearch('Patient', parameters.map(([n, m, v]) => [n + m, v] as const)); // prettier-ignore
          expect(query.clauses.length + query.ignored).toBeLessThanOrEqual(parameters.length);
        } catch (error) {
          expect(error).toBeInstanceOf(PortolanError);
        }
      }),
    );
  });
});
