import { canonicalJson, type ElementRule, type FormatName, type ResourceRule, type TranslationMap } from '@portolan/contracts';
import {
  compileElements,
  compileIgnores,
  compileResource,
  type CompiledElement,
  type CompiledIgnore,
  type CompiledResource,
  type Known,
} from './compile.js';
import { PossibleCodes } from './checked-codes.js';
import type { ClosedSystems } from './closed-systems.js';
import type { ConceptMap } from './concept-map.js';
import type { KnownSystems } from './known-codes.js';
import type { Conversion } from './conversion.js';
import { ShapeCheck, type FhirShapes } from './fhir-shapes.js';
import { layered, type LayeredMaps } from './layers.js';
import type { ValueSets } from './allowed-codes.js';
import type { CanonicalUnits } from '../terminology/canonical-units.js';
import { isUcum } from '../terminology/ucum.js';
import type { Sha256Hex } from './stable-id.js';

/** A map and the file that it came from, for messages about it. */
export interface NamedMap {
  readonly file: string;
  readonly map: TranslationMap;
}

/** A mistake in a map: which file, which rule, what. */
export interface MapMistake {
  readonly file: string;
  readonly rule: string;
  readonly what: string;
}

/** All rules of one format for one country, checked and compiled. */
export class MapSet {
  /** Codes of documents translated so far that can be such. */
  readonly possible = new PossibleCodes();
  private hash: string | undefined;

  private constructor(
    readonly format: FormatName,
    readonly resources: readonly CompiledResource[],
    readonly types: ReadonlyMap<string, readonly CompiledElement[]>,
    readonly ignores: readonly CompiledIgnore[],
    readonly conceptMaps: ReadonlyMap<string, ConceptMap>,
    readonly closedSystems: ClosedSystems,
    readonly units: CanonicalUnits,
    readonly known: KnownSystems,
    /** What the version is the hash of: the rules in force and the concept maps, canonically. */
    private readonly text: string,
  ) {}

  /**
   * Lays `maps` over each other in their order (a later rule with the id of an earlier one replaces it) and checks every
   * rule. Mistakes are added to `mistakes`; a set with mistakes must not be used.
   */
  static of(input: {
    readonly format: FormatName;
    readonly maps: readonly NamedMap[];
    readonly conceptMaps: ReadonlyMap<string, ConceptMap>;
    readonly conceptMapSources: readonly unknown[];
    readonly closedSystems: ClosedSystems;
    readonly valueSets: ValueSets;
    readonly known: KnownSystems;
    /** What `known` is made of, for the version. */
    readonly knownText: unknown;
    readonly conversions: Readonly<Record<string, Conversion>>;
    /** What R4 has, where rules are to be checked against it. */
    readonly shapes?: FhirShapes | undefined;
    readonly mistakes: MapMistake[];
  }): MapSet {
    const { format, maps, conceptMaps, conversions, mistakes } = input;
    const rules = layered(maps);
    const known: Known = {
      types: new Set(rules.types.keys()),
      rules: orderOf(rules),
      conceptMaps,
      slots: slotsOf(maps),
      policies: new Map([...rules.policies].map(([id, { policy }]) => [id, policy])),
      bindings: new Map([...rules.bindings].map(([id, { binding }]) => [id, binding])),
      valueSets: input.valueSets,
      conversions,
      mistakes,
    };
    checkSlots('unmapped', rules.policies, known);
    checkSlots('bindings', rules.bindings, known);
    checkUnits(rules.units, known);
    const units = new Map([...rules.units].map(([key, { unit }]) => [key, unit]));
    const types = new Map(
      [...rules.types].map(([name, one]) => [name, compileElements(one.elements, { file: one.file, rule: name }, known)]),
    );
    const inForce = rules.resources.filter(({ rule }) => rule.off === undefined);
    const resources = inForce.map((one) => compileResource(one, known));
    if (input.shapes !== undefined) {
      const named = new Map([...rules.types].map(([name, { file }]) => [name, { file, elements: types.get(name) ?? [] }]));
      const check = new ShapeCheck(input.shapes, named, mistakes, format !== 'fhir');
      for (const [i, one] of resources.entries()) check.resource(one, inForce[i]?.file ?? '');
    }
    const ignores = compileIgnores(rules.ignores, known);
    const text = canonicalJson({
      format,
      types: [...rules.types],
      resources: rules.resources,
      ignores: rules.ignores,
      unmapped: [...rules.policies],
      units: [...units],
      ...boundSets(rules.bindings, input.valueSets),
      codes: input.conceptMapSources,
      known: input.knownText,
      systems: [...input.closedSystems].map(([system, codes]) => [system, [...codes]]),
    });
    return new MapSet(format, resources, types, ignores, conceptMaps, input.closedSystems, units, input.known, text);
  }

