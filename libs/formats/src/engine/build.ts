import type { ErrorCode } from '@portolan/contracts';
import { demandAllowed } from './allowed-codes.js';
import { withoutForeignSystems } from './closed-systems.js';
import { ask, mapCodings } from './codings.js';
import type { CompiledElement, Making } from './compile.js';
import { hasValue } from './condition.js';
import type { ConversionContext, Converted } from './conversion.js';
import { Refused, type Finding, type MappingQuestion, type Severity } from './findings.js';
import { isFhirObject, type FhirObject, type FhirValue } from './fhir.js';
import type { Instance, InstanceIndex } from './instances.js';
import { joinPath, type Built, type Mark } from './marks.js';
import type { MapSet } from './map-set.js';
import type { SourceNode } from './source-node.js';
import { select } from './source-path.js';
import { putAt } from './target-path.js';

export interface BuildJob {
  readonly set: MapSet;
  readonly instances: InstanceIndex;
  /** Everything of a ConversionContext but the rule and the notes. */
  readonly facts: Omit<ConversionContext, 'rule' | 'note'>;
  readonly findings: Finding[];
  /** Codes for whose counterpart a person is to be asked. */
  readonly questions: MappingQuestion[];
  /** What the object refers to, by type and id. */
  readonly references: Set<string>;
  /** System of codings whose source names none, from the nearest enclosing rule that binds one. */
  readonly boundSystem?: string | undefined;
}

/** Deepest nesting of element rules and types within each other. */
const MAX_RULE_DEPTH = 24;

/** Makes one object from `elements` at `node`; undefined where the source has nothing for it. */
export function buildObject(elements: readonly CompiledElement[], node: SourceNode, job: BuildJob, depth = 0): Built | undefined {
  if (depth > MAX_RULE_DEPTH) return undefined;
  const value: FhirObject = {};
  const marks: Mark[] = [];
  for (const element of elements) {
    for (const built of buildElement(element, node, job, depth)) marks.push(...place(value, element, built, job));
  }
  return marks.some((mark) => mark.kind !== 'constant') ? { value, marks } : undefined;
}

/** Puts a built value where its rule says; the marks with their full paths, or none where the place is taken. */
function place(object: FhirObject, element: CompiledElement, built: Built, job: BuildJob): Mark[] {
  if (element.to.length === 0 && isFhirObject(built.value))
    return placeAll(object, element, { value: built.value, marks: built.marks }, job);
  const path = element.to.length === 0 ? undefined : putAt(object, element.to, built.value);
  if (path !== undefined) return built.marks.map((mark) => ({ ...mark, path: joinPath(path, mark.path) }));
  tellConflict(built.marks, element, job);
  return [];
}

/** Puts each element of a built object beside what stands there: lists are joined, of anything else the first stands. */
function placeAll(
  object: FhirObject,
  element: CompiledElement,
  built: { value: FhirObject; marks: readonly Mark[] },
  job: BuildJob,
): Mark[] {
  return Object.entries(built.value).flatMap(([name, value]) => {
    const marks = built.marks.filter((mark) => isOf(name, mark.path));
    const present = object[name];
    if (present === undefined) object[name] = value;
    else if (Array.isArray(present) && Array.isArray(value)) {
      object[name] = [...present, ...value];
      return marks.map((mark) => ({ ...mark, path: shifted(mark.path, name, present.length) }));
    } else {
      tellConflict(marks, element, job);
      return [];
    }
    return marks;
  });
}

