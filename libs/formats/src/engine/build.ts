import type { ErrorCode } from '@portolan/contracts';
import { demandAllowed } from './allowed-codes.js';
import { demandKnown } from './known-codes.js';
import { withoutForeignSystems } from './closed-systems.js';
import { ask, mapCodings } from './codings.js';
import type { CompiledElement, Making } from './compile.js';
import { hasValue } from './condition.js';
import type { Conversion, ConversionContext, Converted } from './conversion.js';
import { Refused, type Finding, type MappingQuestion, type Severity } from './findings.js';
import { isFhirObject, type FhirObject, type FhirValue } from './fhir.js';
import type { Instance, InstanceIndex } from './instances.js';
import { isInOrder, isWithin, joinPath, shifted, type Built, type Mark } from './marks.js';
import type { MapSet } from './map-set.js';
import { textLeaf, type SourceNode } from './source-node.js';
import { opens } from './source-path.js';
import { putAt } from './target-path.js';

/** What all conversions of a document may know. */
export type Facts = Omit<ConversionContext, 'rule' | 'note'>;

const noRule: ConversionContext['rule'] = {};

/** The making of one resource: what its rules may look at, and what they tell. Conversions see it as their context. */
export class BuildJob implements ConversionContext {
  readonly findings: Finding[] = [];
  /** Codes for whose counterpart a person is to be asked. */
  readonly questions: MappingQuestion[] = [];
  /** What the object refers to, by type and id. */
  readonly references = new Set<string>();
  /** System of codings whose source names none, from the nearest enclosing rule that binds one. */
  boundSystem: string | undefined;
  /** Of the conversion that runs. */
  rule = noRule;
  ruleId = '';
  readonly conceptMaps: Facts['conceptMaps'];
  readonly codingSystems: Facts['codingSystems'];
  readonly assigningAuthorities: Facts['assigningAuthorities'];
  readonly documentOffset: Facts['documentOffset'];
  readonly assumedZone: Facts['assumedZone'];

  constructor(
    readonly set: MapSet,
    readonly instances: InstanceIndex,
    facts: Facts,
  ) {
    this.conceptMaps = facts.conceptMaps;
    this.codingSystems = facts.codingSystems;
    this.assigningAuthorities = facts.assigningAuthorities;
    this.documentOffset = facts.documentOffset;
    this.assumedZone = facts.assumedZone;
  }

  note(code: ErrorCode, at: SourceNode): void {
    this.findings.push({ code, path: at.path, rule: this.ruleId });
  }
}

/** Deepest nesting of element rules and types within each other. */
const MAX_RULE_DEPTH = 24;

/** What is made so far of one object. */
interface Building {
  readonly value: FhirObject;
  readonly marks: Mark[];
}

/** Makes one object from `elements` at `node`; undefined where the source has nothing for it. */
export function buildObject(elements: readonly CompiledElement[], node: SourceNode, job: BuildJob, depth = 0): Built | undefined {
  if (depth > MAX_RULE_DEPTH) return undefined;
  const object: Building = { value: {}, marks: [] };
  for (const element of elements) {
    if (opens(element.gate, node) && (element.when === undefined || element.when(node))) addElement(object, element, node, job, depth);
  }
  for (const mark of object.marks) if (mark.kind !== 'constant') return object;
  return undefined;
}

function addElement(object: Building, element: CompiledElement, node: SourceNode, job: BuildJob, depth: number): void {
  const { making } = element;
  if (element.rule.unlessThere?.some((name) => object.value[name] !== undefined) === true) return;
  if (making.kind === 'constant') {
    place(object, element, constantOf(element, making.value), job);
    return;
  }
  if (addFrom(object, element, node, job, depth)) return;
  if (element.rule.otherwise !== undefined) place(object, element, constantOf(element, element.rule.otherwise), job);
  else if (element.rule.required !== undefined) refuse(element, node, 'translate.value-missing', element.rule.required);
}

