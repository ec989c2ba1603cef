import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MapSet } from '../../engine/index.js';
import { translate } from '../../translate.js';
import { hl7v2 } from '../../hl7v2/index.js';
import { countryOfTables, specimenOf, typedValues } from './index.js';

const shared = join(import.meta.dirname, '../../../../../../shared/fixtures/hl7v2');
const files = existsSync(shared) ? readdirSync(shared).filter((name) => name.endsWith('.hl7')) : [];
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const country = countryOfTables();
const set = (): MapSet => country.sets.get('hl7v2')!;

/** Largest share of a message's values that may be left out on purpose. */
const MOST_IGNORED = 0.02;
/** Share of the values that a row takes that stand in a typed element, below which we do not fall; `npm run coverage:maps` tells the number. */
const LEAST_TYPED = 0.965;
/** The same of all values for whose field the tables have any row, whatever it demands. */
const LEAST_OF_NAMED = 0.87;

describe.skipIf(files.length === 0)('Public messages (../shared/fixtures/hl7v2)', () => {
  it.each(files)('%s: every value is mapped, carried or ignored by name', (file) => {
    const bytes = readFileSync(join(shared, file));
    const { account } = translate({ bytes, format: 'hl7v2', country, sha256, received: '2026-11-20T10:00:00.000Z' });
    const values = hl7v2
      .read(bytes, { maxBytes: 1_048_576 })
      .root.leaves()
      .filter(({ value }) => value !== '');
    const named = new Set([...account.mapped, ...account.carried, ...account.ignored].map(({ path }) => path));
    expect(values.filter(({ path }) => !named.has(path)).map(({ path }) => path)).toEqual([]);
    // MSH-1 and MSH-2, the delimiters, are the two that are left out of any message.
    expect(account.ignored.length).toBeLessThanOrEqual(Math.max(2, MOST_IGNORED * values.length));
  });

  it('gives no place to what no row takes: a false condition, a literal, a code without a counterpart', () => {
    const text = 'MSH|^~\\&|A|B|C|D|20260101||ADT^A01^ADT_A01|1|P|2.8\rPID|1||7^^^X||A^B||||||||||||||||||N|2|||||20260102|Y\r';
    const one = specimenOf('made', new TextEncoder().encode(text), country, sha256);
    const { missing, named, values } = typedValues(one.root, one.translated(set()));
    // PID-24 and PID-30 speak only where PID-25 and PID-29 are silent.
    expect(named - values).toBeGreaterThanOrEqual(2);
    expect(missing.map(({ path }) => path)).not.toContain('PID-24');
    expect(missing.map(({ path }) => path)).not.toContain('PID-30');
    const without = typedValues(one.root, { drafts: [], warnings: [] });
    expect(without.typed).toBe(0);
    expect(without.missing.map(({ path }) => path)).toContain('PID-29');
  });

  it('stand in typed elements, where HL7’s tables have a place for them', () => {
    const counts = files.map((file) => {
      const one = specimenOf(file, readFileSync(join(shared, file)), country, sha256);
      return typedValues(one.root, one.translated(set()));
    });
    const sum = (what: 'named' | 'values' | 'typed' | 'typedOfNamed'): number => counts.reduce((total, one) => total + one[what], 0);
    expect(files.length).toBeGreaterThanOrEqual(57);
    expect(sum('typed') / sum('values')).toBeGreaterThanOrEqual(LEAST_TYPED);
    expect(sum('typedOfNamed') / sum('named')).toBeGreaterThanOrEqual(LEAST_OF_NAMED);
  });
});
