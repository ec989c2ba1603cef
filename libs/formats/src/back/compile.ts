import type { BackElement, BackMap, BackRule, Validators } from '@portolan/contracts';
import { compileCondition, hasValue, type Condition } from '../engine/condition.js';
import { parseSourcePath, select, type MapMistake, type SourceNode } from '../engine/index.js';
import { hl7v2CodeMaps } from '../hl7v2/code-maps/index.js';
import { numbersOf } from './cell.js';
import { backConversions, type BackConversion } from './conversions.js';
import { referred, type FhirTree } from './fhir-tree.js';

/** A path over resources: `result->Observation/code` goes over the reference to the resource, where it is of that type. */
export type BackPath = (from: SourceNode, tree: FhirTree) => readonly SourceNode[];

/** What the first of several paths finds that finds a value. */
export function firstWithValue(paths: readonly BackPath[], node: SourceNode, tree: FhirTree): readonly SourceNode[] {
  for (const path of paths) {
    const found = path(node, tree).filter(hasValue);
    if (found.length > 0) return found;
  }
  return [];
}

/** An element rule, checked: where it takes from, and what it writes. */
export interface CompiledBackElement {
  readonly id: string;
  readonly to: readonly number[];
  readonly from: readonly BackPath[];
  readonly when: Condition | undefined;
  readonly constant: string | undefined;
  readonly type: string | undefined;
  readonly convert: BackConversion;
  readonly map: string | undefined;
  readonly codes: readonly string[];
}

/** A segment rule, checked. */
export interface CompiledBackRule {
  readonly id: string;
  readonly segment: string | undefined;
  readonly each: readonly BackPath[] | undefined;
  readonly except: readonly BackPath[];
  readonly first: boolean;
  readonly required: boolean;
  readonly ownVisit: boolean;
  readonly when: Condition | undefined;
  readonly elements: readonly CompiledBackElement[];
  readonly within: readonly CompiledBackRule[];
}

/** A map of the way back, checked and compiled. */
export interface CompiledBackMap {
  readonly map: BackMap;
  /** Nodes that have a message each; undefined: one message of the whole bundle. */
  readonly each: readonly BackPath[] | undefined;
  readonly types: ReadonlyMap<string, readonly CompiledBackElement[]>;
  readonly segments: readonly CompiledBackRule[];
  readonly events: readonly { readonly event: string; readonly structure: string }[];
  readonly leave: readonly { readonly id: string; readonly reason: string; readonly paths: readonly BackPath[] }[];
}

/** Checks and compiles a map; each mistake is told with file and rule, and a map with mistakes must not be used. */
export function compileBackMap(file: string, json: unknown, validators: Validators, mistakes: MapMistake[]): CompiledBackMap | undefined {
  const what = validators.mistake('back-map', json);
  if (what !== undefined) {
    mistakes.push({ file, rule: '(map)', what });
    return undefined;
  }
  const map = json as BackMap;
  const { types = {}, groups = {}, message } = map;
  const job: MapJob = { file, types: new Set(Object.keys(types)), elements: types, groups, mistakes };
  return {
    map,
    each: message.each?.map((path) => backPath(path, '(message)', job)),
    types: new Map(Object.entries(types).map(([name, rules = []]) => [name, rules.map((rule) => element(rule, name, job))])),
    segments: map.segments.map((rule) => segment(rule, job)),
    events: message.events.map(({ event, structure = message.structure }) => ({ event, structure })),
    leave: (map.leave ?? []).map(({ id, reason, paths }) => ({ id, reason, paths: paths.map((path) => backPath(path, id, job)) })),
  };
}

/** What the compiler of a map has at hand, and where it tells of mistakes. */
export interface Job {
  readonly file: string;
  readonly types: ReadonlySet<string>;
  readonly mistakes: MapMistake[];
}

interface MapJob extends Job {
  readonly elements: NonNullable<BackMap['types']>;
  readonly groups: NonNullable<BackMap['groups']>;
}

const codeMaps = new Set(Object.values(hl7v2CodeMaps).map((map) => (map as { id: string }).id));

function segment(rule: BackRule, job: MapJob): CompiledBackRule {
  if (rule.segment === undefined && (rule.elements ?? rule.as) !== undefined) tell(job, rule.id, 'has elements and no segment');
  const { each, except = [], when } = rule;
  const paths = (list: readonly string[]): BackPath[] => list.map((path) => backPath(path, rule.id, job));
  return {
    id: rule.id,
    segment: rule.segment,
    each: each && paths(each),
    except: paths(except),
    first: rule.first === true,
    required: rule.required === true,
    ownVisit: rule.ownVisit === true,
    when: when && condition(when, rule.id, job),
    elements: elementsOf(rule, job),
    within: withinOf(rule, job),
  };
}

