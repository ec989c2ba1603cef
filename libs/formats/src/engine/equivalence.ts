/** FHIR R4 concept-map-equivalence, read from the target: a `wider` target means more than the source code. */
const all = [
  'relatedto',
  'equivalent',
  'equal',
  'wider',
  'subsumes',
  'narrower',
  'specializes',
  'inexact',
  'unmatched',
  'disjoint',
] as const;
export type Equivalence = (typeof all)[number];

export const isEquivalence = (text: string): text is Equivalence => (all as readonly string[]).includes(text);

/** There is no counterpart: the code stays unmapped, whatever target stands beside. */
export const noCounterpart = (equivalence: Equivalence): boolean => equivalence === 'unmatched' || equivalence === 'disjoint';

/** The target says just what the source code says. */
export const isSame = (equivalence: Equivalence): boolean => equivalence === 'equal' || equivalence === 'equivalent';

/** The target holds of everything of which the source code holds, and says less of it. */
export const isBroader = (equivalence: Equivalence): boolean => equivalence === 'wider' || equivalence === 'subsumes';

/**
 * The target may say what the source did not: R4 asks to take care with such a mapping. It never takes the place of the original coding and
 * never stands before it; where FHIR has room for its own code only, the original is carried. Either is told (`translate.code-inexact`).
 */
export const isInexact = (equivalence: Equivalence): boolean =>
  equivalence === 'narrower' || equivalence === 'specializes' || equivalence === 'inexact';
