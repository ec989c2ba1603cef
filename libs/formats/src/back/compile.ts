import type { BackElement, BackMap, BackRule, Validators } from '@portolan/contracts';
import { compileCondition, hasValue, type Condition } from '../engine/condition.js';
import { parseSourcePath, select, textLeaf, type MapMistake, type SourceNode } from '../engine/index.js';
import { hl7v2CodeMaps } from '../hl7v2/code-maps/index.js';
import { numbersOf } from './cell.js';
import { backConversions, type BackConversion } from './conversions.js';
import type { FhirTree } from './fhir-tree.js';

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
  readonly first: boolean;
  readonly required: boolean;
  readonly when: Condition | undefined;
  readonly elements: readonly CompiledBackElement[];
  readonly within: readonly CompiledBackRule[];
}

/** A map of the way back, checked and compiled. */
export interface CompiledBackMap {
  readonly map: BackMap;
  readonly types: ReadonlyMap<string, readonly CompiledBackElement[]>;
  readonly segments: readonly CompiledBackRule[];
  readonly events: readonly { readonly event: string; readonly when: Condition | undefined }[];
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
  const types = new Set(Object.keys(map.types ?? {}));
  const job: Job = { file, types, mistakes };
  return {
    map,
    types: new Map(Object.entries(map.types ?? {}).map(([name, rules = []]) => [name, rules.map((rule) => element(rule, name, job))])),
    segments: map.segments.map((rule) => segment(rule, job)),
    events: map.message.events.map(({ event, when }) => ({ event, when: when === undefined ? undefined : condition(when, event, job) })),
    leave: (map.leave ?? []).map(({ id, reason, paths }) => ({ id, reason, paths: paths.map((path) => backPath(path, id, job)) })),
  };
}

/** What the compiler of a map has at hand, and where it tells of mistakes. */
export interface Job {
  readonly file: string;
  readonly types: ReadonlySet<string>;
  readonly mistakes: MapMistake[];
}

const codeMaps = new Set(Object.values(hl7v2CodeMaps).map((map) => (map as { id: string }).id));

function segment(rule: BackRule, job: Job): CompiledBackRule {
  if (rule.segment === undefined && rule.elements !== undefined) tell(job, rule.id, 'has elements and no segment');
  return {
    id: rule.id,
    segment: rule.segment,
    each: rule.each?.map((path) => backPath(path, rule.id, job)),
    first: rule.first === true,
    required: rule.required === true,
    when: rule.when === undefined ? undefined : condition(rule.when, rule.id, job),
    elements: (rule.elements ?? []).map((one) => element(one, rule.segment ?? rule.id, job)),
    within: (rule.within ?? []).map((one) => segment(one, job)),
  };
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

function compilePath(text: string): BackPath {
  const [first = '', ...hops] = text.split('->');
  const start = parseSourcePath(first);
  const rest = hops.map((hop) => {
    const match = /^([A-Z][A-Za-z]+)(?:\/(.+))?$/.exec(hop);
    if (match === null) throw new Error(`path ${text} follows a reference to no type`);
    return { type: match[1], path: parseSourcePath(match[2] ?? '.') };
  });
  return (from, tree) =>
    rest.reduce<readonly SourceNode[]>(
      (nodes, { type, path }) =>
        nodes.flatMap((node) => (followed(node, tree)?.name === type ? select(followed(node, tree) ?? node, path) : [])),
      select(from, start),
    );
}

function followed(node: SourceNode, tree: FhirTree): SourceNode | undefined {
  const leaf = node.named('reference')[0];
  const text = leaf === undefined ? undefined : textLeaf(leaf)?.value;
  return text === undefined ? undefined : tree.target(text);
}