/** Adds what the rule makes of the source; false where that is nothing. All is made before the first of it is placed. */
function addFrom(object: Building, element: CompiledElement, node: SourceNode, job: BuildJob, depth: number): boolean {
  const { making } = element;
  const sources = sourcesOf(element, node);
  const [only] = sources;
  if (only === undefined) return false;
  if (making.kind === 'reference' || sources.length > 1) {
    const all: Built[] = [];
    const told = new Set<string>();
    for (const source of sources) {
      if (making.kind === 'reference') refer(element, source, making, job, told, all);
      else {
        const one = convert(element, source, node, job, depth);
        if (one !== undefined) all.push(one);
      }
    }
    for (const built of all) place(object, element, built, job);
    return all.length > 0;
  }
  const built = convert(element, only, node, job, depth);
  if (built !== undefined) place(object, element, built, job);
  return built !== undefined;
}

/** Puts a built value where its rule says, its marks with their full paths; it is told where the place is taken. */
function place(object: Building, element: CompiledElement, built: Built, job: BuildJob): void {
  if (element.to.length === 0 && isFhirObject(built.value)) {
    placeAll(object, element, built.value, built.marks, job);
    return;
  }
  const path = element.to.length === 0 ? undefined : putAt(object.value, element.to, built.value);
  if (path === undefined) tellConflict(built.marks, element, job);
  else {
    for (const mark of built.marks) {
      mark.path = joinPath(path, mark.path);
      object.marks.push(mark);
    }
  }
}

/** Puts each element of a built object beside what stands there: lists are joined, of anything else the first stands. */
function placeAll(object: Building, element: CompiledElement, built: FhirObject, marks: readonly Mark[], job: BuildJob): void {
  if (placedAtOnce(object, built, marks)) return;
  for (const name of Object.keys(built)) {
    const value = built[name];
    const present = object.value[name];
    const own = marks.filter((mark) => isWithin(mark.path, name));
    if (value === undefined) continue;
    if (present === undefined) object.value[name] = value;
    else if (Array.isArray(present) && Array.isArray(value)) {
      object.value[name] = [...present, ...value];
      for (const mark of own) mark.path = shifted(mark.path, name, present.length);
    } else {
      tellConflict(own, element, job);
      continue;
    }
    for (const mark of own) object.marks.push(mark);
  }
}

/** Whether none of it stood yet and the marks come element by element, as most do: then all is taken over as it is. */
function placedAtOnce(object: Building, built: FhirObject, marks: readonly Mark[]): boolean {
  const names = Object.keys(built);
  for (const name of names) if (object.value[name] !== undefined || built[name] === undefined) return false;
  if (!isInOrder(names, marks)) return false;
  Object.assign(object.value, built);
  for (const mark of marks) object.marks.push(mark);
  return true;
}

function tellConflict(marks: readonly Mark[], element: CompiledElement, job: BuildJob): void {
  for (const mark of marks) {
    if (mark.kind !== 'source') continue;
    for (const leaf of mark.from) job.findings.push({ code: 'translate.value-conflict', path: leaf.path, rule: element.id });
  }
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
    const found = path.find(node);
    const [only] = found;
    if (only === undefined) continue;
    if (found.length === 1) {
      if (hasValue(only)) return found;
      continue;
    }
    const said = found.filter(hasValue);
    if (said.length > 0) return said;
  }
  return NOTHING;
}

function convert(element: CompiledElement, source: SourceNode, node: SourceNode, job: BuildJob, depth: number): Built | undefined {
  const made =
    element.making.kind === 'convert' ? converted(element, element.making.convert, source, job) : nested(element, source, job, depth);
  if (made === undefined) return undefined;
  const coded = typeof made.value === 'object' ? withCodes(made, element, job) : made;
  demandKnown(coded, element, job);
  if (element.allowed !== undefined) demandAllowed(coded, element, element.allowed, job);
  return element.claims.length === 0 ? coded : claimed(coded, element, node);
}

/** With the counterparts of its codes, and without systems that these are none of. */
function withCodes(built: Built, element: CompiledElement, job: BuildJob): Built {
  return withoutForeignSystems(element.rule.codes === undefined ? built : mapCodings(built, element, job), job.set.closedSystems);
}

/** With what the rule claims of the source besides. */
function claimed(built: Built, element: CompiledElement, node: SourceNode): Built {
  const from = element.claims.flatMap((path) => path.find(node)).flatMap((found) => found.leaves());
  if (from.length === 0) return built;
  return { value: built.value, marks: [...built.marks, { kind: 'source', path: '', rule: element.id, from }] };
}

