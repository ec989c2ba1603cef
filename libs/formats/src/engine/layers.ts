import type { CodeBinding, ElementRule, IgnoreRule, ResourceRule, TranslationMap, UnmappedPolicy } from '@portolan/contracts';

/** The rules in force after every map was laid over the earlier ones; each keeps the file it came from last. */
export interface LayeredMaps {
  readonly resources: readonly { readonly file: string; readonly rule: ResourceRule }[];
  readonly types: ReadonlyMap<string, { readonly file: string; readonly elements: readonly ElementRule[] }>;
  readonly ignores: readonly { readonly file: string; readonly rule: IgnoreRule }[];
  /** By concept map: what becomes of a code that it does not know. */
  readonly policies: ReadonlyMap<string, { readonly file: string; readonly policy: UnmappedPolicy }>;
  /** By concept map: the value set that its codes must belong to. */
  readonly bindings: ReadonlyMap<string, { readonly file: string; readonly binding: CodeBinding }>;
  /** By `system|code`: the unit that is demanded. */
  readonly units: ReadonlyMap<string, { readonly file: string; readonly unit: string }>;
}

/** An element rule's id: its own, or its owner's with its target. */
export function elementId(owner: string, rule: ElementRule): string {
  return rule.id ?? `${owner}.${rule.to}`;
}

/** Lays maps over each other: a later rule with the id of an earlier one takes its place, a new id is added at the end. */
export function layered(maps: readonly { readonly file: string; readonly map: TranslationMap }[]): LayeredMaps {
  const resources = new Map<string, { file: string; rule: ResourceRule }>();
  const types = new Map<string, { file: string; elements: readonly ElementRule[] }>();
  const ignores = new Map<string, { file: string; rule: IgnoreRule }>();
  const policies = new Map<string, { file: string; policy: UnmappedPolicy }>();
  const bindings = new Map<string, { file: string; binding: CodeBinding }>();
  const units = new Map<string, { file: string; unit: string }>();
  for (const { file, map } of maps) {
    for (const rule of resourcesOf(map)) resources.set(rule.id, { file, rule: over(resources.get(rule.id)?.rule, rule) });
    for (const [name, elements] of typesOf(map))
      types.set(name, { file, elements: elementsOver(name, types.get(name)?.elements, elements) });
    for (const rule of ignoresOf(map)) ignores.set(rule.id, { file, rule });
    for (const [id, policy] of policiesOf(map)) policies.set(id, { file, policy });
    for (const [id, binding] of bindingsOf(map)) bindings.set(id, { file, binding });
    for (const [key, unit] of unitsOf(map)) units.set(key, { file, unit });
  }
  return { resources: [...resources.values()], types, ignores: [...ignores.values()], policies, bindings, units };
}

const resourcesOf = ({ resources = [] }: TranslationMap): readonly ResourceRule[] => resources;
const ignoresOf = ({ ignore = [] }: TranslationMap): readonly IgnoreRule[] => ignore;
const unitsOf = ({ canonicalUnits = [] }: TranslationMap): [string, string][] =>
  canonicalUnits.map(({ system, code, unit }) => [`${system}|${code}`, unit]);

function policiesOf({ unmapped = {} }: TranslationMap): [string, UnmappedPolicy][] {
  return Object.entries(unmapped).flatMap(([id, policy]): [string, UnmappedPolicy][] => (policy === undefined ? [] : [[id, policy]]));
}

function bindingsOf({ bindings = {} }: TranslationMap): [string, CodeBinding][] {
  return Object.entries(bindings).flatMap(([id, binding]): [string, CodeBinding][] => (binding === undefined ? [] : [[id, binding]]));
}

function typesOf(map: TranslationMap): [string, readonly ElementRule[]][] {
  return Object.entries(map.types ?? {}).map(([name, elements = []]) => [name, elements]);
}

function over(below: ResourceRule | undefined, above: ResourceRule): ResourceRule {
  if (below === undefined) return above;
  return { ...below, ...above, elements: [...elementsOver(above.id, below.elements, above.elements ?? [])] };
}

function elementsOver(owner: string, below: readonly ElementRule[] = [], above: readonly ElementRule[]): readonly ElementRule[] {
  if (below.length === 0) return above;
  const merged = new Map(below.map((rule) => [elementId(owner, rule), rule]));
  for (const rule of above) merged.set(elementId(owner, rule), rule);
  return [...merged.values()];
}
