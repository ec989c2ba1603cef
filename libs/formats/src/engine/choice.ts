import type { MapCondition } from '@portolan/contracts';
import { compileCondition, textOf } from './condition.js';
import { textLeaf, type SourceNode } from './source-node.js';
import { parseSourcePath, type PathStage, type SourcePathPlan } from './source-path.js';

type Leaves = (node: SourceNode) => readonly SourceNode[];

/**
 * Of a document, and then of a node that makes a resource of the rule: the values that decided that it does. They are those that a path to the node
 * demands (`section[code/@code='11450-4']`), those that the rule's condition asks for by name, and those that the rule claims.
 */
export type Choice = (root: SourceNode) => Leaves;

/** Undefined where no value decides: the node alone does. */
export function compileChoice(
  each: readonly SourcePathPlan[],
  when: MapCondition | undefined,
  claims: readonly SourcePathPlan[],
): Choice | undefined {
  const demanding = each.filter(({ stages }) => stages.some(({ demands }) => demands.length > 0));
  const asked = when === undefined ? undefined : askedOf(when);
  if (demanding.length === 0 && asked === undefined && claims.length === 0) return undefined;
  return (root) => {
    const onTheWay = new Map<SourceNode, Set<SourceNode>>();
    for (const { stages } of demanding) walk(stages, 0, root, [], onTheWay);
    return (node) => [
      ...(onTheWay.get(node) ?? []),
      ...(asked?.(node) ?? []),
      ...claims.flatMap((path) => path.find(node)).flatMap((found) => found.leaves()),
    ];
  };
}

/** Follows a path and keeps, by the nodes that it leads to, the values that its tests demanded. */
function walk(
  stages: readonly PathStage[],
  start: number,
  from: SourceNode,
  read: readonly SourceNode[],
  into: Map<SourceNode, Set<SourceNode>>,
): void {
  const stage = stages[start];
  if (stage === undefined) {
    const there = into.get(from);
    if (there === undefined) into.set(from, new Set(read));
    else for (const leaf of read) there.add(leaf);
    return;
  }
  for (const node of stage.find(from)) {
    const demanded = stage.demands.flatMap(({ path, equals }) =>
      path.find(node).flatMap((hit) => leafThat(hit, (text) => text === equals)),
    );
    walk(stages, start + 1, node, demanded.length === 0 ? read : [...read, ...demanded], into);
  }
}

/** The values that a condition asks for by name, where it holds; undefined where it names none. What it denies decided nothing. */
function askedOf(condition: MapCondition): Leaves | undefined {
  const all = (condition.all ?? []).map(askedOf);
  const any = (condition.any ?? []).map(askedWhereItHolds);
  const parts = [namedBy(condition), ...all, ...any].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : (node) => parts.flatMap((part) => part(node));
}

function namedBy({ path, in: allowed }: MapCondition): Leaves | undefined {
  if (path === undefined || allowed === undefined) return undefined;
  const { find } = parseSourcePath(path);
  return (node) => find(node).flatMap((hit) => leafThat(hit, (text) => allowed.includes(text)));
}

function askedWhereItHolds(alternative: MapCondition): Leaves | undefined {
  const asked = askedOf(alternative);
  if (asked === undefined) return undefined;
  const holds = compileCondition(alternative);
  return (node) => (holds(node) ? asked(node) : []);
}

function leafThat(node: SourceNode, fits: (text: string) => boolean): SourceNode[] {
  const leaf = textLeaf(node);
  return leaf !== undefined && fits(textOf(node)) ? [leaf] : [];
}
