import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countryPack, toFhirJson, translate } from '@portolan/formats';
import type { SummaryWording } from '@portolan/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { release } from '../release/release.js';
import { isWellFormed } from '../release/well-formed.fixture.js';
import { treeOf } from '../fhir/shown-resource.js';
import { changedElements } from './changed-elements.js';
import { fromReadersWords, inReadersWords } from './in-readers-words.js';
import type { ReadersWords } from './readers-words.js';

const libs = join(import.meta.dirname, '../../..');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const received = '2026-11-21T10:00:00.000Z';

function country(cc: string): { pack: ReturnType<typeof countryPack>; wording: SummaryWording; words: ReadersWords } {
  const home = join(libs, 'countries', cc);
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  const { 'wording.json': wording, ...rest } = Object.fromEntries(
    files.map((file) => [file, JSON.parse(readFileSync(join(home, file), 'utf8')) as unknown]),
  );
  const pack = countryPack(rest);
  const own = wording as SummaryWording;
  return { pack, wording: own, words: { languages: [own.language, ...pack.languages], wording: own, displays: pack.displays } };
}
const [ee, pt] = [country('ee'), country('pt')];

/** What Estonia releases of Mari: the text that is sealed and anchored. */
function marisRecord(): string {
  const files = ['cda/ee-mari-naidis-summary.xml', 'hl7v2/ee-oru-r01-chemistry.hl7'];
  const gathered = files.flatMap((file) => {
    const bytes = readFileSync(join(libs, 'formats/fixtures', file));
    return translate({ bytes, format: 'auto', country: ee.pack, sha256, received }).resources.map((resource) => ({
      type: resource.resourceType,
      id: resource.id,
      versionId: '1',
      lastUpdated: received,
      text: toFhirJson(resource),
      categories: [],
      custodian: 'EE',
    }));
  });
  const made = release({
    permit: { categories: ['summary', 'laboratory'], identifiers: [{ system: 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1', value: '47101010033' }] },
    asked: { categories: ['summary', 'laboratory'] },
    gathered,
    custodian: { country: 'EE', identifier: { system: 'urn:portolan:demo:ee', value: 'node' }, name: 'National node' },
    wording: ee.wording,
    timestamp: received,
    sha256,
  });
  return made?.text ?? '';
}
const record = marisRecord();
/** Without narratives, translations, and the displays of codings that came without one. */
function withoutAdded(value: unknown, came: unknown): unknown {
  if (Array.isArray(value)) return value.map((one, i) => withoutAdded(one, (came as unknown[])[i]));
  if (typeof value !== 'object' || value === null) return value;
  const source = came as Record<string, unknown>;
  const kept = Object.entries(value).filter(([name]) => !['div', '_display'].includes(name) && (name !== 'display' || name in source));
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutAdded(one, source[name])]));
}
interface Section {
  readonly title: string;
  readonly text: { readonly div: string };
}
const sectionsOf = (text: string): readonly Section[] =>
  (JSON.parse(text) as { entry: { resource: { resourceType: string; section?: Section[] } }[] }).entry.flatMap(
    ({ resource }) => resource.section ?? [],
  );
const section = (text: string, title: string): string => sectionsOf(text).find((one) => one.title === title)?.text.div ?? '';

describe('an Estonian summary, as a Portuguese doctor reads it', () => {
  const shown = inReadersWords(record, pt.words);
  const allergies = section(shown, ee.wording.sections.allergies);
  const [estonian = '', portuguese = ''] = allergies.split('<div lang="pt" xml:lang="pt">');

  it('has the Estonian narrative as it came, and beneath it what its codes say in Portuguese', () => {
    expect(`${estonian}</div>`).toBe(section(record, ee.wording.sections.allergies));
    expect(estonian).toContain('Penitsilliin');
    expect(portuguese).toContain('Penicilina');
    expect(portuguese).not.toContain('Penitsilliin');
    expect(portuguese).toContain('Urticária');
  });
  it('says who made that part and of what, and that the source counts', () => {
    expect(portuguese).toContain(pt.wording.fromCodes);
    expect(pt.wording.fromCodes).toMatch(/códigos.*fonte, acima, que faz fé/);
  });
  it('shows status and certainty, and numbers with their digits', () => {
    expect(portuguese).toMatch(/<td>ativo; /);
    expect(section(shown, ee.wording.sections.results)).toMatch(/Glicose no soro ou plasma \(mmol\/L\)<\/td><td>final; 7\.80 mmol\/L/);
  });
  it('marks what is in another language, and holds no free text of the source', () => {
    const problems = section(shown, ee.wording.sections.problems).split('<div lang="pt"')[1] ?? '';
    expect(problems).toContain('<td><span lang="et" xml:lang="et">Essentsiaalne hüpertensioon</span></td><td>ativo</td>');
    expect(sectionsOf(shown).map(({ text: { div } }) => (div.split('<div lang="pt"')[1] ?? '').includes('märkus'))).not.toContain(true);
  });
  it('is well-formed in every section', () => expect(sectionsOf(shown).map(({ text: { div } }) => isWellFormed(div))).not.toContain(false));
  it('keeps each code and display, with the Portuguese word beside it', () => {
    expect(shown).toContain(
      '"_display":{"extension":[{"extension":[{"url":"lang","valueCode":"pt"},{"url":"content","valueString":"Penicilina"}],"url":"http://hl7.org/fhir/StructureDefinition/translation"}]}',
    );
    expect(withoutAdded(JSON.parse(shown), JSON.parse(record))).toEqual(withoutAdded(JSON.parse(record), JSON.parse(record)));
    expect(record).not.toContain('"display":"Active"');
    expect(shown).toContain('"code":"active","display":"Active"');
  });
  it('keeps digits', () => expect(shown).toContain('7.80'));
  it('is what the source wrote, to a reader of the source’s language', () => {
    const own = inReadersWords(record, ee.words);
    expect(sectionsOf(own)).toEqual(sectionsOf(record));
  });
  it('reads alike by its Composition alone, where its entries are at hand', () => {
    const entries = (JSON.parse(record) as { entry: { fullUrl: string; resource: { resourceType: string } }[] }).entry;
    const composition = JSON.stringify(entries.find(({ resource }) => resource.resourceType === 'Composition')?.resource);
    const find = (reference: string) => {
      const found = entries.find(({ fullUrl }) => fullUrl === reference);
      return found && treeOf(JSON.stringify(found.resource));
    };
    expect(inReadersWords(composition, pt.words, find)).toContain('Penicilina');
    expect(inReadersWords(composition, pt.words)).not.toContain('Penicilina');
  });
});