  /** The same without the element rules of these ids, wherever they stand: to see what hangs on them. */
  without(ids: ReadonlySet<string>): MapSet {
    const left = (elements: readonly CompiledElement[]): CompiledElement[] =>
      elements.flatMap((element) => {
        if (ids.has(element.id)) return [];
        const { making } = element;
        return [making.kind === 'object' ? { ...element, making: { ...making, elements: left(making.elements) } } : element];
      });
    const resources = this.resources.map((one) => ({ ...one, elements: left(one.elements) }));
    const types = new Map([...this.types].map(([name, elements]) => [name, left(elements)]));
    const text = canonicalJson({ rules: this.text, without: [...ids].sort() });
    return new MapSet(this.format, resources, types, this.ignores, this.conceptMaps, this.closedSystems, this.units, this.known, text);
  }

  /** The same with what people have answered since, by concept map, laid over the maps. */
  answered(answers: ReadonlyMap<string, { readonly map: ConceptMap; readonly source: unknown }>): MapSet {
    if (answers.size === 0) return this;
    const maps = new Map(this.conceptMaps);
    for (const [id, { map }] of answers) maps.set(id, maps.get(id)?.under(map) ?? map);
    const text = canonicalJson({ rules: this.text, answers: [...answers].map(([id, { source }]) => [id, source]) });
    return new MapSet(this.format, this.resources, this.types, this.ignores, maps, this.closedSystems, this.units, this.known, text);
  }

  /** SHA-256 of the rules and concept maps in force; stands in every translation. */
  version(sha256: Sha256Hex): string {
    this.hash ??= sha256(new TextEncoder().encode(this.text));
    return this.hash;
  }
}

function orderOf(rules: LayeredMaps): ReadonlyMap<string, number> {
  return new Map(rules.resources.filter(({ rule }) => rule.off === undefined).map(({ rule }, i) => [rule.id, i]));
}

function checkSlots(rule: string, said: ReadonlyMap<string, { readonly file: string }>, { conceptMaps, slots, mistakes }: Known): void {
  for (const [id, { file }] of said) {
    if (!conceptMaps.has(id) && !slots.has(id)) mistakes.push({ file, rule, what: `names the concept map ${id}, which is none` });
  }
}

/** What is bound and what those sets hold, for the version: a set that changes changes what is translated. */
function boundSets(bindings: LayeredMaps['bindings'], valueSets: ValueSets): object {
  if (bindings.size === 0) return {};
  return { bindings: [...bindings].map(([id, { binding }]) => [id, binding, valueSets.get(binding.valueSet)?.toJSON() ?? []]) };
}

function checkUnits(units: LayeredMaps['units'], { mistakes }: Known): void {
  for (const [key, { file, unit }] of units) {
    if (!isUcum(unit)) mistakes.push({ file, rule: 'canonicalUnits', what: `demands ${unit} for ${key}, which is no unit of UCUM` });
  }
}

function slotsOf(maps: readonly NamedMap[]): ReadonlySet<string> {
  return new Set(maps.flatMap(({ map }) => (map.codeSlots ?? []).map((slot) => slot.id)));
}

export type { ElementRule, ResourceRule };
