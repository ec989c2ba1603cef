import { isBroader, isEquivalence, isSame, noCounterpart, type Equivalence } from './equivalence.js';
import type { FhirObject, FhirValue } from './fhir.js';
import { listAt, objectAt, optionalTextAt, refuseMembers, textAt } from './read-json.js';

/** A code found by a concept map. */
export interface MappedCode {
  readonly system: string | undefined;
  readonly code: string;
  readonly display: string | undefined;
  readonly equivalence: Equivalence;
  /** No element of the map knows the code: this is what `group.unmapped` says of all such codes. */
  readonly unmapped?: true;
}

/** What a map says of a code: a counterpart, that there is none, or (undefined) nothing. */
export type MapAnswer = MappedCode | 'no-counterpart' | undefined;

type Unmapped =
  | { readonly mode: 'provided'; readonly system: string | undefined }
  | { readonly mode: 'fixed'; readonly found: MappedCode }
  | { readonly mode: 'other-map'; readonly url: string };

interface Group {
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly codes: ReadonlyMap<string, MappedCode | 'no-counterpart'>;
  readonly unmapped: Unmapped | undefined;
}

/**
 * A FHIR R4 ConceptMap, read for translation (R4 §4.10). Of several targets one that says the same is taken before one that says more widely,
 * and that before any other; among these the first. What this reader would have to pass over (`dependsOn`, `product`, modifier
 * extensions) is refused at load by its place.
 */
export class ConceptMap {
  /** Code systems that the map reads, and those that it maps into. */
  readonly sources: ReadonlySet<string>;
  readonly targets: ReadonlySet<string>;

  private constructor(
    readonly id: string,
    readonly url: string | undefined,
    private readonly groups: readonly Group[],
    private readonly others: ReadonlyMap<string, ConceptMap> = new Map(),
  ) {
    this.sources = new Set(groups.flatMap(({ source }) => source ?? []));
    this.targets = new Set(groups.flatMap(({ target }) => target ?? []));
  }

  /** Throws a plain Error that says what is wrong. */
  static read(json: unknown): ConceptMap {
    const map = objectAt(json as FhirValue, 'the file');
    if (map['resourceType'] !== 'ConceptMap') throw new Error('resourceType is not ConceptMap');
    refuseMembers(map, ['modifierExtension', 'implicitRules'], '');
    const groups = listAt(map['group'], 'group').map(readGroup);
    return new ConceptMap(textAt(map['id'], 'id'), optionalTextAt(map['url'], 'url'), groups);
  }

  /** URLs of the maps to which `group.unmapped` hands over. */
  get handsTo(): readonly string[] {
    return this.groups.flatMap(({ unmapped }) => (unmapped?.mode === 'other-map' ? [unmapped.url] : []));
  }

  /** The same map, which says what `answers` say of a code before it says anything itself. */
  under(answers: ConceptMap): ConceptMap {
    return new ConceptMap(this.id, this.url, [...answers.groups, ...this.groups], this.others);
  }

  /** The same map, which finds those that it hands over to among `others`, by URL. */
  linked(others: ReadonlyMap<string, ConceptMap>): ConceptMap {
    return this.handsTo.length === 0 ? this : new ConceptMap(this.id, this.url, this.groups, others);
  }

  /** The counterpart of `code`. Without `system` the code is looked for in every group. */
  translate(system: string | undefined, code: string): MappedCode | undefined {
    const answer = this.answer(system, code);
    return answer === 'no-counterpart' ? undefined : answer;
  }

  /** As `translate`, but tells a code that the map says has no counterpart from one of which it says nothing. */
  answer(system: string | undefined, code: string): MapAnswer {
    let none = false;
    for (const group of this.groups) {
      const found = reads(group, system) ? group.codes.get(code) : undefined;
      if (found === 'no-counterpart') none = true;
      else if (found !== undefined) return found;
    }
    return none ? 'no-counterpart' : this.unmapped(system, code);
  }