function elementsOf({ id, segment: name = id, as, elements }: BackRule, job: MapJob): CompiledBackElement[] {
  const shared = as === undefined ? [] : job.elements[as];
  if (shared === undefined) tell(job, id, `no type ${as ?? ''}`);
  return [...(elements ?? []), ...(shared ?? [])].map((one) => element(one, name, job));
}

/** A group holds no group: none can hold itself. */
function withinOf({ id, within = [] }: BackRule, job: MapJob): CompiledBackRule[] {
  if (typeof within !== 'string') return within.map((one) => segment(one, job));
  const group = job.groups[within];
  if (group === undefined) tell(job, id, `no group ${within}`);
  return (group ?? []).map((one) => segment(one, { ...job, groups: {} }));
}

function element(rule: BackElement, owner: string, job: Job): CompiledBackElement {
  const id = rule.id ?? `${owner}-${rule.to}`;
  const from = rule.from === undefined ? [] : [rule.from].flat();
  const name = rule.as ?? (rule.map === undefined ? 'text' : 'code');
  checkElement(rule, id, name, job);
  return {
    id,
    to: numbersOf(rule.to),
    from: from.map((path) => backPath(path, id, job)),
    when: rule.when === undefined ? undefined : condition(rule.when, id, job),
    constant: rule.constant,
    type: job.types.has(name) ? name : undefined,
    convert: backConversions[name] ?? ((): [] => []),
    map: rule.map,
    codes: rule.codes ?? [],
  };
}

function checkElement({ map, constant, as, from }: BackElement, id: string, name: string, job: Job): void {
  if (!job.types.has(name) && !Object.hasOwn(backConversions, name)) tell(job, id, `${name} is neither a conversion nor a type`);
  if (map !== undefined && !codeMaps.has(map)) tell(job, id, `no concept map ${map}`);
  if (constant !== undefined && (as ?? from) !== undefined) tell(job, id, 'is a constant and takes a value');
}

/** Notes a mistake of a rule. */
export function tell({ file, mistakes }: Pick<Job, 'file' | 'mistakes'>, rule: string, what: string): void {
  mistakes.push({ file, rule, what });
}

/** A condition of a rule, compiled; false where it is wrong, which is told. */
export function condition(when: NonNullable<BackElement['when']>, rule: string, job: Pick<Job, 'file' | 'mistakes'>): Condition {
  return tried(
    () => compileCondition(when),
    () => false,
    rule,
    job,
  );
}

/** A path of a rule, compiled; to nothing where it is wrong, which is told. */
export function backPath(text: string, rule: string, job: Pick<Job, 'file' | 'mistakes'>): BackPath {
  return tried(
    () => compilePath(text),
    () => [],
    rule,
    job,
  );
}

function tried<T>(compile: () => T, otherwise: T, rule: string, job: Pick<Job, 'file' | 'mistakes'>): T {
  try {
    return compile();
  } catch (error) {
    tell(job, rule, error instanceof Error ? error.message : 'is wrong');
    return otherwise;
  }
}

/** `a->B/c`: from what `a` refers to, where it is a B, to `c`; `a<-B/c`: from `a` to each B whose `c` refers to it. */
function compilePath(text: string): BackPath {
  const [first = '', ...rest] = text.split(/(->|<-)/);
  const start = parseSourcePath(first);
  const hops = Array.from({ length: rest.length / 2 }, (_, i) => hop(text, rest[2 * i] ?? '', rest[2 * i + 1] ?? ''));
  return (from, tree) =>
    hops.reduce<readonly SourceNode[]>((nodes, next) => nodes.flatMap((node) => next(node, tree)), select(from, start));
}

function hop(text: string, way: string, to: string): BackPath {
  const [, type, below] = /^([A-Z][A-Za-z]+)(?:\/(.+))?$/.exec(to) ?? [];
  if (type === undefined) throw new Error(`path ${text} follows a reference to no type`);
  const path = parseSourcePath(below ?? '.');
  if (way === '<-') return (node, tree) => tree.referrers(node, type, path);
  return (node, tree) => {
    const found = referred(node, tree.target);
    return found?.name === type ? select(found, path) : [];
  };
}
