import type { SourceNode } from '../../engine/index.js';
import { below, isUnder, type Fact } from './facts.js';
import { holds, type Lookup } from './row-condition.js';
import { rowsOfType, type Hop, type Row } from './rows.js';

/** The facts of one translation, with what they refer to. */
export class FactIndex {
  private readonly byResource: ReadonlyMap<string, readonly Fact[]>;
  private readonly byType: ReadonlyMap<string, readonly Fact[]>;
  private readonly byField: ReadonlyMap<string, readonly Fact[]>;

  constructor(facts: readonly Fact[]) {
    this.byResource = Map.groupBy(facts, ({ draft }) => `${draft.resource.resourceType}/${draft.resource.id}`);
    this.byType = Map.groupBy(facts, ({ draft }) => draft.resource.resourceType);
    this.byField = Map.groupBy(facts, ({ draft, field }) => `${draft.resource.resourceType} ${field}`);
  }

  of(type: string): readonly Fact[] {
    return this.byType.get(type) ?? [];
  }

  /** Those in resources of `type` that come from a field; '' has the constants and references. */
  from(type: string, field: string): readonly Fact[] {
    return this.byField.get(`${type} ${field}`) ?? [];
  }

  in(reference: string): readonly Fact[] {
    return this.byResource.get(reference) ?? [];
  }
}

/** A fact that a data type's rows are asked about: where its value stands below the field, and where its element below the target. */
interface Part {
  readonly fact: Fact;
  readonly components: readonly number[];
  readonly path: string;
}

/** What serves a row in one translation: the facts of its own, and for its data types the rows of theirs. */
export interface Found {
  readonly row: Row;
  /** The row of a segment that led to it. */
  readonly via: Row;
  readonly facts: readonly Fact[];
}

/** The rows of segment table `rows` and of the data types that they lead to, each with the facts that serve it. */
export function findRows(rows: readonly Row[], index: FactIndex): Found[] {
  return rows.flatMap((row) => {
    const facts = factsOfRow(row, index);
    if (facts.length === 0) return [];
    const base = row.hops.at(-1)?.path ?? '';
    const parts = facts
      .filter(({ kind }) => kind === 'source')
      .map((fact) => ({ fact, components: fact.components, path: below(fact.path, base) }));
    return [{ row, via: row, facts }, ...typeRows(row.type, { parts, index, via: row, depth: 0 })];
  });
}

function factsOfRow(row: Row, index: FactIndex): readonly Fact[] {
  const last = row.hops.at(-1);
  if (last === undefined) return [];
  if (row.hops.length > 1 && last.path === '') return acrossReference(row, row.hops.at(-2), last, index);
  const candidates = takesConstant(row) ? index.of(last.type) : index.from(last.type, row.source);
  return candidates.filter((fact) => isUnder(fact.path, last.path) && serves(fact, row, last.path));
}

/** The facts of resources of the last hop's type to which the hop before it refers, made of the row's field. */
function acrossReference(row: Row, from: Hop | undefined, to: Hop, index: FactIndex): readonly Fact[] {
  const references =
    from === undefined ? [] : index.from(from.type, '').filter(({ kind, path }) => kind === 'reference' && isUnder(path, from.path));
  return references.flatMap((reference) => {
    const meant = reference.value.startsWith(`${to.type}/`) ? index.in(reference.value).filter((fact) => serves(fact, row, '')) : [];
    return meant.length === 0 ? [] : [...meant, reference];
  });
}

/** `PID-3`, and not `PR1`. */
export const isField = (source: string): boolean => /[-.]\d/.test(source);

const takesConstant = (row: Row): boolean => row.literal !== undefined || !isField(row.source);

/** Rows without a field of their own, or with a literal, are served by a constant; the others by a value of the field. */
function serves(fact: Fact, row: Row, path: string): boolean {
  if (takesConstant(row)) return fact.path === path && isLiteral(fact, row) && conditionHolds(row, fact);
  return fact.kind === 'source' && fact.field === row.source && conditionHolds(row, fact);
}

/** A constant of these words; a code or URL that comes from the source by a map counts for the words, too. */
function isLiteral(fact: Fact, row: Row): boolean {
  if (fact.kind === 'source') return !isField(row.source) || fact.field === row.source;
  return fact.kind === 'constant' && (row.literal === undefined || fact.value === row.literal);
}

function conditionHolds(row: Row, fact: Fact): boolean {
  return holds(row.condition, fieldsNear(fact.leaf ?? fact.draft.instance.node)) !== false;
}

