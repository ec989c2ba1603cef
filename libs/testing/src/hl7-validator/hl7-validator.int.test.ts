import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataCategory, SummaryWording } from '@portolan/contracts';
import {
  assembleReport,
  DATA_CATEGORIES,
  inReadersWords,
  judgeOf,
  keyOf,
  minimise,
  release,
  reportKindOf,
  writeResource,
  type Resource,
} from '@portolan/domain';
import { R4Validator } from '@portolan/fhir-validator';
import { bundleOf, countryPack, toFhirJson, translate, type CountryPack, type Translation } from '@portolan/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../world/repository.js';
import { Hl7Validator, IPS_BUNDLE } from './hl7-validator.js';

const libs = join(repository, 'libs');
const shared = join(repository, '../shared/fixtures');
const received = '2026-11-21T10:00:00.000Z';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const judge = judgeOf(new R4Validator());

const packs = new Map<string, { pack: CountryPack; wording: SummaryWording }>();
function country(cc: string): { pack: CountryPack; wording: SummaryWording } {
  const home = join(libs, 'countries', cc);
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  const { 'wording.json': wording, ...rest } = Object.fromEntries(
    files.map((file): [string, unknown] => [file, JSON.parse(readFileSync(join(home, file), 'utf8'))]),
  );
  const made = packs.get(cc) ?? { pack: countryPack(rest), wording: wording as SummaryWording };
  packs.set(cc, made);
  return made;
}

const translated = (file: string, cc: string): Translation =>
  translate({ bytes: readFileSync(file), format: 'auto', country: country(cc).pack, sha256, received, judge });

