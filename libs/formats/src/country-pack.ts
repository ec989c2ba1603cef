import { PortolanError, Validators, type Country, type FormatName, type TranslationMap } from '@portolan/contracts';
import { commonConversions } from './engine/conversions.js';
import { ConceptMap, linkConceptMaps, MapSet, type Format, type MapMistake, type NamedMap, type ValueSets } from './engine/index.js';
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
 * (FHIR R4 ValueSet and CodeSystem; of one URL the country's takes the place of an `imported` one). Other files are not its business. `validators` may be shared, since compiling schemas takes a while. Throws PortolanError `translate.country-invalid` or `translate.map-invalid` that names file, rule and mistake.
 */
export function countryPack(
  files: Readonly<Record<string, unknown>>,
  validators = new Validators(),
  imported: readonly CodeSystem[] = [],
): CountryPack {
  const country = validators.check<Country>('country', files['country.json'], 'translate.country-invalid', 'country.json');
  const mistakes: MapMistake[] = [];
  const terminology = readTerminology({ sets: under(files, 'value-sets/'), systems: under(files, 'code-systems/'), imported }, mistakes);
  const own = {
    maps: readMaps(under(files, 'maps/'), validators, mistakes),
    conceptMaps: readConceptMaps(under(files, 'code-maps/'), mistakes),
    valueSets: terminology.valueSets,
  };
  const sets = new Map(formats.map((format) => [format.name, setOf(format, own, validators, mistakes)]));
  if (mistakes.length > 0) throw mistakesError(mistakes);
  return {
    ...country,
    language: country.languages[0] ?? 'en',
    codingSystems: byName(country.codingSystems),
    assigningAuthorities: byName(country.assigningAuthorities),
    displays: Displays.of(terminology.systems),
    sets,
  };
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
  readonly conceptMaps: ReadonlyMap<string, { map: ConceptMap; source: unknown }>;
  readonly valueSets: ValueSets;
}

function setOf(format: Format, country: Loaded, validators: Validators, mistakes: MapMistake[]): MapSet {
  const base = readMaps(format.maps, validators, mistakes).map((one) => ({ ...one, file: `${format.name}/maps/${one.file}` }));
  const codes = new Map([...readConceptMaps(format.conceptMaps, mistakes), ...country.conceptMaps]);
  return MapSet.of({
    format: format.name,
    maps: [...base, ...country.maps].filter(({ map }) => map.format === format.name),
    conceptMaps: linkConceptMaps(new Map([...codes].map(([id, { map }]) => [id, map])), (id, what) => {
      mistakes.push({ file: `${format.name} code map ${id}`, rule: '(concept map)', what });
    }),
    conceptMapSources: [...codes.values()].map(({ source }) => source),
    closedSystems: format.closedSystems ?? new Map(),
    valueSets: country.valueSets,
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
    if (what === undefined) return [{ file, map: json as TranslationMap }];
    mistakes.push({ file, rule: ruleAt(json, what), what });
    return [];
  });
}

/** The id of the resource rule that a schema mistake's pointer leads into, for the reader's sake. */
function ruleAt(json: unknown, what: string): string {
  const index = /^\/resources\/(\d+)/.exec(what)?.[1];
  const rules = (json as { resources?: { id?: unknown }[] } | null)?.resources;
  const id = index === undefined ? undefined : rules?.[Number(index)]?.id;
  return typeof id === 'string' ? id : '(map)';
}

function readConceptMaps(
  files: Readonly<Record<string, unknown>>,
  mistakes: MapMistake[],
): Map<string, { map: ConceptMap; source: unknown }> {
  const read = new Map<string, { map: ConceptMap; source: unknown }>();
  for (const [file, source] of Object.entries(files)) {
    try {
      const map = ConceptMap.read(source);
      read.set(map.id, { map, source });
    } catch (error) {
      mistakes.push({ file, rule: '(concept map)', what: error instanceof Error ? error.message : 'is wrong' });
    }
  }
  return read;
}

function mistakesError(mistakes: readonly MapMistake[]): PortolanError {
  const [first] = mistakes;
  const all = mistakes.slice(0, 20).map(({ file, rule, what }) => `${file} ${rule}: ${what}`);
  return new PortolanError('translate.map-invalid', `${first?.file ?? ''} ${first?.rule ?? ''}`, all.join('; '));
}

function byName(systems: Country['codingSystems']): ReadonlyMap<string, string> {
  return new Map((systems ?? []).map(({ name, system }) => [name, system]));
}
