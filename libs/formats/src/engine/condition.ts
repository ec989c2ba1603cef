import type { MapCondition } from '@portolan/contracts';
import { textLeaf, type SourceNode } from './source-node.js';
import { parseSourcePath } from './source-path.js';

export type Condition = (node: SourceNode) => boolean;

/** Compiles a condition of a map; throws a plain Error where one of its paths is wrong. */
export function compileCondition(condition: MapCondition): Condition {
  const checks: Condition[] = [...pathChecks(condition)];
  for (const one of condition.all ?? []) checks.push(compileCondition(one));
  if (condition.any !== undefined) {
    const any = condition.any.map(compileCondition);
    checks.push((node) => any.some((check) => check(node)));
  }
  if (condition.not !== undefined) {
    const inner = compileCondition(condition.not);
    checks.push((node) => !inner(node));
  }
  if (checks.length === 0) throw new Error('a condition asks nothing');
  const [only] = checks;
  return checks.length === 1 && only !== undefined ? only : (node) => checks.every((check) => check(node));
}

function pathChecks(condition: MapCondition): Condition[] {
  const { path, in: allowed, present, atLeast, atMost, longerThan } = condition;
  const asks = [allowed, present, atLeast, atMost, longerThan].some((one) => one !== undefined);
  if (path === undefined) {
    if (asks) throw new Error('a condition asks about a value and names no path');
    return [];
  }
  if (!asks) throw new Error('a condition names a path and asks nothing about it');
  const { find } = parseSourcePath(path);
  return asked(condition).map(
    (holds): Condition =>
      (node) =>
        holds(find(node)),
  );
}

type Holds = (found: readonly SourceNode[]) => boolean;

/** What a condition asks of the nodes that its path finds, one check for each thing asked. */
function asked({ in: allowed, present, atLeast, atMost, longerThan }: MapCondition): Holds[] {
  const checks: (Holds | undefined)[] = [
    allowed && ((found) => someIn(found, allowed)),
    present === undefined ? undefined : (found) => found.some(hasValue) === present,
    atLeast === undefined ? undefined : (found) => found.length >= atLeast,
    atMost === undefined ? undefined : (found) => found.length <= atMost,
    longerThan === undefined ? undefined : (found) => found.some((node) => textOf(node).length > longerThan),
  ];
  return checks.filter((check) => check !== undefined);
}

function someIn(found: readonly SourceNode[], allowed: readonly string[]): boolean {
  for (const node of found) if (allowed.includes(textOf(node))) return true;
  return false;
}

/** A node's own text. */
export const textOf = (node: SourceNode): string => textLeaf(node)?.value ?? '';

/** Whether any value stands at or below the node. */
export function hasValue(node: SourceNode): boolean {
  if (node.value !== undefined) return !node.explicitNull && node.value !== '';
  for (const child of node.children) if (hasValue(child)) return true;
  return false;
}