/** Our own documents, each of the country that its name begins with, and the public ones. */
const own = readdirSync(join(libs, 'formats/fixtures'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(hl7|xml|ldt|json)$/.test(file))
  .map((file) => ({ file: join(libs, 'formats/fixtures', file), name: file, cc: /[^/]+$/.exec(file)?.[0].slice(0, 2) ?? '' }));
const publicOnes = (folder: string, cc: string, ends: RegExp): { file: string; name: string; cc: string }[] =>
  existsSync(join(shared, folder))
    ? readdirSync(join(shared, folder))
        .filter((name) => ends.test(name))
        .map((name) => ({ file: join(shared, folder, name), name, cc }))
    : [];

const validator = await Hl7Validator.start();
const ready = 'absent' in validator ? undefined : validator;
const absent = 'absent' in validator ? `: ${validator.absent}` : '';

describe.skipIf(ready === undefined)(`HL7’s validator${absent}`, () => {
  afterAll(async () => ready?.close());

  it('finds what is wrong', async () => {
    const errors = await ready?.errors('{"resourceType":"Observation","status":"final","valueQuantity":{"value":"much"}}');
    expect(errors?.map(({ where }) => where).join()).toMatch(/Observation/);
    expect(errors?.map(({ message }) => message).join('\n')).toMatch(/Observation\.code: minimum required = 1/);
  });

  async function expectNone(files: readonly { file: string; name: string; cc: string }[]): Promise<void> {
    const wrong: Record<string, unknown> = {};
    for (const { file, name, cc } of files) {
      const { resources, beside } = translated(file, cc);
      const errors = await ready?.errors(toFhirJson(bundleOf([...resources, ...beside], 'https://node.example/fhir')));
      if (errors?.length !== 0) wrong[name] = errors;
    }
    expect(wrong).toEqual({});
  }

  it('has no error in what we make of our own documents', { timeout: 600_000 }, async () => {
    expect(own.length).toBeGreaterThanOrEqual(15);
    await expectNone(own);
  });

  describe.skipIf(!existsSync(shared))('reads ../shared/fixtures', () => {
    const folders = [
      ['hl7v2', 'ee', /./, 57],
      ['ehdsi-patient-summary', 'pt', /\.xml$/, 5],
      ['ccda', 'pt', /\.ccda$/, 14],
      ['kmehr/medication-scheme', 'be', /\.kmehr\.xml$/, 9],
      ['kmehr/medication-scheme', 'ee', /\.fhir\.json$/, 9],
    ] as const;
    it.each(folders)('and has no error in what we make of %s', { timeout: 600_000 }, async (folder, cc, ends, least) => {
      const files = publicOnes(folder, cc, ends).filter(({ name }) => !name.startsWith('.'));
      expect(files.length).toBeGreaterThanOrEqual(least);
      await expectNone(files);
    });
  });

  it('has no error in the documents of reports and stays that we make of our own documents', { timeout: 600_000 }, async () => {
    const wrong: Record<string, unknown> = {};
    const made = { laboratory: 0, imaging: 0, discharge: 0 };
    for (const { file, name, cc } of own) {
      for (const { kind, text } of reportsOf(translated(file, cc).resources, cc)) {
        made[kind] += 1;
        const errors = await ready?.errors(text);
        if (errors?.length !== 0) wrong[`${name} ${kind}`] = errors;
      }
    }
    expect(wrong).toEqual({});
    for (const count of Object.values(made)) expect(count).toBeGreaterThan(0);
  });

  const summaries = [
    ['ee', 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1', '47101010033', ['cda/ee-mari-naidis-summary.xml', 'hl7v2/ee-oru-r01-chemistry.hl7']],
    ['pt', 'urn:oid:2.16.620.1.101.10.1.2', '999000001', ['cda/pt-ana-exemplo-summary.xml']],
    ['de', 'http://fhir.de/sid/gkv/kvid-10', 'X000000001', ['cda/de-erika-beispiel-summary.xml', 'ldt/de-erika-beispiel-lab.ldt']],
    [
      'be',
      'https://www.ehealth.fgov.be/standards/fhir/core/NamingSystem/ssin',
      '71010100033',
      ['kmehr/be-jan-voorbeeld-medication-scheme.xml', 'kmehr/be-jan-voorbeeld-sumehr.xml'],
    ],
  ] as const;

  describe('finds in a summary of', () => {
    let made: ReadonlyMap<string, string>;
    beforeAll(() => {
      made = new Map(summaries.map(([cc, system, value, files]) => [cc, summaryOf(cc, { system, value }, files)]));
    });

    it.each(summaries)('%s no error, as an International Patient Summary', { timeout: 300_000 }, async (cc) => {
      expect(await ready?.errors(made.get(cc) ?? '', IPS_BUNDLE)).toEqual([]);
    });

    it('ee no error, as a Portuguese reader is shown it', { timeout: 300_000 }, async () => {
      const { pack, wording } = country('pt');
      const shown = inReadersWords(made.get('ee') ?? '', {
        languages: [wording.language, ...pack.languages],
        wording,
        displays: pack.displays,
      });
      expect(shown).toContain('Penicilina');
      expect(await ready?.errors(shown, IPS_BUNDLE)).toEqual([]);
    });

    it('nobody that it lacks a required section', { timeout: 300_000 }, async () => {
      const bundle = JSON.parse(made.get('ee') ?? '') as { entry: { resource: { section: { code: { coding: { code: string }[] } }[] } }[] };
      const composition = bundle.entry[0]!.resource;
      composition.section = composition.section.filter(({ code }) => code.coding[0]?.code !== '11450-4');
      const errors = await ready?.errors(JSON.stringify(bundle), IPS_BUNDLE);
      expect(errors?.map(({ message }) => message).join('\n')).toMatch(/sectionProblems/);
    });
  });
});

function reportsOf(resources: readonly Resource[], cc: string): { kind: NonNullable<ReturnType<typeof reportKindOf>>; text: string }[] {
  const content = minimise(resources, { categories: DATA_CATEGORIES }, []);
  if (content === undefined) return [];
  const custodian = { country: cc.toUpperCase(), identifier: { system: `urn:portolan:demo:${cc}`, value: 'node' }, name: 'National node' };
  return content.resources.flatMap((root) => {
    const kind = reportKindOf(root);
    const assembly = { content, custodian, wording: country(cc).wording, timestamp: received, sha256 };
    const document = assembleReport(assembly, keyOf(root));
    return kind === undefined || document === undefined ? [] : [{ kind, text: writeResource(document.bundle) }];
  });
}

function summaryOf(cc: string, identifier: { system: string; value: string }, files: readonly string[]): string {
  const categories: readonly DataCategory[] = ['summary', 'laboratory'];
  const gathered = files
    .flatMap((file) => translated(join(libs, 'formats/fixtures', file), cc).resources)
    .map((resource) => ({
      type: resource.resourceType,
      id: resource.id,
      versionId: '1',
      lastUpdated: received,
      text: toFhirJson(resource),
      categories: [],
      custodian: cc.toUpperCase(),
    }));
  const out = release({
    permit: { categories, identifiers: [identifier] },
    asked: { categories },
    gathered,
    custodian: { country: cc.toUpperCase(), identifier: { system: `urn:portolan:demo:${cc}`, value: 'node' }, name: 'National node' },
    wording: country(cc).wording,
    timestamp: received,
    sha256,
  });
  if (out === undefined) throw new Error(`${cc} has nothing to send`);
  return out.text;
}