  private unmapped(system: string | undefined, code: string): MapAnswer {
    for (const group of this.groups) {
      const found = reads(group, system) && group.unmapped !== undefined ? this.default(group.unmapped, system, code) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private default(rule: Unmapped, system: string | undefined, code: string): MapAnswer {
    if (rule.mode === 'fixed') return rule.found;
    if (rule.mode === 'other-map') return this.others.get(rule.url)?.answer(system, code);
    return { system: rule.system, code, display: undefined, equivalence: 'equivalent', unmapped: true };
  }
}

const reads = ({ source }: Group, system: string | undefined): boolean => system === undefined || source === undefined || source === system;

/**
 * Links each map to those that its `group.unmapped` names by URL. `tell` is called for a map that names one that is not there, or that comes
 * back to itself.
 */
export function linkConceptMaps(
  maps: ReadonlyMap<string, ConceptMap>,
  tell: (id: string, what: string) => void,
): ReadonlyMap<string, ConceptMap> {
  const byUrl = new Map<string, ConceptMap>();
  for (const map of maps.values()) if (map.url !== undefined) byUrl.set(map.url, map);
  for (const map of maps.values()) {
    for (const url of map.handsTo) if (!byUrl.has(url)) tell(map.id, `group.unmapped.url: ${url} is no map of this country or format`);
    if (comesBack(map, byUrl)) tell(map.id, 'group.unmapped.url: the maps lead back to this one');
  }
  for (const [url, map] of byUrl) byUrl.set(url, map.linked(byUrl));
  return new Map([...maps].map(([id, map]) => [id, map.linked(byUrl)]));
}

function comesBack(start: ConceptMap, byUrl: ReadonlyMap<string, ConceptMap>): boolean {
  const seen = new Set<string>();
  const open = [...start.handsTo];
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    if (url === start.url) return true;
    if (seen.has(url)) continue;
    seen.add(url);
    open.push(...(byUrl.get(url)?.handsTo ?? []));
  }
  return false;
}

function readGroup(value: FhirValue, at: number): Group {
  const where = `group[${at}]`;
  const group = objectAt(value, where);
  refuseMembers(group, ['modifierExtension'], where);
  const target = optionalTextAt(group['target'], `${where}.target`);
  const codes = new Map<string, MappedCode | 'no-counterpart'>();
  const seen = new Set<string>();
  for (const [i, one] of listAt(group['element'], `${where}.element`).entries()) {
    const place = `${where}.element[${i}]`;
    const element = objectAt(one, place);
    const code = textAt(element['code'], `${place}.code`);
    if (seen.has(code)) throw new Error(`${place}.code stands twice`);
    seen.add(code);
    const mapped = readTargets(element, target, place);
    if (mapped !== undefined) codes.set(code, mapped);
  }
  const unmapped = group['unmapped'] === undefined ? undefined : readUnmapped(group['unmapped'], target, `${where}.unmapped`);
  return { source: optionalTextAt(group['source'], `${where}.source`), target, codes, unmapped };
}

/** R4 §4.10.5: `provided` (the code as it came), `fixed` (one code for all), `other-map`. */
function readUnmapped(value: FhirValue, system: string | undefined, where: string): Unmapped {
  const unmapped = objectAt(value, where);
  switch (unmapped['mode']) {
    case 'provided':
      return { mode: 'provided', system };
    case 'fixed': {
      const display = optionalTextAt(unmapped['display'], `${where}.display`);
      const code = textAt(unmapped['code'], `${where}.code`);
      return { mode: 'fixed', found: { system, code, display, equivalence: 'inexact', unmapped: true } };
    }
    case 'other-map':
      return { mode: 'other-map', url: textAt(unmapped['url'], `${where}.url`) };
    default:
      throw new Error(`${where}.mode is none of provided, fixed, other-map`);
  }
}

function readTargets(element: FhirObject, system: string | undefined, where: string): MappedCode | 'no-counterpart' | undefined {
  const targets = listAt(element['target'] ?? [], `${where}.target`).map((one, i) => readTarget(one, system, `${where}.target[${i}]`));
  if (targets.length === 0) return undefined;
  const found = targets.filter((target) => target !== undefined);
  const best = found.find(({ equivalence }) => isSame(equivalence)) ?? found.find(({ equivalence }) => isBroader(equivalence)) ?? found[0];
  return best ?? 'no-counterpart';
}

function readTarget(value: FhirValue, system: string | undefined, where: string): MappedCode | undefined {
  const target = objectAt(value, where);
  refuseMembers(target, ['dependsOn', 'product', 'modifierExtension'], where);
  const equivalence = textAt(target['equivalence'], `${where}.equivalence`);
  if (!isEquivalence(equivalence)) throw new Error(`${where}.equivalence is no FHIR R4 equivalence`);
  if (noCounterpart(equivalence)) return undefined;
  // R4 ConceptMap, constraint cmd-1.
  if ((equivalence === 'narrower' || equivalence === 'inexact') && optionalTextAt(target['comment'], `${where}.comment`) === undefined)
    throw new Error(`${where}.comment must say in what sense the target is ${equivalence}`);
  const code = textAt(target['code'], `${where}.code`);
  return { system, code, display: optionalTextAt(target['display'], `${where}.display`), equivalence };
}
