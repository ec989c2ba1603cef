import { isFhirObject, type FhirObject, type FhirValue } from '../engine/fhir.js';
import { listAt, objectAt, optionalTextAt, refuseMembers, textAt } from '../engine/read-json.js';
import { CodeMembers } from './code-members.js';
import type { CodeSystem } from './code-system.js';
import { filtered, readFilters, type CodeFilter } from './code-filters.js';

/** `compose.include` or `exclude`: what all its parts hold of (R4 §4.9.7). */
interface Include {
  readonly where: string;
  readonly system: string | undefined;
  readonly version: string | undefined;
  readonly codes: readonly string[] | undefined;
  readonly filters: readonly CodeFilter[];
  readonly valueSets: readonly string[];
}

/** A FHIR R4 ValueSet as it stands in its file: what it holds is known once all sets and code systems are (`resolveValueSets`). */
export interface ValueSetSource {
  readonly url: string;
  readonly version: string | undefined;
  /** What its expansion lists, which is then taken as it is. */
  readonly expanded: CodeMembers | undefined;
  readonly includes: readonly Include[];
  readonly excludes: readonly Include[];
  readonly activeOnly: boolean;
}

/**
 * Reads a FHIR R4 ValueSet. Throws a plain Error that names the place of what is wrong, or of what would have to be passed over: `lockedDate`,
 * modifier extensions, an expansion that is a part only.
 */
export function readValueSet(json: unknown): ValueSetSource {
  const set = objectAt(json as FhirValue, 'the file');
  if (set['resourceType'] !== 'ValueSet') throw new Error('resourceType is not ValueSet');
  refuseMembers(set, ['modifierExtension', 'implicitRules'], '');
  const url = textAt(set['url'], 'url');
  const version = optionalTextAt(set['version'], 'version');
  if (set['expansion'] !== undefined)
    return { url, version, expanded: readExpansion(set['expansion']), includes: [], excludes: [], activeOnly: false };
  const compose = objectAt(set['compose'], 'compose');
  refuseMembers(compose, ['lockedDate', 'modifierExtension'], 'compose');
  const includes = listAt(compose['include'], 'compose.include');
  if (includes.length === 0) throw new Error('compose.include is empty');
  return {
    url,
    version,
    expanded: undefined,
    includes: includes.map((one, i) => readInclude(one, `compose.include[${i}]`)),
    excludes: listAt(compose['exclude'] ?? [], 'compose.exclude').map((one, i) => readInclude(one, `compose.exclude[${i}]`)),
    activeOnly: compose['inactive'] === false,
  };
}

function readInclude(value: FhirValue, where: string): Include {
  const include = objectAt(value, where);
  refuseMembers(include, ['modifierExtension'], where);
  const system = optionalTextAt(include['system'], `${where}.system`);
  const concept = include['concept'];
  const filters = readFilters(include['filter'] ?? [], `${where}.filter`);
  const valueSets = listAt(include['valueSet'] ?? [], `${where}.valueSet`).map((one, i) => textAt(one, `${where}.valueSet[${i}]`));
  const codes =
    concept === undefined ? undefined : listAt(concept, `${where}.concept`).map((one, i) => codeAt(one, `${where}.concept[${i}]`));
  const read = { where, system, version: optionalTextAt(include['version'], `${where}.version`), codes, filters, valueSets };
  demandInvariants(read);
  return read;
}

/** R4 ValueSet, constraints vsd-1 to vsd-3. */
function demandInvariants({ where, system, codes, filters, valueSets }: Include): void {
  if (system === undefined && valueSets.length === 0) throw new Error(`${where} names neither system nor valueSet (vsd-1)`);
  if (system === undefined && (codes !== undefined || filters.length > 0))
    throw new Error(`${where} has concepts or filters without a system (vsd-2)`);
  if (codes !== undefined && filters.length > 0) throw new Error(`${where} has both concept and filter (vsd-3)`);
}

const codeAt = (value: FhirValue, where: string): string => textAt(objectAt(value, where)['code'], `${where}.code`);

/** Extensions by which an expansion says that it is not the whole set. */
const partial = /\/valueset-(toocostly|unclosed)$/;

function readExpansion(value: FhirValue): CodeMembers {
  const expansion = objectAt(value, 'expansion');
  const items = entriesIn(expansion['contains'] ?? [], 'expansion.contains');
  if (isPartial(expansion, items.length)) throw new Error('expansion is only a part of the set');
  const bySystem = new Map<string, string[]>();
  for (const { system, code, isAbstract } of items) {
    if (isAbstract) continue;
    const codes = bySystem.get(system);
    if (codes === undefined) bySystem.set(system, [code]);
    else codes.push(code);
  }
  return [...bySystem].reduce((members, [system, codes]) => members.union(CodeMembers.of(system, codes)), CodeMembers.none);
}

function isPartial({ extension = [], total = 0, offset = 0 }: FhirObject, there: number): boolean {
  const tells = listAt(extension, 'expansion.extension').filter(isFhirObject);
  return (
    Number(offset) > 0 ||
    Number(total) > there ||
    tells.some(({ url, valueBoolean }) => valueBoolean === true && typeof url === 'string' && partial.test(url))
  );
}

interface ExpandedCode {
  readonly system: string;
  readonly code: string;
  readonly isAbstract: boolean;
}

const MAX_DEPTH = 30;

