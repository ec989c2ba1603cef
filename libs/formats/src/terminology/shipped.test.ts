import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isSnomedCode } from './check-digits.js';
import { Displays } from './displays.js';
import { freeSnomed, freeSnomedSet, hl7Release, hl7Systems } from './shipped.js';
import hl7 from './shipped/hl7.json' with { type: 'json' };
import snomed from './shipped/snomed-gps.json' with { type: 'json' };

const libs = join(import.meta.dirname, '../../..');
const HL7 = 'http://terminology.hl7.org/CodeSystem/';
const codesOf = (system: string): ReadonlyMap<string, unknown> => hl7Systems.get(`${HL7}${system}`)?.concepts ?? new Map();

/** What we name and does not ship: R4's own (these two are not in HL7's package), and one whose codes are asked for in any case of letters. */
const notShipped = ['medicationdispense-status', 'restful-security-service', 'v3-ObservationValue'];

describe('the code systems of HL7 that ship', () => {
  it('are those of one release, under CC0, whole, within a megabyte', () => {
    expect(hl7Release).toBe('hl7.terminology.r4 7.0.1');
    expect(hl7.source).toMatchObject({ licence: 'CC0-1.0', sha512: expect.stringMatching(/^[A-Za-z0-9+/]{86}==$/) as string });
    expect([...hl7Systems.values()].every(({ content }) => content === 'complete')).toBe(true);
    expect(JSON.stringify(hl7).length).toBeLessThan(1_000_000);
  });
  it('have what HL7 publishes: codes, displays, what stands above, what is out of use', () => {
    expect(codesOf('v3-NullFlavor').size).toBe(17);
    expect(codesOf('v2-0203').get('MR')).toMatchObject({ display: 'Medical record number' });
    expect(codesOf('v3-ActCode').get('AMB')).toMatchObject({ display: 'ambulatory', parents: ['_ActEncounterCode'] });
    expect(hl7Systems.get(`${HL7}v3-ActCode`)?.below('_ActEncounterCode').has('IMP')).toBe(true);
  });
  it('stand under concepts that are there', () => {
    const lost = [...hl7Systems.values()].flatMap(({ url, concepts }) =>
      [...concepts.values()].flatMap(({ code, parents }) =>
        parents.filter((one) => !concepts.has(one)).map((one) => `${url} ${code} ${one}`),
      ),
    );
    expect(lost).toEqual([]);
  });
  it('are those that our rules, code maps and countries name', () => {
    const named = new Set<string>();
    for (const folder of ['formats/src', 'countries', 'domain/src'])
      for (const name of readdirSync(join(libs, folder), { recursive: true, encoding: 'utf8' })) {
        if (!/\.(json|ts)$/.test(name) || name.includes('shipped') || name.endsWith('.test.ts')) continue;
        const text = readFileSync(join(libs, folder, name), 'utf8');
        for (const [url] of text.matchAll(/http:\/\/terminology\.hl7\.org\/CodeSystem\/[A-Za-z0-9.-]*[A-Za-z0-9]/g)) named.add(url);
      }
    const missing = [...named].filter((url) => !hl7Systems.has(url)).map((url) => url.slice(HL7.length));
    // Tables of HL7 v2 that HL7 leaves to each site have no codes, and no code system that could ship.
    expect(missing.filter((name) => !/^v2(-\d{4})?$/.test(name)).sort()).toEqual(notShipped);
  });
});

describe('SNOMED CT’s free set', () => {
  it('has 26,158 concepts, each of which has a right check digit and a name', () => {
    expect(freeSnomed.concepts.size).toBe(26_158);
    const wrong = [...freeSnomed.concepts.values()].filter(({ code, display }) => !isSnomedCode(code) || display === undefined);
    expect(wrong).toEqual([]);
  });
  it('says its licence and who gives it, and is told to be a part', () => {
    expect(snomed.source.licence).toBe('CC-BY-4.0');
    expect(snomed.notice).toContain('Creative Commons Attribution 4.0 International Public License');
    expect(snomed.notice).toContain('SNOMED CT is © and ® SNOMED International');
    expect(freeSnomed.content).toBe('fragment');
  });
  it('is a value set', () => {
    expect(freeSnomedSet.expanded?.has('http://snomed.info/sct', '38341003')).toBe(true);
    expect(freeSnomedSet.expanded?.has('http://snomed.info/sct', '138875005')).toBe(false);
  });
});

describe('a code whose source gave no display', () => {
  const displays = Displays.of([]);
  it.each([
    [`${HL7}v3-ActCode`, 'AMB', 'ambulatory'],
    ['http://snomed.info/sct', '38341003', 'Hypertensive disorder, systemic arterial (disorder)'],
    [`${HL7}v3-ActCode`, 'unheard-of', undefined],
    ['urn:other', 'AMB', undefined],
  ])('%s %s is called %s', (system, code, text) => expect(displays.named(system, code)?.text).toBe(text));
  it('is no wording of the reader’s', () => expect(displays.wording(`${HL7}v3-ActCode`, 'AMB', ['en'])).toBeUndefined());
});
