import { PortolanError, Validators, type Country, type FormatName, type ResourceRule, type TranslationMap } from '@portolan/contracts';
import { commonConversions } from './engine/conversions.js';
import type { KnownSystems } from './engine/known-codes.js';
import { elementId } from './engine/layers.js';
import { mistakeLine } from './engine/mistake-line.js';
import {
  ConceptMap,
  linkConceptMaps,
  MapSet,
  type FhirShapes,
  type Format,
  type MapMistake,
  type NamedMap,
  type ValueSets,
} from './engine/index.js';
import { formats } from './formats.js';
import type { CodeSystem } from './terminology/code-system.js';
import { Displays } from './terminology/displays.js';
import { readTerminology } from './terminology/read-terminology.js';

/** A country's folder, checked and compiled: what `translate` needs to know of the country. */
export interface CountryPack extends Omit<Country, 'codingSystems' | 'assigningAuthorities'> {
  /** The country's first language, BCP 47. */
  readonly language: string;
  /** Local names → URI. */
  readonly codingSystems: ReadonlyMap<string, string>;
  readonly assigningAuthorities: ReadonlyMap<string, string>;
  /** What codes are called, in the languages that the country's code systems and supplements say. */
  readonly displays: Displays;
  /** The rules in force for each format. */
  readonly sets: ReadonlyMap<FormatName, MapSet>;
}

/**
 * Reads a country's folder, given as parsed JSON by relative path: `country.json`, `maps/*.json` (rules over the formats'
 * own), `code-maps/*.json` (FHIR R4 ConceptMap; one of the same id replaces the format's own), `value-sets/*.json` and `code-systems/*.json`
 * (FHIR R4 ValueSet and CodeSystem; of one URL the country's takes the place of an `imported` one). Other files are not its business. `validators` may be shared, since compiling schemas takes a while. Throws PortolanError `translate.country-invalid` or `translate.map-invalid` that names file, rule and mistake;
 * with the `texts` of the files by the same paths the line, too. Where the country has maps, what rules write is checked against R4 as `shapes` knows it.
 */
export function countryPack(
  files: Readonly<Record<string, unknown>>,
  validators = new Validators(),
  imported: readonly CodeSystem[] = [],
  texts: Readonly<Record<string, string>> = {},
  shapes?: FhirShapes,
): CountryPack {
  const country = countryOf(files['country.json'], validators, texts);
  const mistakes: MapMistake[] = [];
  const terminology = readTerminology({ sets: under(files, 'value-sets/'), systems: under(files, 'code-systems/'), imported }, mistakes);
  const own = {
    maps: readMaps(under(files, 'maps/'), validators, mistakes),
    conceptMaps: readConceptMaps(under(files, 'code-maps/'), mistakes),
    valueSets: terminology.valueSets,
    known: terminology.known,
    knownText: terminology.knownText,
    shapes,
  };
  const sets = new Map(formats.map((format) => [format.name, setOf(format, own, validators, mistakes)]));
  if (mistakes.length > 0) throw mistakesError(mistakes, texts);
  return {
    ...country,
    language: country.languages[0] ?? 'en',
    codingSystems: byName(country.codingSystems),
    assigningAuthorities: byName(country.assigningAuthorities),
    displays: Displays.of(terminology.systems),
    sets,
  };
}

function countryOf(json: unknown, validators: Validators, texts: Readonly<Record<string, string>>): Country {
  const what = validators.mistake('country', json);
  if (what === undefined) return json as Country;
  throw new PortolanError('translate.country-invalid', mistakePlace(texts, { file: 'country.json', rule: '(country)', what }), what);
}

/**
 * The pack with what people have answered to its questions: FHIR R4 ConceptMaps, each of which says of its codes what the country's map of that
 * id does not. Throws PortolanError `translate.map-invalid` for one that is none.
 */
export function answeredPack(pack: CountryPack, conceptMaps: readonly unknown[]): CountryPack {
  const mistakes: MapMistake[] = [];
  const answers = readConceptMaps(Object.fromEntries(conceptMaps.map((map, i) => [`answers[${i}]`, map])), mistakes);
  if (mistakes.length > 0) throw mistakesError(mistakes);
  return { ...pack, sets: new Map([...pack.sets].map(([format, set]) => [format, set.answered(answers)])) };
}

interface Loaded {
  readonly maps: readonly NamedMap[];
  readonly conceptMaps: ReadonlyMap<string, ReadConceptMap>;
  readonly valueSets: ValueSets;
  readonly known: KnownSystems;
  readonly knownText: unknown;
  readonly shapes: FhirShapes | undefined;
}