/** Fields of the fact's own segment, else of the nearest group that has the segment. */
export function fieldsNear(node: SourceNode): Lookup {
  return (name) => {
    const [, segment = '', field = '', ...components] = name.split(/^([A-Z][A-Z0-9]{2})[-.](\d+)/).flatMap((part) => part.split('.'));
    for (const ancestor of node.ancestry()) {
      const found = ancestor.name === segment ? [ancestor] : ancestor.named(segment);
      if (found.length > 0) return descend(found.slice(0, 1), [field, ...components.filter((part) => part !== '')]);
    }
    return undefined;
  };
}

function descend(nodes: readonly SourceNode[], names: readonly string[]): readonly SourceNode[] {
  return names.reduce<readonly SourceNode[]>(
    (at, name) => at.flatMap((node) => (name === '1' && node.value !== undefined ? [node] : node.named(name))),
    nodes,
  );
}

const MAX_TYPE_DEPTH = 4;

/** Where the rows of a data type are looked for. */
interface Below {
  readonly parts: readonly Part[];
  readonly index: FactIndex;
  readonly via: Row;
  readonly depth: number;
}

function typeRows(type: string, under: Below): Found[] {
  const { parts, index, via, depth } = under;
  if (type === '' || depth > MAX_TYPE_DEPTH || parts.length === 0) return [];
  return rowsOfType(type).flatMap((row) => {
    const path = row.hops.at(-1)?.path ?? '';
    const candidates = row.hops.length > 1 ? across(row, parts, index) : parts;
    const there = candidates.filter((part) => ofComponent(part, componentOf(row)) && typeCondition(row, part));
    if (row.literal !== undefined) return literalRow(row, path, { ...under, parts: there });
    const own = there.filter((part) => isUnder(part.path, path));
    if (own.length === 0) return [];
    const inner = own.map((part) => ({ fact: part.fact, components: part.components.slice(1), path: below(part.path, path) }));
    return [{ row, via, facts: own.map(({ fact }) => fact) }, ...typeRows(row.type, { parts: inner, index, via, depth: depth + 1 })];
  });
}

/** A type's row that leads to another resource is served by that one's facts of the same field, where the first refers to it. */
function across(row: Row, parts: readonly Part[], index: FactIndex): Part[] {
  const [from, to] = [row.hops[0], row.hops.at(-1)];
  return parts.flatMap(({ fact, components }) => {
    const { resourceType, id } = fact.draft.resource;
    const outside = fact.components.length - components.length;
    return index
      .in(`${resourceType}/${id}`)
      .filter(({ kind, path, value }) => kind === 'reference' && isUnder(path, from?.path ?? '') && value.startsWith(`${to?.type ?? ''}/`))
      .flatMap(({ value }) => index.in(value).filter(({ field }) => field === fact.field))
      .map((found) => ({ fact: found, components: found.components.slice(outside), path: found.path }));
  });
}

const componentOf = (row: Row): number => Number(/\d+$/.exec(row.source)?.[0] ?? 0);

/** A value without components is its own first one. */
function ofComponent({ components }: Part, component: number): boolean {
  return component === 0 || (components[0] ?? 1) === component;
}

/** Constants beside the parts, at the row's place below the same target. */
function literalRow(row: Row, path: string, { parts, index, via }: Below): Found[] {
  const facts = parts.flatMap((part) => {
    const base = part.fact.path.slice(0, part.fact.path.length - part.path.length).replace(/\.$/, '');
    const place = base === '' ? path : `${base}.${path}`;
    const { resourceType, id } = part.fact.draft.resource;
    return index
      .in(`${resourceType}/${id}`)
      .filter((fact) => fact.kind === 'constant' && fact.path === place && fact.value === row.literal);
  });
  return facts.length === 0 ? [] : [{ row, via, facts: [...new Set(facts)] }];
}

/** Conditions of a data type speak of its components: `XTN.3`. */
function typeCondition(row: Row, { fact, components }: Part): boolean {
  const { leaf } = fact;
  if (leaf === undefined || row.condition === '') return true;
  const line = leaf.ancestry();
  const whole = line[Math.max(0, Math.min(components.length, line.length - 1))] ?? leaf;
  const name = /^[A-Z]+/.exec(row.source)?.[0] ?? '';
  return (
    holds(row.condition, (asked) => {
      const own = new RegExp(`^${name}[-.](\\d+)$`).exec(asked)?.[1];
      return own === undefined ? undefined : descend([whole], [own]);
    }) !== false
  );
}
