import type { FhirValue } from './fhir.js';
import type { SourceNode } from './source-node.js';

/** Says of one element of a built value where it came from. Paths are FHIR paths from the value itself, '' for all of it. */
export type Mark =
  | {
      readonly kind: 'source';
      readonly path: string;
      readonly rule: string;
      readonly from: readonly SourceNode[];
      readonly partial?: boolean;
    }
  | { readonly kind: 'constant'; readonly path: string; readonly rule: string; readonly value: string | number | boolean }
  | { readonly kind: 'reference'; readonly path: string; readonly rule: string };

/** A value and where each part of it came from. */
export interface Built {
  readonly value: FhirValue;
  readonly marks: readonly Mark[];
}

export function joinPath(outer: string, inner: string): string {
  return outer === '' || inner === '' ? `${outer}${inner}` : `${outer}.${inner}`;
}
