import type { CodeBinding, ElementRule, IgnoreRule, ResourceRule, UnmappedPolicy } from '@portolan/contracts';
import type { AllowedCodes, ValueSets } from './allowed-codes.js';
import { compileChoice, type Choice } from './choice.js';
import { compileCondition, type Condition } from './condition.js';
import type { ConceptMap } from './concept-map.js';
import type { Conversion } from './conversion.js';
import { elementId } from './layers.js';
import type { MapMistake } from './map-set.js';
import { anyGate, openGate, parseSourcePath, planOf, type Gate, type SourcePathPlan } from './source-path.js';
import { parseTargetPath, type TargetPath } from './target-path.js';

/** How an element's value is made. */
export type Making =
  | { readonly kind: 'constant'; readonly value: string | number | boolean }
  | { readonly kind: 'convert'; readonly convert: Conversion }
  | { readonly kind: 'object'; readonly type: string | undefined; readonly elements: readonly CompiledElement[] }
  | { readonly kind: 'reference'; readonly rules: readonly string[]; readonly scope: 'here' | 'nearest' | 'within' };

export interface CompiledElement {
  readonly id: string;
  readonly to: TargetPath;
  /** Alternatives; empty: the enclosing node itself. */
  readonly from: readonly SourcePathPlan[];
  readonly when: Condition | undefined;
  /** What a node must have for the rule to make or tell anything of it. */
  readonly gate: Gate;
  readonly making: Making;
  readonly claims: readonly SourcePathPlan[];
  /** What becomes of a code that the rule's concept maps do not know. */
  readonly unmapped: UnmappedPolicy;
  /** The codes that may stand here, where a value set says so. */
  readonly allowed: AllowedCodes | undefined;
  readonly rule: ElementRule;
}

export interface CompiledResource {
  readonly id: string;
  readonly resource: string;
  readonly each: readonly SourcePathPlan[];
  readonly when: Condition | undefined;
  readonly mention: Condition | undefined;
  /** What decides that a node makes such a resource. */
  readonly choice: Choice | undefined;
  readonly key: readonly (readonly SourcePathPlan[])[];
  readonly elements: readonly CompiledElement[];
  readonly rule: ResourceRule;
}

export interface CompiledIgnore {
  readonly id: string;
  readonly paths: readonly SourcePathPlan[];
  readonly reason: string;
}

/** What rules may name, and where mistakes go. */
export interface Known {
  readonly types: ReadonlySet<string>;
  /** Resource rules in force and their place in the order. */
  readonly rules: ReadonlyMap<string, number>;
  readonly conceptMaps: ReadonlyMap<string, ConceptMap>;
  readonly slots: ReadonlySet<string>;
  /** By concept map: what becomes of a code that it does not know. */
  readonly policies: ReadonlyMap<string, UnmappedPolicy>;
  /** By concept map: the value set that its codes must belong to. */
  readonly bindings: ReadonlyMap<string, CodeBinding>;
  /** By canonical URL: what the country's and the shipped value sets hold. */
  readonly valueSets: ValueSets;
  readonly conversions: Readonly<Record<string, Conversion>>;
  readonly mistakes: MapMistake[];
}

interface Place {
  readonly file: string;
  readonly rule: string;
}

function tell(known: Known, place: Place, what: string): void {
  known.mistakes.push({ file: place.file, rule: place.rule, what });
}

/** The answer of `parse`, or `instead` and a mistake told. */
function attempt<T>(known: Known, place: Place, instead: T, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    tell(known, place, error instanceof Error ? error.message : 'is wrong');
    return instead;
  }
}

function paths(texts: readonly string[], place: Place, known: Known): SourcePathPlan[] {
  return texts.map((text) => attempt(known, place, planOf(text, []), () => parseSourcePath(text)));
}

function condition(raw: ElementRule['when'], place: Place, known: Known): Condition | undefined {
  return raw === undefined ? undefined : attempt(known, place, undefined, () => compileCondition(raw));
}

export function compileResource({ file, rule }: { file: string; rule: ResourceRule }, known: Known): CompiledResource {
  const place = { file, rule: rule.id };
  if (rule.resource === undefined) tell(known, place, 'names no resource, and no earlier map has a rule of this id');
  if (rule.each === undefined) tell(known, place, 'does not say where it repeats (each)');
  checkUnder(rule, place, known);
  const each = paths(rule.each ?? [], place, known);
  const when = condition(rule.when, place, known);
  const claims = paths(rule.claims ?? [], place, known);
  return {
    id: rule.id,
    resource: rule.resource ?? '',
    each,
    when,
    mention: condition(rule.mention, place, known),
    choice: compileChoice(each, when === undefined ? undefined : rule.when, claims),
    key: (rule.key ?? []).map((alternative) => paths(alternative, place, known)),
    elements: compileElements(rule.elements ?? [], place, known),
    rule,
  };
}

function checkUnder(rule: ResourceRule, place: Place, known: Known): void {
  if (rule.under === undefined) return;
  const parent = known.rules.get(rule.under);
  if (parent === undefined) tell(known, place, `stands under ${rule.under}, which is no rule`);
  else if (parent >= (known.rules.get(rule.id) ?? 0)) tell(known, place, `stands under ${rule.under}, which comes later`);
}