/** Whether a path begins with the element `name`. */
const isOf = (name: string, path: string): boolean => path.startsWith(name) && /^($|[.[])/.test(path.slice(name.length));

/** `name[0].code` behind `by` items that stood there before. */
function shifted(path: string, name: string, by: number): string {
  const behind = path.slice(name.length).replace(/^\[(\d+)\]/, (_, index: string) => `[${Number(index) + by}]`);
  return `${name}${behind}`;
}

function tellConflict(marks: readonly Mark[], element: CompiledElement, job: BuildJob): void {
  for (const mark of marks) {
    if (mark.kind !== 'source') continue;
    for (const leaf of mark.from) job.findings.push({ code: 'translate.value-conflict', path: leaf.path, rule: element.id });
  }
}

function buildElement(element: CompiledElement, node: SourceNode, job: BuildJob, depth: number): Built[] {
  if (element.when !== undefined && !element.when(node)) return [];
  const { making } = element;
  if (making.kind === 'constant') return [constantOf(element, making.value)];
  const built =
    making.kind === 'reference'
      ? sourcesOf(element, node).flatMap((source) => references(element, source, making, job))
      : sourcesOf(element, node).flatMap((source) => convert(element, source, node, job, depth));
  if (built.length > 0) return built;
  if (element.rule.otherwise !== undefined) return [constantOf(element, element.rule.otherwise)];
  if (element.rule.required !== undefined) refuse(element, node, 'translate.value-missing', element.rule.required);
  return [];
}

function constantOf(element: CompiledElement, value: string | number | boolean): Built {
  return { value, marks: [{ kind: 'constant', path: '', rule: element.id, value }] };
}

function refuse(element: CompiledElement, at: SourceNode, code: ErrorCode, severity: Severity): never {
  const path = code === 'translate.value-missing' ? missingPlace(element, at) : at.path;
  throw new Refused({ code, path, rule: element.id }, severity);
}

/** Where the missing value should have stood, in the source's own words. */
function missingPlace({ rule }: CompiledElement, at: SourceNode): string {
  const asked = [rule.from ?? '.'].flat()[0] ?? '.';
  const field = /^([A-Z][A-Z0-9]{2})-([\d.]+)/.exec(asked);
  if (field === null) return asked === '.' ? at.path : `${at.path}/${asked}`;
  const [, name = '', number = ''] = field;
  const segment = at.name === name ? at : at.named(name)[0];
  return `${segment?.path ?? name}-${number}`;
}

const NOTHING: readonly SourceNode[] = [];

function sourcesOf(element: CompiledElement, node: SourceNode): readonly SourceNode[] {
  if (element.from.length === 0) return [node];
  for (const path of element.from) {
    const found = select(node, path);
    if (found.length === 0) continue;
    const said = found.filter(hasValue);
    if (said.length > 0) return said;
  }
  return NOTHING;
}

function convert(element: CompiledElement, source: SourceNode, node: SourceNode, job: BuildJob, depth: number): Built[] {
  const made = element.making.kind === 'convert' ? converted(element, source, job) : nested(element, source, job, depth);
  if (made === undefined) return [];
  const mapped = element.rule.codes === undefined ? made : mapCodings(made, element, job);
  const coded = withoutForeignSystems(mapped, job.set.closedSystems);
  if (element.allowed !== undefined) demandAllowed(coded, element, element.allowed, job);
  if (element.claims.length === 0) return [coded];
  const claimed = element.claims.flatMap((path) => select(node, path)).flatMap((found) => found.leaves());
  if (claimed.length === 0) return [coded];
  return [{ value: coded.value, marks: [...coded.marks, { kind: 'source', path: '', rule: element.id, from: claimed }] }];
}

function nested(element: CompiledElement, source: SourceNode, job: BuildJob, depth: number): Built | undefined {
  if (element.making.kind !== 'object') return undefined;
  const { system } = element.rule;
  const bound = system === undefined || system === job.boundSystem ? job : { ...job, boundSystem: system };
  try {
    return buildObject(elementsOf(element.making, job.set), source, bound, depth + 1);
  } catch (error) {
    if (!(error instanceof Refused) || error.severity !== 'element') throw error;
    job.findings.push(error.finding);
    return undefined;
  }
}

type ObjectMaking = Extract<CompiledElement['making'], { kind: 'object' }>;

/** Elements of a shared type, then those of the rule itself. Most rules have one or the other, and no list is made anew for each value. */
function elementsOf({ type, elements }: ObjectMaking, set: MapSet): readonly CompiledElement[] {
  const shared = type === undefined ? undefined : set.types.get(type);
  if (shared === undefined) return elements;
  return elements.length === 0 ? shared : [...shared, ...elements];
}

function converted(element: CompiledElement, source: SourceNode, job: BuildJob): Built | undefined {
  if (element.making.kind !== 'convert') return undefined;
  const note = (code: ErrorCode, at: SourceNode): void => void job.findings.push({ code, path: at.path, rule: element.id });
  const { boundSystem } = job;
  const rule = boundSystem === undefined || element.rule.system !== undefined ? element.rule : { ...element.rule, system: boundSystem };
  const result = element.making.convert(source, { ...job.facts, rule, note });
  if (result === undefined) return undefined;
  if (!('problem' in result)) return { value: result.value, marks: marksOf(element, result) };
  const severity = refusalOf(element, result.problem);
  if (severity !== undefined) refuse(element, result.at, result.problem, severity);
  note(result.problem, result.at);
  if (result.problem === 'translate.code-unmapped') ask(element, undefined, result.at.value?.trim(), job);
  return undefined;
}

function refusalOf({ rule, unmapped: policy }: CompiledElement, problem: ErrorCode): Severity | undefined {
  const unmapped = problem === 'translate.code-unmapped' && policy === 'reject' ? 'entry' : undefined;
  return rule.strict ?? unmapped ?? (rule.otherwise === undefined ? rule.required : undefined);
}

/** The origins of a converted value as marks; a value that came from the rule alone is a constant. */
function marksOf(element: CompiledElement, { value, origins }: Extract<Converted, { readonly value: FhirValue }>): Mark[] {
  if (origins.length === 0 && typeof value === 'string') return [{ kind: 'constant', path: '', rule: element.id, value }];
  return origins.map((origin) => ({ kind: 'source', rule: element.id, ...origin }));
}

function references(element: CompiledElement, source: SourceNode, making: Extract<Making, { kind: 'reference' }>, job: BuildJob): Built[] {
  const meant = inScope(job.instances, source, making);
  const texts = [...new Set(meant.map((one) => `${one.rule.resource}/${one.id}`))];
  for (const text of texts) job.references.add(text);
  return texts.map((reference) => ({
    value: { reference } satisfies FhirValue,
    marks: [{ kind: 'reference', path: 'reference', rule: element.id }],
  }));
}

function inScope(
  instances: InstanceIndex,
  source: SourceNode,
  { rule, scope }: Extract<Making, { kind: 'reference' }>,
): readonly Instance[] {
  if (scope === 'here') return instances.here(rule, source);
  if (scope === 'within') return instances.within(rule, source);
  const one = instances.nearest(rule, source);
  return one === undefined ? [] : [one];
}
