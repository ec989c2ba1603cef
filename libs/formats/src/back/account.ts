import type { SourceNode } from '../engine/index.js';
import type { CompiledBackMap } from './compile.js';
import type { FhirTree } from './fhir-tree.js';

/** What the message or document says, and what it cannot say. */
export interface BackAccount {
  readonly mapped: readonly { readonly path: string; readonly rule: string; readonly to: string }[];
  /** Left out, by a rule of the map that says why, or by `(no place)`: nothing in this form has room for it. */
  readonly left: readonly { readonly path: string; readonly rule: string; readonly reason: string }[];
  /** Places of the original whose carried values found no place again. */
  readonly unrestored: readonly string[];
}

/** Every value of the bundle is written, or left by a rule. */
export function accountOf(
  leave: CompiledBackMap['leave'],
  tree: FhirTree,
  used: ReadonlyMap<SourceNode, { readonly rule: string; readonly to: string }>,
): Omit<BackAccount, 'unrestored'> {
  const left = new Map(
    leave.flatMap(({ id, reason, paths }) =>
      paths.flatMap((path) => path(tree.root, tree).flatMap((node) => node.leaves().map((leaf) => [leaf, { rule: id, reason }] as const))),
    ),
  );
  const rest = tree.root.leaves().filter((leaf) => !used.has(leaf));
  const none = { rule: '(no place)', reason: 'no rule of this message has a place for it' };
  return {
    mapped: [...used].map(([{ path }, { rule, to }]) => ({ path, rule, to })),
    left: rest.map((leaf) => ({ path: leaf.path, ...(left.get(leaf) ?? none) })),
  };
}
