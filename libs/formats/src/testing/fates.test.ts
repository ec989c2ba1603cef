import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { translate, type Translation } from '../translate.js';
import { fatesOf } from './documents.js';

const own = join(import.meta.dirname, '../../fixtures');
const shared = join(import.meta.dirname, '../../../../../shared/fixtures');
const countries = join(import.meta.dirname, '../../../countries');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function packOf(cc: string): ReturnType<typeof countryPack> {
  const names = readdirSync(join(countries, cc), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  return countryPack(Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(join(countries, cc, name), 'utf8'))])));
}

function translations(folder: string, ending: string, cc: string): Translation[] {
  const country = packOf(cc);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending));
  return files.map((name) => {
    const bytes = readFileSync(join(folder, name));
    return translate({ bytes, format: 'auto', country, sha256, received: '2026-11-29T10:00:00.000Z', maxBytes: 10_000_000 });
  });
}

/** Largest share of the values of a format that may be left out on purpose. */
const MOST_IGNORED = 0.02;

describe('of the values of a format at most 2 % are ignored', () => {
  it.each([
    ['hl7v2', '.hl7', 'ee'],
    ['cda', '.xml', 'pt'],
    ['kmehr', '.xml', 'be'],
    ['ldt', '.ldt', 'de'],
  ])('%s, our own documents', (name, ending, cc) => {
    const { values, ignored } = fatesOf(translations(join(own, name), ending, cc));
    expect(values).toBeGreaterThan(100);
    expect(ignored / values).toBeLessThanOrEqual(MOST_IGNORED);
  });
  it.each([
    ['hl7v2', '.hl7', 'pt'],
    ['ccda', '', 'pt'],
    ['ehdsi-patient-summary', '.xml', 'pt'],
    ['kmehr', '.kmehr.xml', 'be'],
  ])('%s, public documents (skipped where ../shared/fixtures is absent)', (name, ending, cc) => {
    if (!existsSync(join(shared, name))) return;
    const { values, ignored } = fatesOf(translations(join(shared, name), ending, cc));
    expect(values).toBeGreaterThan(1000);
    expect(ignored / values).toBeLessThanOrEqual(MOST_IGNORED);
  });
});
