import type { Draft } from '../../engine/drafts.js';
import { isFhirObject, type FhirValue, type SourceNode } from '../../engine/index.js';
import { plainPath } from './rows.js';

/** One mark of a translation, as the tables speak of it. */
export interface Fact {
  readonly kind: 'source' | 'constant' | 'reference';
  readonly draft: Draft;
  /** FHIR path without indexes and underscores. */
  readonly path: string;
  readonly rule: string;
  /** What stands there, where it is a constant or a reference. */
  readonly value: string;
  /** The source value, its field `PID-5`, and the components below. */
  readonly leaf: SourceNode | undefined;
  readonly field: string;
  readonly components: readonly number[];
}

/** Everything that the marks of `drafts` say. */
export function factsOf(drafts: readonly Draft[]): Fact[] {
  return drafts.flatMap((draft) =>
    draft.marks.flatMap((mark): Fact[] => {
      const common = { draft, path: plainPath(mark.path), rule: mark.rule };
      if (mark.kind === 'source') return mark.from.map((leaf) => ({ ...common, kind: 'source', value: '', leaf, ...placeOf(leaf) }));
      const value = mark.kind === 'constant' ? String(mark.value) : textAt(draft.resource, mark.path);
      return [{ ...common, kind: mark.kind, value, leaf: undefined, field: '', components: [] }];
    }),
  );
}

/** `PID[2]-5[3].1.2` is the field PID-5 and its components 1 and 2. */
export function placeOf({ path }: SourceNode): { field: string; components: number[] } {
  const match = /^([A-Z][A-Z0-9]{2})(?:\[\d+\])?-(\d+)(?:\[\d+\])?([\d.]*)$/.exec(path);
  const below = (match?.[3] ?? '').split('.').filter((part) => part !== '');
  return { field: match === null ? '' : `${match[1] ?? ''}-${match[2] ?? ''}`, components: below.map(Number) };
}

/** The text at a FHIR path with indexes. */
function textAt(value: FhirValue, path: string): string {
  let at: FhirValue | undefined = value;
  for (const part of path.split(/[.[\]]+/).filter((one) => one !== '')) {
    if (Array.isArray(at)) at = at[Number(part)];
    else if (isFhirObject(at)) at = at[part];
    else return '';
  }
  return typeof at === 'string' ? at : '';
}

/** Whether `path` is `prefix` or lies below it. */
export const isUnder = (path: string, prefix: string): boolean => prefix === '' || path === prefix || path.startsWith(`${prefix}.`);

/** `path` seen from `prefix`. */
export const below = (path: string, prefix: string): string => (prefix === '' ? path : path.slice(prefix.length + 1));
