import type { FhirValue } from './fhir.js';
import type { SourceNode } from './source-node.js';

/**
 * Says of one element of a built value where it came from. Paths are FHIR paths from the value itself, '' for all of it. A mark belongs to one
 * value: what takes the value in lengthens its path, and makes no other mark.
 */
export type Mark =
  | {
      readonly kind: 'source';
      path: string;
      readonly rule: string;
      readonly from: readonly SourceNode[];
      readonly partial?: boolean | undefined;
    }
  | { readonly kind: 'constant'; path: string; readonly rule: string; readonly value: string | number | boolean }
  | { readonly kind: 'reference'; path: string; readonly rule: string };

/** A value and where each part of it came from. */
export interface Built {
  readonly value: FhirValue;
  readonly marks: readonly Mark[];
}

export function joinPath(outer: string, inner: string): string {
  return outer === '' || inner === '' ? `${outer}${inner}` : `${outer}.${inner}`;
}

/** The first element of a path: `name` of `name[0].family`. */
export function elementOf(path: string): string {
  for (let i = 0; i < path.length; i += 1) {
    const code = path.charCodeAt(i);
    if (code === DOT || code === BRACKET) return path.slice(0, i);
  }
  return path;
}

/** Whether a path is that of the element `name`, or lies within it. */
export function isWithin(path: string, name: string): boolean {
  if (!path.startsWith(name)) return false;
  if (path.length === name.length) return true;
  const code = path.charCodeAt(name.length);
  return code === DOT || code === BRACKET;
}

/** Whether the marks come element by element, in the order of `names`, and each lies within one of these. */
export function isInOrder(names: readonly string[], marks: readonly Mark[]): boolean {
  let at = 0;
  for (const { path } of marks) {
    while (at < names.length && !isWithin(path, names[at] ?? '')) at += 1;
    if (at === names.length) return false;
  }
  return true;
}

/** `name[0].code` behind `by` items that stood there before. */
export function shifted(path: string, name: string, by: number): string {
  const end = path.indexOf(']', name.length);
  if (path[name.length] !== '[' || end < 0) return path;
  return `${name}[${Number(path.slice(name.length + 1, end)) + by}${path.slice(end)}`;
}

const [DOT, BRACKET] = [0x2e, 0x5b];
