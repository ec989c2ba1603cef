import type { Choice } from './choice.js';
import type { MapSet } from './map-set.js';
import type { SourceNode } from './source-node.js';
import { PathFinder } from './source-path.js';
import type { Finding } from './findings.js';
import type { Draft } from './drafts.js';
import type { Reject } from './run.js';

/** Where one element of one resource came from. */
export interface ElementProvenance {
  /** Index into the translation's resources. */
  readonly resource: number;
  /** FHIR path in that resource, such as `name[0].family`. */
  readonly path: string;
  /** Path of the source value, such as `PID[1]-5[1].1.1`. */
  readonly source: string;
  readonly rule: string;
}

/** A value that a rule made an element of, or that decided which resource the rule made (`chose`). */
export interface MappedValue {
  readonly path: string;
  readonly rule: string;
  /** `Type/id#path`, or `Type/id` for a choice. */
  readonly to: string;
  /** It stands in no element, so it is carried, too. */
  readonly chose?: true;
}

/** A value kept beside the resources because no rule expresses it, or not wholly. An explicit null is carried as `""`. */
export interface CarriedValue {
  readonly path: string;
  readonly value: string;
  /** HL7 v2: sequences that only say how a text looks, or what nobody here knows, stand in it (`\H\`), in the recommended delimiters. */
  readonly escaped?: true;
}

/** What became of every value of a source document. */
export interface Account {
  readonly mapped: readonly MappedValue[];
  readonly carried: readonly CarriedValue[];
  readonly ignored: readonly { readonly path: string; readonly rule: string; readonly reason: string }[];
  /** Values that stand in the output and came from a rule, not from the source. */
  readonly constants: readonly { readonly to: string; readonly rule: string; readonly value: string | number | boolean }[];
  readonly warnings: readonly Finding[];
  readonly rejects: readonly Reject[];
}

export function provenanceOf(drafts: readonly Draft[]): ElementProvenance[] {
  const told: ElementProvenance[] = [];
  for (const [resource, { marks }] of drafts.entries()) {
    for (const mark of marks) {
      if (mark.kind !== 'source') continue;
      for (const leaf of mark.from) told.push({ resource, path: mark.path, source: leaf.path, rule: mark.rule });
    }
  }
  return told;
}

export function accountOf(
  root: SourceNode,
  set: MapSet,
  drafts: readonly Draft[],
  warnings: readonly Finding[],
  rejects: readonly Reject[],
): Account {
  const { mapped, constants, whole } = marksTold(drafts);
  const ignored = ignoredLeaves(root, set);
  const carried: CarriedValue[] = [];
  for (const leaf of root.leaves()) {
    if (ignored.has(leaf) && !whole.has(leaf)) continue;
    if (leaf.original !== undefined) carried.push({ path: leaf.path, value: leaf.original, escaped: true });
    else if (!whole.has(leaf) && leaf.value !== '') carried.push({ path: leaf.path, value: leaf.value ?? '' });
  }
  return {
    mapped: [...mapped, ...choicesTold(root, drafts, whole)],
    carried,
    ignored: [...ignored].filter(([leaf]) => !whole.has(leaf)).map(([{ path }, why]) => ({ path, ...why })),
    constants,
    warnings,
    rejects,
  };
}

/** What the marks say, and the leaves of which nothing is left unsaid. */
function marksTold(drafts: readonly Draft[]): {
  mapped: Account['mapped'];
  constants: Account['constants'];
  whole: ReadonlySet<SourceNode>;
} {
  const [mapped, constants]: [Account['mapped'][number][], Account['constants'][number][]] = [[], []];
  const whole = new Set<SourceNode>();
  for (const { resource, marks } of drafts) {
    const at = `${resource.resourceType}/${resource.id}#`;
    for (const mark of marks) {
      if (mark.kind === 'constant') constants.push({ to: `${at}${mark.path}`, rule: mark.rule, value: mark.value });
      if (mark.kind !== 'source') continue;
      const to = `${at}${mark.path}`;
      for (const leaf of mark.from) {
        mapped.push({ path: leaf.path, rule: mark.rule, to });
        if (mark.partial !== true) whole.add(leaf);
      }
    }
  }
  return { mapped, constants, whole };
}

/** The values that decided which resources there are, but for those that stand in an element besides. */
function choicesTold(root: SourceNode, drafts: readonly Draft[], whole: ReadonlySet<SourceNode>): MappedValue[] {
  const told: MappedValue[] = [];
  const choices = new Map<string, ReturnType<Choice>>();
  for (const { resource, instance, others = [] } of drafts) {
    const to = `${resource.resourceType}/${resource.id}`;
    for (const { rule, node } of [instance, ...others]) {
      if (rule.choice === undefined) continue;
      const choice = choices.get(rule.id) ?? rule.choice(root);
      choices.set(rule.id, choice);
      for (const leaf of new Set(choice(node))) if (!whole.has(leaf)) told.push({ path: leaf.path, rule: rule.id, to, chose: true });
    }
  }
  return told;
}

function ignoredLeaves(root: SourceNode, set: MapSet): Map<SourceNode, { rule: string; reason: string }> {
  const found = new Map<SourceNode, { rule: string; reason: string }>();
  const finder = new PathFinder(root);
  for (const { id, paths, reason } of set.ignores) {
    for (const path of paths) {
      for (const node of finder.find(path)) for (const leaf of node.leaves()) found.set(leaf, { rule: id, reason });
    }
  }
  return found;
}
