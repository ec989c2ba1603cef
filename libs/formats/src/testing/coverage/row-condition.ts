import { hasValue } from '../../engine/condition.js';
import { textLeaf, type SourceNode } from '../../engine/index.js';

/** Finds the nodes that a condition's name means (`OBX-2`, `XTN.3`); undefined where it cannot be said. */
export type Lookup = (name: string) => readonly SourceNode[] | undefined;

const comparison =
  /^\(?\s*(?:IF\s+)?([A-Z][A-Z0-9]{1,2}[-.]?\d[\d.]*)\s+(?:(?:IS\s+)?(NOT\s+)?VALUED|(IS NOT|NOT EQUALS|NOT EQUAL TO|IS|EQUALS|=)\s*["'“]?([^"'”]*)["'”]?|(NOT\s+)?IN\s*\(([^)]*)\))\s*\)?$/;

/**
 * Whether the condition of a row holds, as far as it is one that a machine can read (values and presence, joined by AND or OR); undefined
 * where it is prose for people.
 */
export function holds(condition: string, lookup: Lookup): boolean | undefined {
  const text = condition.replace(/^IF\s+/, '').trim();
  if (text === '') return true;
  const any = text.split(/\s+OR\s+(?=[A-Z]+\d*[-.]\d)/).map((part) => all(part, lookup));
  if (any.some((one) => one === true)) return true;
  return any.includes(undefined) ? undefined : false;
}

function all(text: string, lookup: Lookup): boolean | undefined {
  const each = text.split(/\s+AND\s+(?:IF\s+)?/).map((part) => one(part.trim(), lookup));
  if (each.includes(false)) return false;
  return each.includes(undefined) ? undefined : true;
}

function one(text: string, lookup: Lookup): boolean | undefined {
  const match = comparison.exec(text);
  if (match === null) return undefined;
  const [, name = '', notValued, relation, value = '', notIn, list] = match;
  const nodes = lookup(name);
  if (nodes === undefined) return undefined;
  if (list !== undefined) return oneOf(nodes, list) === (notIn === undefined);
  if (relation !== undefined) return has(nodes, value) === !/NOT/.test(relation);
  return nodes.some(hasValue) === (notValued === undefined);
}

const has = (nodes: readonly SourceNode[], value: string): boolean => nodes.some((node) => textLeaf(node)?.value === value);

function oneOf(nodes: readonly SourceNode[], list: string): boolean {
  return [...list.matchAll(/"([^"]*)"/g)].some(([, value = '']) => has(nodes, value));
}
