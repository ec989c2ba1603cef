import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countryPack, toFhirJson, translate } from '@portolan/formats';
import type { DataCategory, SummaryWording } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { covers } from './covers.js';
import type { StoredResource } from './record-source.port.js';
import { release, type Release } from './release.js';
import { isWellFormed } from './well-formed.fixture.js';

const libs = join(import.meta.dirname, '../../..');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function folder(cc: string): Record<string, unknown> {
  const home = join(libs, 'countries', cc);
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(home, file), 'utf8'))]));
}

/** What a node would hold of a person after these documents came. */
function stored(cc: string, ...files: readonly string[]): StoredResource[] {
  const { 'wording.json': _wording, ...rest } = folder(cc);
  const country = countryPack(rest);
  const received = '2026-11-21T10:00:00.000Z';
  return files.flatMap((file) => {
    const answer = translate({ bytes: readFileSync(join(libs, 'formats/fixtures', file)), format: 'auto', country, sha256, received });
    expect(answer.account.rejects).toEqual([]);
    return answer.resources.map((resource) => ({
      type: resource.resourceType,
      id: resource.id,
      versionId: '1',
      lastUpdated: received,
      text: toFhirJson(resource),
      categories: [],
      custodian: cc.toUpperCase(),
    }));
  });
}

function released(
  cc: string,
  system: string,
  value: string,
  categories: readonly DataCategory[],
  ...files: readonly string[]
): Release | undefined {
  return release({
    permit: { categories, identifiers: [{ system, value }] },
    asked: { categories },
    gathered: stored(cc, ...files),
    custodian: { country: cc.toUpperCase(), identifier: { system: `urn:portolan:demo:${cc}`, value: 'node' }, name: 'National node' },
    wording: folder(cc)['wording.json'] as SummaryWording,
    timestamp: '2026-11-21T10:00:00.000Z',
    sha256,
  });
}

const cases = [
  {
    cc: 'ee',
    system: 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1',
    value: '47101010033',
    files: ['cda/ee-mari-naidis-summary.xml', 'hl7v2/ee-oru-r01-chemistry.hl7'],
    says: ['Uuringute tulemused', 'Penitsilliin', '2.50'],
  },
  {
    cc: 'pt',
    system: 'urn:oid:2.16.620.1.101.10.1.2',
    value: '999000001',
    files: ['cda/pt-ana-exemplo-summary.xml'],
    says: ['Alergias e intolerâncias', 'Amendoim'],
  },
  {
    cc: 'de',
    system: 'http://fhir.de/sid/gkv/kvid-10',
    value: 'X000000001',
    files: ['cda/de-erika-beispiel-summary.xml', 'ldt/de-erika-beispiel-lab.ldt'],
    says: ['Allergien und Unverträglichkeiten', '716186003', '7.80'],
  },
  {
    cc: 'be',
    system: 'https://www.ehealth.fgov.be/standards/fhir/core/NamingSystem/ssin',
    value: '71010100033',
    files: ['kmehr/be-jan-voorbeeld-medication-scheme.xml', 'kmehr/be-jan-voorbeeld-sumehr.xml'],
    says: ['Medicatieoverzicht', 'Zinkzalf'],
  },
] as const;

describe.each(cases)('what $cc sends of the documents that its systems sent', ({ cc, system, value, files, says }) => {
  const out = released(cc, system, value, ['summary', 'laboratory'], ...files);
  const bundle = JSON.parse(out?.text ?? '{}') as fhir4.Bundle;

  it('is a summary in its language, with what the sources say', () => {
    expect(bundle.type).toBe('document');
    for (const words of says) expect(out?.text).toContain(words);
  });

  it('passes the receiver, names nobody but by what was sent, and refers to nothing that it does not hold', () => {
    expect(covers({ categories: ['summary', 'laboratory'], identifiers: [{ system, value }] }, out?.text ?? '')).toEqual({ covered: true });
    expect(
      bundle.entry?.flatMap((e) => (e.resource?.resourceType === 'Patient' ? [(e.resource as fhir4.Patient).identifier] : [])),
    ).toEqual([[{ system, value }]]);
    const urls = bundle.entry?.map((e) => e.fullUrl);
    for (const [, reference] of out?.text.matchAll(/"reference":"([^"]*)"/g) ?? []) expect(urls).toContain(reference);
  });

  it('has well-formed narrative in every section', () => {
    const composition = bundle.entry?.[0]?.resource as fhir4.Composition;
    for (const { text } of composition.section ?? []) expect(isWellFormed(text?.div ?? '')).toBe(true);
  });
});