function entriesIn(value: FhirValue, where: string, depth = 0): ExpandedCode[] {
  if (depth > MAX_DEPTH) throw new Error(`${where} is nested deeper than ${MAX_DEPTH}`);
  return listAt(value, where).flatMap((one, i) => {
    const place = `${where}[${i}]`;
    const entry = objectAt(one, place);
    const below = entry['contains'] === undefined ? [] : entriesIn(entry['contains'], `${place}.contains`, depth + 1);
    return [...expandedCode(entry, place), ...below];
  });
}

/** Nothing for a heading, which has no code (vsd-6). */
function expandedCode(entry: FhirObject, where: string): ExpandedCode[] {
  if (entry['code'] === undefined) return [];
  const isAbstract = entry['abstract'] === true;
  return [{ system: textAt(entry['system'], `${where}.system`), code: textAt(entry['code'], `${where}.code`), isAbstract }];
}

/** What value sets are made of. */
export interface Terminology {
  readonly sets: ReadonlyMap<string, ValueSetSource>;
  readonly systems: ReadonlyMap<string, CodeSystem>;
}

/**
 * What each set holds. `tell` is called, with its URL and the place, for a set that imports one which is not there or leads back to it, or that
 * has a filter on a code system that is not at hand in full; such a set is left out.
 */
export function resolveValueSets(terminology: Terminology, tell: (url: string, what: string) => void): ReadonlyMap<string, CodeMembers> {
  const resolver = new Resolver(terminology);
  const resolved = new Map<string, CodeMembers>();
  for (const url of terminology.sets.keys()) {
    try {
      resolved.set(url, resolver.members(url, []));
    } catch (error) {
      tell(url, error instanceof Error ? error.message : 'is wrong');
    }
  }
  return resolved;
}

class Resolver {
  private readonly made = new Map<string, CodeMembers>();

  constructor(private readonly known: Terminology) {}

  members(url: string, above: readonly string[]): CodeMembers {
    const made = this.made.get(url);
    if (made !== undefined) return made;
    const set = this.known.sets.get(url);
    if (set === undefined) throw new Error(`the value set ${url} is none of this country or format`);
    const members = set.expanded ?? this.composed(set, [...above, url]);
    this.made.set(url, members);
    return members;
  }

  private composed(set: ValueSetSource, path: readonly string[]): CodeMembers {
    const all = (parts: readonly Include[]): CodeMembers =>
      parts.reduce((sum, one) => sum.union(this.included(one, set.activeOnly, path)), CodeMembers.none);
    return all(set.includes).difference(all(set.excludes));
  }

  /** What all of the include's parts hold. */
  private included(include: Include, activeOnly: boolean, path: readonly string[]): CodeMembers {
    const imported = include.valueSets.map((canonical) => this.imported(canonical, include.where, path));
    const own = include.system === undefined ? [] : [this.ofSystem(include, include.system, activeOnly)];
    const [first = CodeMembers.none, ...others] = [...own, ...imported];
    return others.reduce((some, one) => some.intersection(one), first);
  }

  private imported(canonical: string, where: string, path: readonly string[]): CodeMembers {
    const [url = '', version] = canonical.split('|');
    const set = this.known.sets.get(url);
    if (path.includes(url)) throw new Error(`${where}.valueSet: ${url} leads back to this set`);
    if (set === undefined) throw new Error(`${where}.valueSet: ${url} is no value set of this country or format`);
    if (version !== undefined && set.version !== version) throw new Error(`${where}.valueSet: ${url} is at hand in another version`);
    try {
      return this.members(url, path);
    } catch (error) {
      throw new Error(`${where}.valueSet: in ${url}: ${error instanceof Error ? error.message : 'is wrong'}`, { cause: error });
    }
  }

  private ofSystem(include: Include, system: string, activeOnly: boolean): CodeMembers {
    const at = this.known.systems.get(system);
    const { where, version } = include;
    if (version !== undefined && at?.version !== undefined && at.version !== version)
      throw new Error(`${where}.version: ${system} is at hand in another version`);
    const some = this.named(include, at, system);
    if (!activeOnly) return some;
    if (at?.content !== 'complete') throw new Error(`${where}: compose.inactive asks for ${system}, which is not at hand in full`);
    const inactive = [...at.concepts.values()].filter(({ properties }) => isInactive(properties)).map(({ code }) => code);
    return some.difference(CodeMembers.of(system, inactive));
  }

  private named(include: Include, at: CodeSystem | undefined, system: string): CodeMembers {
    const { where, codes, filters } = include;
    const whole = at?.content === 'complete' ? at : undefined;
    if (codes !== undefined) return listed(include, codes, whole, system);
    if (whole !== undefined) return CodeMembers.of(system, filters.length === 0 ? whole.concepts.keys() : filtered(whole, filters));
    if (filters.length > 0) throw new Error(`${where}.filter asks for ${system}, which is not at hand in full`);
    return CodeMembers.whole(system);
  }
}

function listed({ where }: Include, codes: readonly string[], whole: CodeSystem | undefined, system: string): CodeMembers {
  const foreign = whole === undefined ? -1 : codes.findIndex((code) => !whole.concepts.has(code));
  if (foreign >= 0) throw new Error(`${where}.concept[${foreign}].code is no code of ${system}`);
  return CodeMembers.of(system, codes);
}

/** R4 §4.8.9: `inactive`, or the `status` that most code systems use in its place. */
function isInactive(properties: ReadonlyMap<string, readonly string[]>): boolean {
  const status = properties.get('status') ?? [];
  return properties.get('inactive')?.includes('true') === true || status.some((one) => one === 'inactive' || one === 'retired');
}
