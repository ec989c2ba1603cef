import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { translate } from '../../translate.js';
import { hl7v2 } from '../../hl7v2/index.js';
import { countryOfTables, specimenOf, typedValues } from './index.js';

const shared = join(import.meta.dirname, '../../../../../../shared/fixtures/hl7v2');
const files = existsSync(shared) ? readdirSync(shared).filter((name) => name.endsWith('.hl7')) : [];
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const country = countryOfTables();

/** Largest share of a message's values that may be left out on purpose. */
const MOST_IGNORED = 0.02;
/** Share of the values with a row that stand in a typed element, below which we do not fall; `npm run coverage:maps` tells the number. */
const LEAST_TYPED = 0.85;

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

  it('stand in typed elements, where HL7’s tables have a place for them', () => {
    const set = country.sets.get('hl7v2')!;
    const counts = files.map((file) => {
      const one = specimenOf(file, readFileSync(join(shared, file)), country, sha256);
      return typedValues(one.root, one.drafts(set));
    });
    const [values, typed] = [counts.reduce((sum, one) => sum + one.values, 0), counts.reduce((sum, one) => sum + one.typed, 0)];
    expect(files.length).toBeGreaterThanOrEqual(57);
    expect(typed / values).toBeGreaterThanOrEqual(LEAST_TYPED);
  });
});
