import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validators, type NodeConfig } from '@portolan/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readCountry } from './read-country.js';

const own = join(import.meta.dirname, '../../../countries/ee');
const validators = new Validators();
let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'portolan-country-'));
  cpSync(own, join(work, 'ee'), { recursive: true });
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

const read = (): Promise<unknown> => readCountry({ country: 'EE', home: work, countries: work, custodian: {} } as NodeConfig, validators);
const text = (file: string): string => readFileSync(join(own, file), 'utf8');
const lineOf = (file: string, part: string): number => text(file).slice(0, text(file).indexOf(part)).split('\n').length;

describe('a mistake in a country’s folder is told with file and line', () => {
  const files = ['policy/policy.json', 'wording.json', 'country.json', 'maps/admission.json', 'code-maps/units.json'];
  afterEach(() => files.forEach((file) => writeFileSync(join(work, 'ee', file), text(file))));

  it.each([
    ['policy/policy.json', '"permitHours": 24', '"permitHours": "long"', 'translate.country-invalid'],
    ['policy/policy.json', '"graceSeconds": 600', '"graceSeconds": -1', 'translate.country-invalid'],
    ['wording.json', '"language": "et"', '"language": 5', 'translate.country-invalid'],
    ['wording.json', '"referrals": "Saatekirjad"', '"referrals": ""', 'translate.country-invalid'],
    ['wording.json', '"language": "et",', '"language": "et"', 'translate.country-invalid'],
    ['country.json', '"languages": [', '"languages": [1, ', 'translate.country-invalid'],
    ['maps/admission.json', '"format": "hl7v2"', '"format": "hl7v9"', 'translate.map-invalid'],
    ['code-maps/units.json', '"resourceType": "ConceptMap"', '"resourceType": "ConceptMop"', 'translate.map-invalid'],
  ])('%s: %s', async (file, right, wrong, code) => {
    expect(text(file)).toContain(right);
    writeFileSync(join(work, 'ee', file), text(file).replace(right, wrong));
    const line = lineOf(file, right);
    const place = expect.stringMatching(new RegExp(`^${file.replaceAll('.', '\\.')}:(${line}|${line + 1})( |$)`)) as unknown;
    await expect(read()).rejects.toMatchObject({ code, where: place });
  });

  it('and one without a mistake is read', async () => {
    await expect(read()).resolves.toBeDefined();
  });
});