describe('a part in the reader’s language', () => {
  const allergy = (more: object): object => ({
    resourceType: 'AllergyIntolerance',
    code: { coding: [{ system: 'http://snomed.info/sct', code: '764146007', display: 'Penitsilliin' }] },
    ...more,
  });
  const div = '<div xmlns="http://www.w3.org/1999/xhtml" lang="et" xml:lang="et"><p>x</p></div>';
  const documentOf = (resource: object, narrative = div): string =>
    JSON.stringify({
      resourceType: 'Bundle',
      type: 'document',
      entry: [
        {
          fullUrl: 'urn:c',
          resource: {
            resourceType: 'Composition',
            section: [{ text: { status: 'generated', div: narrative }, entry: [{ reference: 'urn:a' }] }],
          },
        },
        { fullUrl: 'urn:a', resource },
      ],
    });
  const shownDiv = (resource: object, narrative = div): string =>
    sectionsOf(inReadersWords(documentOf(resource, narrative), pt.words))[0]?.text.div ?? '';
  const verification = (code: string): object => ({
    verificationStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification', code }] },
  });

  it('says that what is refuted is refuted', () => {
    expect(shownDiv(allergy(verification('refuted')))).toContain('<td>Penicilina</td><td>refutado</td>');
  });
  it('shows a code that it has no words for by the name that its system gives it, in that language, else as it came', () => {
    const presumed = '<td>Penicilina</td><td><span lang="en" xml:lang="en">Presumed</span></td>';
    expect(shownDiv(allergy(verification('presumed')))).toContain(presumed);
    expect(shownDiv(allergy(verification('unheard-of')))).toContain('<td>Penicilina</td><td>unheard-of</td>');
  });
  it('leaves out what a modifier makes mean another thing', () => {
    expect(shownDiv(allergy({ modifierExtension: [{ url: 'urn:not', valueBoolean: true }] }))).toBe(div);
    expect(shownDiv({ ...allergy({}), doNotPerform: true })).toBe(div);
  });
  it('holds by the first coding alone: a counterpart that says more stands behind it', () => {
    const local = { system: 'urn:local', code: 'P1', display: 'Kohalik' };
    const penicillin = { system: 'http://snomed.info/sct', code: '764146007' };
    expect(shownDiv(allergy({ code: { coding: [local, penicillin] } }))).toBe(div);
  });
  it.each([
    ['words alone', { code: { text: 'Penitsilliin' } }],
    ['a code that nobody has words for', { code: { coding: [{ system: 'urn:local', code: 'P1', display: 'Kohalik' }] } }],
  ])('is not made of %s', (_name, more) => expect(shownDiv(allergy(more))).toBe(div));
  it.each(['<div xmlns="http://www.w3.org/1999/xhtml"/>', 'no div', ''])('leaves a narrative that it cannot read: %s', (narrative) =>
    expect(shownDiv(allergy({}), narrative)).toBe(narrative),
  );
  it('is fit for XML whatever a display holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (display) => {
        const unknown = { coding: [{ system: 'urn:local', code: 'x', display }] };
        expect(isWellFormed(shownDiv(allergy({ verificationStatus: unknown })))).toBe(true);
      }),
    );
  });
});

describe('what a reader hands back', () => {
  const item = treeOf(
    JSON.stringify({
      resourceType: 'AllergyIntolerance',
      id: 'a',
      criticality: 'low',
      code: { coding: [{ system: 'http://snomed.info/sct', code: '764146007', display: 'Penitsilliin' }], text: 'Penitsilliin' },
    }),
  );
  const shown = treeOf(inReadersWords(toFhirJson(item), pt.words));

  it('holds her change and none of this node’s words', () => {
    expect(shown).not.toEqual(item);
    const changed = fromReadersWords({ ...shown, criticality: 'high' }, item, pt.words);
    expect(changedElements(item, changed)).toEqual(['criticality']);
    expect(changed).toEqual({ ...item, criticality: 'high' });
  });
  it('keeps a translation that the source gave, in whatever words', () => {
    const translated = (content: string) => {
      const extension = [
        {
          url: 'http://hl7.org/fhir/StructureDefinition/translation',
          extension: [
            { url: 'lang', valueCode: 'pt' },
            { url: 'content', valueString: content },
          ],
        },
      ];
      const coding = { system: 'http://snomed.info/sct', code: '764146007', display: 'Penitsilliin', _display: { extension } };
      return treeOf(JSON.stringify({ resourceType: 'AllergyIntolerance', code: { coding: [coding] } }));
    };
    for (const own of [translated('Penicilina'), translated('penicilina (fonte)')]) {
      const read = treeOf(inReadersWords(toFhirJson(own), pt.words));
      expect(read).toEqual(own);
      expect(fromReadersWords(read, own, pt.words)).toEqual(own);
    }
  });
});
