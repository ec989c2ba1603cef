import type { CompiledElement } from '../../engine/compile.js';
import type { Draft } from '../../engine/drafts.js';
import type { SourceNode } from '../../engine/index.js';
import type { MapSet } from '../../engine/map-set.js';
import { factsOf, type Fact } from './facts.js';
import { FactIndex, findRows } from './match.js';
import { dataTypeRows, plainPath, segmentRows, type Row } from './rows.js';

/** A document and how to translate it with any set of rules. */
export interface Specimen {
  readonly name: string;
  readonly root: SourceNode;
  drafts(set: MapSet): readonly Draft[];
}

/** What serves one row: in which documents, and the rules without which it is served no more. */
export interface Served {
  readonly row: Row;
  readonly specimens: ReadonlySet<Specimen>;
  /** The rows of segments that lead to it: itself, or those whose data type it tells of. */
  readonly via: ReadonlySet<Row>;
  readonly rules: ReadonlySet<string>;
}

export const allRows: readonly Row[] = [...segmentRows, ...dataTypeRows];
const isDataType = new Set(dataTypeRows);

/** The rows that the documents exercise, by key. */
export function served(set: MapSet, specimens: readonly Specimen[], rows: readonly Row[] = segmentRows): Map<string, Served> {
  const found = new Map<string, { row: Row; specimens: Set<Specimen>; via: Set<Row>; rules: Set<string> }>();
  const owners = new Owners(set);
  for (const specimen of specimens) {
    for (const { row, via, facts } of findRows(rows, new FactIndex(factsOf(specimen.drafts(set))))) {
      const one = found.get(row.key) ?? { row, specimens: new Set(), via: new Set(), rules: new Set() };
      found.set(row.key, one);
      one.specimens.add(specimen);
      one.via.add(via);
      for (const fact of facts) for (const rule of isDataType.has(row) ? [fact.rule] : owners.of(fact)) one.rules.add(rule);
    }
  }
  return found;
}

/**
 * Whether the row is served no more once the rules that serve it are taken out: else what counted it was something else. `most` says in how
 * many of the documents that serve it this is looked at.
 */
export function dependsOnRules({ row, specimens, via, rules }: Served, set: MapSet, most = Infinity): boolean {
  const mutant = set.without(rules);
  return ![...specimens].slice(0, most).some((specimen) => {
    const index = new FactIndex(factsOf(specimen.drafts(mutant)));
    return findRows([...via], index).some((found) => found.row === row);
  });
}

/** Finds the element rule of the resource to which a mark's rule belongs, through types and rules within rules. */
class Owners {
  private readonly below = new Map<CompiledElement, ReadonlySet<string>>();
  /** The elements of each resource type with their plain paths: facts are asked by the ten thousand. */
  private readonly elements: ReadonlyMap<string, readonly { readonly element: CompiledElement; readonly to: string }[]>;

  constructor(private readonly set: MapSet) {
    const plain = (element: CompiledElement) => ({ element, to: plainPath(element.to.map(({ name }) => name).join('.')) });
    const byType = Map.groupBy(set.resources, ({ resource }) => resource);
    this.elements = new Map([...byType].map(([type, resources]) => [type, resources.flatMap((one) => one.elements.map(plain))]));
  }

  of(fact: Fact): string[] {
    const elements = this.elements.get(fact.draft.resource.resourceType) ?? [];
    return elements
      .filter(({ element, to }) => reaches(to, fact.path) && this.ids(element).has(fact.rule))
      .map(({ element }) => element.id);
  }

  private ids(element: CompiledElement): ReadonlySet<string> {
    const known = this.below.get(element);
    if (known !== undefined) return known;
    const ids = new Set([element.id]);
    this.below.set(element, ids);
    if (element.making.kind === 'object') {
      const { type, elements } = element.making;
      for (const one of [...elements, ...(type === undefined ? [] : (this.set.types.get(type) ?? []))])
        for (const id of this.ids(one)) ids.add(id);
    }
    return ids;
  }
}

function reaches(to: string, path: string): boolean {
  return to === '' || path === to || path.startsWith(`${to}.`);
}
