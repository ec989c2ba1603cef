import { formats } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { DATA_CATEGORIES } from '../kernel/data-categories.js';
import { isSupporting, typesGiving } from './categories.js';
import { NEVER_CROSSES } from './never-crossing.js';

interface LooseMap {
  readonly resources?: readonly { readonly resource?: string; readonly beside?: boolean }[];
}
const made = new Set(
  formats.flatMap(({ maps }) =>
    Object.values(maps).flatMap((map) =>
      ((map as LooseMap).resources ?? []).flatMap(({ resource, beside }) => (resource === undefined || beside === true ? [] : [resource])),
    ),
  ),
);
const categorised = new Set(typesGiving(DATA_CATEGORIES));

describe('whether a resource may cross', () => {
  it('is decided for every type that a format makes', () => {
    expect(made.size).toBeGreaterThan(40);
    expect([...made].filter((type) => !categorised.has(type) && !isSupporting(type) && NEVER_CROSSES[type] === undefined)).toEqual([]);
  });

  it('is decided once', () => {
    expect(Object.keys(NEVER_CROSSES).filter((type) => categorised.has(type) || isSupporting(type))).toEqual([]);
  });

  it('is decided of nothing that nobody makes', () => {
    expect(Object.keys(NEVER_CROSSES).filter((type) => !made.has(type))).toEqual([]);
  });
});
