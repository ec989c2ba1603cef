import type { BackDocumentMap, DocumentElement, Validators } from '@portolan/contracts';
import { cdaCodeMaps } from '../../cda/code-maps/index.js';
import type { MapMistake } from '../../engine/index.js';
import type { Condition } from '../../engine/condition.js';
import { backPath, condition, tell, type BackPath } from '../compile.js';
import { documentConversions, type DocumentConversion } from './conversions.js';

/** An element rule, checked. */
export interface CompiledElement {
  readonly rule: DocumentElement;
  readonly id: string;
  /** The elements to be shared, and the one to be made; none where it stands in the enclosing one. */
  readonly path: readonly string[];
  /** `@name` or `#text`, where a text is written. */
  readonly place: string | undefined;
  readonly from: readonly BackPath[];
  readonly when: Condition | undefined;
  readonly where: Condition | undefined;
  readonly type: string | undefined;
  readonly convert: DocumentConversion | undefined;
  readonly elements: readonly CompiledElement[];
}

/** A map of the way back to a document, checked and compiled. */
export interface CompiledDocumentMap {
  readonly map: BackDocumentMap;
  readonly types: ReadonlyMap<string, readonly CompiledElement[]>;
  readonly elements: readonly CompiledElement[];
  readonly leave: readonly { readonly id: string; readonly reason: string; readonly paths: readonly BackPath[] }[];
}

interface Job {
  readonly file: string;
  readonly mistakes: MapMistake[];
  readonly types: ReadonlySet<string>;
}

/** Checks and compiles a map; each mistake is told with file and rule, and a map with mistakes must not be used. */
export function compileDocumentMap(
  file: string,
  json: unknown,
  validators: Validators,
  mistakes: MapMistake[],
): CompiledDocumentMap | undefined {
  const what = validators.mistake('back-document-map', json);
  if (what !== undefined) {
    mistakes.push({ file, rule: '(map)', what });
    return undefined;
  }
  const map = json as BackDocumentMap;
  const job: Job = { file, mistakes, types: new Set(Object.keys(map.types ?? {})) };
  const compiled = (rules: readonly DocumentElement[], owner: string): CompiledElement[] => rules.map((rule) => element(rule, owner, job));
  return {
    map,
    types: new Map(Object.entries(map.types ?? {}).map(([name, rules = []]) => [name, compiled(rules, name)])),
    elements: compiled(map.elements, ''),
    leave: (map.leave ?? []).map(({ id, reason, paths }) => ({ id, reason, paths: paths.map((path) => backPath(path, id, job)) })),
  };
}

const codeMaps = new Set(Object.values(cdaCodeMaps).map((map) => (map as { id: string }).id));

function element(rule: DocumentElement, owner: string, job: Job): CompiledElement {
  const id = rule.id ?? [owner, rule.to].filter((part) => part !== '' && part !== '.').join('/');
  const { path, place } = targetOf(rule.to);
  const name = rule.as ?? (place === undefined ? undefined : 'text');
  checkElement(rule, id, name, job);
  const asked = (what: DocumentElement['when']): Condition | undefined => (what === undefined ? undefined : condition(what, id, job));
  return {
    rule,
    id,
    path,
    place,
    from: [rule.from ?? []].flat().map((one) => backPath(one, id, job)),
    when: asked(rule.when),
    where: asked(rule.where),
    ...madeBy(name, job),
    elements: (rule.elements ?? []).map((one) => element(one, id, job)),
  };
}

function targetOf(to: string): Pick<CompiledElement, 'path' | 'place'> {
  const steps = to === '.' ? [] : to.split('/');
  const last = steps.at(-1);
  return last !== undefined && /^[@#]/.test(last) ? { path: steps.slice(0, -1), place: last } : { path: steps, place: undefined };
}

function madeBy(name: string | undefined, { types }: Job): Pick<CompiledElement, 'type' | 'convert'> {
  if (name === undefined) return { type: undefined, convert: undefined };
  return types.has(name) ? { type: name, convert: undefined } : { type: undefined, convert: documentConversions[name] };
}

function checkElement(rule: DocumentElement, id: string, name: string | undefined, job: Job): void {
  const { map, constant, as, from, elements, values } = rule;
  const known = name === undefined || job.types.has(name) || Object.hasOwn(documentConversions, name);
  if (!known) tell(job, id, `${name} is neither a conversion nor a type`);
  if (map !== undefined && !codeMaps.has(map)) tell(job, id, `no concept map ${map}`);
  const taken = [as, from, values, map].some((one) => one !== undefined);
  if (constant !== undefined && taken) tell(job, id, 'is a constant and takes a value');
  if (elements !== undefined && as !== undefined) tell(job, id, 'has elements of its own and a conversion');
}
