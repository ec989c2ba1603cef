import type { MapSet } from './map-set.js';
import type { Mark } from './marks.js';
import type { SourceNode } from './source-node.js';
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

/** What became of every value of a source document. */
export interface Account {
  readonly mapped: readonly { readonly path: string; readonly rule: string; readonly to: string }[];
  /** Values kept beside the resources because no rule expresses them, or not wholly. An explicit null is carried as `""`. */
  readonly carried: readonly { readonly path: string; readonly value: string }[];
  readonly ignored: readonly { readonly path: string; readonly rule: string; readonly reason: string }[];
  /** Values that stand in the output and came from a rule, not from the source. */
  readonly constants: readonly { readonly to: string; readonly rule: string; readonly value: string | number | boolean }[];
  readonly warnings: readonly Finding[];
  readonly rejects: readonly Reject[];
}

export function provenanceOf(drafts: readonly Draft[]): ElementProvenance[] {
  return drafts.flatMap(({ marks }, resource) =>
    marks.flatMap((mark) =>
      mark.kind === 'source' ? mark.from.map((leaf) => ({ resource, path: mark.path, source: leaf.path, rule: mark.rule })) : [],
    ),
  );
}

export function accountOf(
  root: SourceNode,
  set: MapSet,
  drafts: readonly Draft[],
  warnings: readonly Finding[],
  rejects: readonly Reject[],
): Account {
  const marks = drafts.flatMap(({ resource, marks: own }) =>
    own.map((mark) => ({ mark, to: `${resource.resourceType}/${resource.id}#${mark.path}` })),
  );
  const whole = leavesOf(marks.map(({ mark }) => mark).filter((mark) => mark.kind === 'source' && mark.partial !== true));
  const ignored = ignoredLeaves(root, set);
  return {
    mapped: marks.flatMap(({ mark, to }) => (mark.kind === 'source' ? mark.from.map(({ path }) => ({ path, rule: mark.rule, to })) : [])),
    carried: root
      .leaves()
      .filter((leaf) => !whole.has(leaf) && !ignored.has(leaf) && leaf.value !== '')
      .map(({ path, value }) => ({ path, value: value ?? '' })),
    ignored: [...ignored].filter(([leaf]) => !whole.has(leaf)).map(([{ path }, why]) => ({ path, ...why })),
    constants: marks.flatMap(({ mark, to }) => (mark.kind === 'constant' ? [{ to, rule: mark.rule, value: mark.value }] : [])),
    warnings,
    rejects,
  };
}

function leavesOf(marks: readonly Mark[]): Set<SourceNode> {
  return new Set(marks.flatMap((mark) => (mark.kind === 'source' ? mark.from : [])));
}

function ignoredLeaves(root: SourceNode, set: MapSet): Map<SourceNode, { rule: string; reason: string }> {
  const found = new Map<SourceNode, { rule: string; reason: string }>();
  for (const { id, paths, reason } of set.ignores) {
    for (const path of paths) {
      for (const node of path.find(root)) for (const leaf of node.leaves()) found.set(leaf, { rule: id, reason });
    }
  }
  return found;
}