function nested(element: CompiledElement, source: SourceNode, job: BuildJob, depth: number): Built | undefined {
  if (element.making.kind !== 'object') return undefined;
  const above = job.boundSystem;
  job.boundSystem = element.rule.system ?? above;
  try {
    return buildObject(elementsOf(element.making, job.set), source, job, depth + 1);
  } catch (error) {
    if (!(error instanceof Refused) || error.severity !== 'element') throw error;
    job.findings.push(error.finding);
    return undefined;
  } finally {
    job.boundSystem = above;
  }
}

type ObjectMaking = Extract<CompiledElement['making'], { kind: 'object' }>;

/** Elements of a shared type, then those of the rule itself. Most rules have one or the other, and no list is made anew for each value. */
function elementsOf({ type, elements }: ObjectMaking, set: MapSet): readonly CompiledElement[] {
  const shared = type === undefined ? undefined : set.types.get(type);
  if (shared === undefined) return elements;
  return elements.length === 0 ? shared : [...shared, ...elements];
}

function converted(element: CompiledElement, conversion: Conversion, source: SourceNode, job: BuildJob): Built | undefined {
  job.rule = ruleOf(element.rule, job.boundSystem);
  job.ruleId = element.id;
  const plain = plainly(element, conversion, source, job);
  if (plain !== undefined) return plain;
  const result = conversion(source, job);
  if (result === undefined) return undefined;
  if (!('problem' in result)) return { value: result.value, marks: marksOf(element, result) };
  const severity = refusalOf(element, result.problem);
  if (severity !== undefined) refuse(element, result.at, result.problem, severity);
  job.note(result.problem, result.at);
  if (result.problem === 'translate.code-unmapped') ask(element, undefined, result.at.value?.trim(), job);
  return undefined;
}

function plainly(element: CompiledElement, { plain }: Conversion, source: SourceNode, job: BuildJob): Built | undefined {
  const leaf = plain === undefined ? undefined : textLeaf(source);
  const value = leaf?.value === undefined ? undefined : plain?.(leaf.value, job);
  return leaf === undefined || value === undefined ? undefined : { value, marks: [sourceMark(element, '', leaf.alone, undefined)] };
}

function ruleOf(rule: CompiledElement['rule'], boundSystem: string | undefined): ConversionContext['rule'] {
  if (boundSystem === undefined || rule.system !== undefined) return rule;
  return rule.map === undefined ? { system: boundSystem } : { map: rule.map, system: boundSystem };
}

function refusalOf({ rule, unmapped: policy }: CompiledElement, problem: ErrorCode): Severity | undefined {
  const unmapped = problem === 'translate.code-unmapped' && policy === 'reject' ? 'entry' : undefined;
  return rule.strict ?? unmapped ?? (rule.otherwise === undefined ? rule.required : undefined);
}

function sourceMark(element: CompiledElement, path: string, from: readonly SourceNode[], partial: boolean | undefined): Mark {
  return { kind: 'source', path, rule: element.id, from, partial };
}

/** The origins of a converted value as marks; a value that came from the rule alone is a constant. */
function marksOf(element: CompiledElement, { value, origins }: Extract<Converted, { readonly value: FhirValue }>): Mark[] {
  if (origins.length === 0 && typeof value === 'string') return [{ kind: 'constant', path: '', rule: element.id, value }];
  const marks: Mark[] = [];
  for (const { path, from, partial } of origins) marks.push(sourceMark(element, path, from, partial));
  return marks;
}

/** Adds a reference to each instance that is meant; `told`: those that the element has already. */
function refer(
  element: CompiledElement,
  source: SourceNode,
  making: Extract<Making, { kind: 'reference' }>,
  job: BuildJob,
  told: Set<string>,
  all: Built[],
): void {
  for (const name of making.rules) {
    for (const { rule, id } of inScope(job.instances, source, name, making.scope)) {
      const reference = `${rule.resource}/${id}`;
      if (told.has(reference)) continue;
      told.add(reference);
      job.references.add(reference);
      all.push({ value: { reference }, marks: [{ kind: 'reference', path: 'reference', rule: element.id }] });
    }
  }
}

function inScope(
  instances: InstanceIndex,
  source: SourceNode,
  rule: string,
  scope: Extract<Making, { kind: 'reference' }>['scope'],
): readonly Instance[] {
  if (scope === 'here') return instances.here(rule, source);
  if (scope === 'within') return instances.within(rule, source);
  const one = instances.nearest(rule, source);
  return one === undefined ? [] : [one];
}