function setOf(format: Format, country: Loaded, validators: Validators, mistakes: MapMistake[]): MapSet {
  const base = readMaps(format.maps, validators, mistakes).map((one) => ({ ...one, file: `${format.name}/maps/${one.file}` }));
  const codes = new Map([...readConceptMaps(format.conceptMaps, mistakes), ...country.conceptMaps]);
  const own = country.maps.filter(({ map }) => map.format === format.name);
  return MapSet.of({
    format: format.name,
    maps: [...base, ...own],
    // Our own rules are checked by our tests.
    shapes: own.length === 0 ? undefined : country.shapes,
    conceptMaps: linkConceptMaps(new Map([...codes].map(([id, { map }]) => [id, map])), (id, what) => {
      mistakes.push({ file: codes.get(id)?.file ?? id, rule: '(concept map)', what });
    }),
    conceptMapSources: [...codes.values()].map(({ source }) => source),
    closedSystems: format.closedSystems ?? new Map(),
    valueSets: country.valueSets,
    known: country.known,
    knownText: country.knownText,
    conversions: { ...commonConversions, ...format.conversions },
    mistakes,
  });
}

/** The JSON files of one folder, by name. */
function under(files: Readonly<Record<string, unknown>>, folder: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(files)
      .filter(([path]) => path.startsWith(folder) && path.endsWith('.json'))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function readMaps(files: Readonly<Record<string, unknown>>, validators: Validators, mistakes: MapMistake[]): NamedMap[] {
  return Object.entries(files).flatMap(([file, json]) => {
    const what = validators.mistake('translation-map', json);
    if (what !== undefined) {
      mistakes.push({ file, rule: ruleAt(json, what), what });
      return [];
    }
    const map = json as TranslationMap;
    for (const rule of twice(map)) mistakes.push({ file, rule, what: 'two rules of this file have this id: name them apart' });
    return [{ file, map }];
  });
}

/** Ids that two rules of one file have: the later one would take the place of the other. */
function twice({ resources = [], ignore = [] }: TranslationMap): string[] {
  const lists = [resources, ignore].map((rules: readonly { readonly id: string }[]) => rules.map(({ id }) => id));
  const elements = resources.map(({ id, elements: rules = [] }: ResourceRule) => rules.map((rule) => elementId(id, rule)));
  return [...lists, ...elements].flatMap((ids) => ids.filter((id, i) => ids.indexOf(id) !== i));
}

/** The id of the resource rule that a schema mistake's pointer leads into, for the reader's sake. */
function ruleAt(json: unknown, what: string): string {
  const index = /^\/resources\/(\d+)/.exec(what)?.[1];
  const rules = (json as { resources?: { id?: unknown }[] } | null)?.resources;
  const id = index === undefined ? undefined : rules?.[Number(index)]?.id;
  return typeof id === 'string' ? id : '(map)';
}

interface ReadConceptMap {
  readonly map: ConceptMap;
  readonly source: unknown;
  readonly file: string;
}

function readConceptMaps(files: Readonly<Record<string, unknown>>, mistakes: MapMistake[]): Map<string, ReadConceptMap> {
  const read = new Map<string, ReadConceptMap>();
  for (const [file, source] of Object.entries(files)) {
    try {
      const map = ConceptMap.read(source);
      read.set(map.id, { map, source, file });
    } catch (error) {
      mistakes.push({ file, rule: '(concept map)', what: error instanceof Error ? error.message : 'is wrong' });
    }
  }
  return read;
}

function mistakesError(mistakes: readonly MapMistake[], texts: Readonly<Record<string, string>> = {}): PortolanError {
  const [first] = mistakes;
  const all = mistakes.slice(0, 20).map((one) => `${mistakePlace(texts, one)} ${one.rule}: ${one.what}`);
  return new PortolanError(
    'translate.map-invalid',
    first === undefined ? '' : `${mistakePlace(texts, first)} ${first.rule}`,
    all.join('; '),
  );
}

/** `file:line`, as compilers and editors write it; the file alone where its text is not at hand. */
export function mistakePlace(texts: Readonly<Record<string, string>>, { file, ...mistake }: MapMistake): string {
  const text = texts[file];
  const line = text === undefined ? undefined : mistakeLine(text, mistake);
  return line === undefined ? file : `${file}:${line}`;
}

function byName(systems: Country['codingSystems']): ReadonlyMap<string, string> {
  return new Map((systems ?? []).map(({ name, system }) => [name, system]));
}