export function compileIgnores(ignores: readonly { file: string; rule: IgnoreRule }[], known: Known): CompiledIgnore[] {
  return ignores.map(({ file, rule }) => ({ id: rule.id, reason: rule.reason, paths: paths(rule.paths, { file, rule: rule.id }, known) }));
}

/** Compiles element rules of one owner; two rules of one id are a mistake. */
export function compileElements(rules: readonly ElementRule[], owner: Place, known: Known): CompiledElement[] {
  const seen = new Set<string>();
  const inForce = rules.filter((rule) => rule.off === undefined);
  return inForce.map((rule) => {
    const id = elementId(owner.rule, rule);
    const place = { file: owner.file, rule: id };
    if (seen.has(id)) tell(known, place, 'two rules have this id: name them apart');
    seen.add(id);
    return compileElement(rule, place, known);
  });
}

function compileElement(rule: ElementRule, place: Place, known: Known): CompiledElement {
  const from = rule.from === undefined ? [] : [rule.from].flat();
  for (const map of [...(rule.map === undefined ? [] : [rule.map]), ...(rule.codes ?? [])]) {
    if (!known.conceptMaps.has(map) && !known.slots.has(map)) tell(known, place, `names the concept map ${map}, which is none`);
  }
  const [plans, making] = [paths(from, place, known), makingOf(rule, place, known)];
  return {
    id: place.rule,
    to: attempt(known, place, [], () => parseTargetPath(rule.to)),
    from: plans,
    when: condition(rule.when, place, known),
    gate: gateOf(rule, plans, making),
    making,
    claims: paths(rule.claims ?? [], place, known),
    unmapped: policyOf(rule, known),
    allowed: allowedOf(rule, place, known),
    rule,
  };
}

/** Open for a rule that says something even of what is not there. */
function gateOf(rule: ElementRule, from: readonly SourcePathPlan[], making: Making): Gate {
  if (making.kind === 'constant' || rule.otherwise !== undefined || rule.required !== undefined) return openGate;
  return from.length === 0 ? openGate : anyGate(from.map(({ gate }) => gate));
}

function policyOf(rule: ElementRule, { policies }: Known): UnmappedPolicy {
  return rule.unmapped ?? policies.get(ownMap(rule) ?? '') ?? 'keep';
}

/** The concept map that speaks for the rule: the first that it names. */
const ownMap = ({ codes, map }: ElementRule): string | undefined => codes?.[0] ?? map;

/** The set that the rule names, or the one that its first concept map is bound to. */
function allowedOf(rule: ElementRule, place: Place, known: Known): AllowedCodes | undefined {
  const map = ownMap(rule);
  const binding = rule.binding ?? known.bindings.get(map ?? '');
  if (binding === undefined) return undefined;
  const members = known.valueSets.get(binding.valueSet);
  if (members === undefined) tell(known, place, `is bound to the value set ${binding.valueSet}, which is none of this country`);
  const outside = binding.outside ?? policyOf(rule, known);
  if (outside === 'queue' && map === undefined) tell(known, place, 'asks a person about codes, and names no concept map for the answer');
  return members === undefined ? undefined : { members, outside };
}

const nothing: Making = { kind: 'object', type: undefined, elements: [] };

function makingOf(rule: ElementRule, place: Place, known: Known): Making {
  if (rule.constant !== undefined) return constant(rule, rule.constant, place, known);
  if (rule.as === 'reference') return reference(rule, place, known);
  const convert = rule.as === undefined ? undefined : conversionNamed(rule.as, known);
  return convert === undefined ? objectOf(rule, place, known) : conversion(rule, convert, place, known);
}

function conversion(rule: ElementRule, convert: Conversion, place: Place, known: Known): Making {
  if (rule.elements !== undefined) tell(known, place, `has elements beside the conversion ${rule.as ?? ''}`);
  return { kind: 'convert', convert };
}

function objectOf(rule: ElementRule, place: Place, known: Known): Making {
  if (rule.as !== undefined && !known.types.has(rule.as)) tell(known, place, `as ${rule.as}: no such conversion or type`);
  if (rule.as === undefined && rule.elements === undefined) tell(known, place, 'says neither as, elements nor constant');
  return { kind: 'object', type: rule.as, elements: compileElements(rule.elements ?? [], place, known) };
}

function conversionNamed(name: string, known: Known): Conversion | undefined {
  return Object.hasOwn(known.conversions, name) ? known.conversions[name] : undefined;
}

function constant(rule: ElementRule, value: string | number | boolean, place: Place, known: Known): Making {
  if (rule.as !== undefined || rule.elements !== undefined || rule.from !== undefined) {
    tell(known, place, 'a constant takes nothing from the source');
  }
  return { kind: 'constant', value };
}

function reference(rule: ElementRule, place: Place, known: Known): Making {
  const rules = [rule.rule ?? []].flat();
  const wrong = rules.find((one) => !known.rules.has(one));
  if (rules.length === 0 || wrong !== undefined) {
    tell(known, place, `refers to the rule ${wrong ?? '(none)'}, which is none`);
    return nothing;
  }
  return { kind: 'reference', rules, scope: rule.scope ?? 'nearest' };
}
