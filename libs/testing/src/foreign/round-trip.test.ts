import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SummaryWording } from '@portolan/contracts';
import { release } from '@portolan/domain';
import { countryPack, toFhirJson, translate, type CountryPack, type FhirResource } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { repository } from '../world/repository.js';
import { sha256, translated } from './foreign.fixture.js';

const libs = join(repository, 'libs');
const received = '2026-11-21T10:00:00.000Z';

function country(cc: string): { pack: CountryPack; wording: SummaryWording } {
  const home = join(libs, 'countries', cc);
  const names = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  const files = names.map((file): [string, unknown] => [file, JSON.parse(readFileSync(join(home, file), 'utf8'))]);
  const { 'wording.json': wording, ...rest } = Object.fromEntries(files);
  return { pack: countryPack(rest), wording: wording as SummaryWording };
}

/** The summary that a country makes of its own documents. */
function summaryOf(cc: string, identifier: { system: string; value: string }, files: readonly string[]): string {
  const { pack, wording } = country(cc);
  const resources = files.flatMap((file) => {
    const bytes = readFileSync(join(libs, 'formats/fixtures', file));
    return translate({ bytes, format: 'auto', country: pack, sha256, received }).resources;
  });
  const custodian = cc.toUpperCase();
  const out = release({
    permit: { categories: ['summary', 'laboratory'], identifiers: [identifier] },
    asked: { categories: ['summary', 'laboratory'] },
    gathered: resources.map((one) => ({
      type: one.resourceType,
      id: one.id,
      versionId: '1',
      lastUpdated: received,
      text: toFhirJson(one),
      categories: [],
      custodian,
    })),
    custodian: { country: custodian, identifier: { system: `urn:portolan:demo:${cc}`, value: 'node' }, name: 'National node' },
    wording,
    timestamp: received,
    sha256,
  });
  return out?.text ?? '';
}

/** A resource without what names it and others: its own id, `meta`, and the ids in references. */
const withoutNames = ({ id: _id, meta: _meta, ...elements }: FhirResource): string =>
  toFhirJson(elements)
    .replaceAll(/"reference":"[^"]*"/g, '"reference":""')
    .replaceAll(/"profile":\[[^\]]*\],?/g, '');

const sorted = (text: string): string => {
  const order = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(order)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .toSorted(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, one]) => [name, order(one)]),
          )
        : value;
  return JSON.stringify(order(JSON.parse(text)));
};

describe('our own summary, given to another country as a document from abroad', () => {
  it.each([
    ['ee', 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1', '47101010033', ['cda/ee-mari-naidis-summary.xml', 'hl7v2/ee-oru-r01-chemistry.hl7']],
    ['de', 'http://fhir.de/sid/gkv/kvid-10', 'X000000001', ['cda/de-erika-beispiel-summary.xml', 'ldt/de-erika-beispiel-lab.ldt']],
  ] as const)('of %s: the same resources, closed, about the same person, nothing refused', (cc, system, value, files) => {
    const summary = summaryOf(cc, { system, value }, files);
    const { entry } = JSON.parse(summary) as { entry: { resource: FhirResource }[] };
    const { resources, account, persons } = translated(new TextEncoder().encode(summary), country('pt').pack);
    expect(account.rejects).toEqual([]);
    expect(account.warnings.filter(({ code }) => code === 'translate.reference-open')).toEqual([]);
    expect(persons).toMatchObject([{ identifiers: [{ system, value }] }]);
    const own = (all: readonly FhirResource[]): string[] => all.map((one) => sorted(withoutNames(one))).toSorted();
    expect(entry.length).toBeGreaterThan(5);
    expect(own(resources)).toEqual(own(entry.map(({ resource }) => resource)));
    expect(new Set(resources.map(({ id }) => id)).size).toBe(entry.length);
    for (const [, digits] of summary.matchAll(/"value":(\d+\.\d*0)[,}]/g))
      expect(toFhirJson(resources as never)).toContain(`"value":${digits}`);
  });
});
