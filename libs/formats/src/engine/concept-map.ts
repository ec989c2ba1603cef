import { isFhirObject, type FhirObject, type FhirValue } from './fhir.js';

/** A code found by a concept map. */
export interface MappedCode {
  readonly system: string | undefined;
  readonly code: string;
  readonly display: string | undefined;
  /** FHIR R4 concept-map-equivalence. */
  readonly equivalence: string;
}

/** Equivalences that say that there is no counterpart: the code stays unmapped. */
const noCounterpart = new Set(['unmatched', 'disjoint']);
const equivalences = new Set([
  'relatedto',
  'equivalent',
  'equal',
  'wider',
  'subsumes',
  'narrower',
  'specializes',
  'inexact',
  ...noCounterpart,
]);

interface Group {
  readonly source: string | undefined;
  readonly codes: ReadonlyMap<string, MappedCode>;
}

/**
 * A FHIR R4 ConceptMap, read for translation. Of several targets the first with a counterpart is taken: order them by
 * preference. `group.unmapped` is refused at load: an unmapped code keeps its original coding and is never replaced.
 */
export class ConceptMap {
  /** Code systems that the map reads, and those that it maps into. */
  readonly sources: ReadonlySet<string>;
  readonly targets: ReadonlySet<string>;

  private constructor(
    readonly id: string,
    private readonly groups: readonly Group[],
  ) {
    this.sources = new Set(groups.map((group) => group.source).filter((system) => system !== undefined));
    this.targets = new Set(
      groups.flatMap((group) => [...group.codes.values()].map((one) => one.system)).filter((system) => system !== undefined),
    );
  }

  /** Throws a plain Error that says what is wrong. */
  static read(json: unknown): ConceptMap {
    const map = object(json as FhirValue, 'the file');
    if (map['resourceType'] !== 'ConceptMap') throw new Error('resourceType is not ConceptMap');
    const id = text(map['id'], 'id');
    return new ConceptMap(id, list(map['group'], 'group').map(readGroup));
  }

  /** The counterpart of `code`. Without `system` the code is looked for in every group. */
  translate(system: string | undefined, code: string): MappedCode | undefined {
    for (const group of this.groups) {
      if (system !== undefined && group.source !== undefined && group.source !== system) continue;
      const found = group.codes.get(code);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function readGroup(value: FhirValue, at: number): Group {
  const group = object(value, `group[${at}]`);
  if (group['unmapped'] !== undefined) throw new Error(`group[${at}].unmapped: an unmapped code keeps its original coding`);
  const target = optionalText(group['target'], `group[${at}].target`);
  const codes = new Map<string, MappedCode>();
  const seen = new Set<string>();
  for (const [i, one] of list(group['element'], `group[${at}].element`).entries()) {
    const where = `group[${at}].element[${i}]`;
    const element = object(one, where);
    const code = text(element['code'], `${where}.code`);
    if (seen.has(code)) throw new Error(`${where}.code stands twice`);
    seen.add(code);
    const mapped = readTargets(element, target, where);
    if (mapped !== undefined) codes.set(code, mapped);
  }
  return { source: optionalText(group['source'], `group[${at}].source`), codes };
}

function readTargets(element: FhirObject, system: string | undefined, where: string): MappedCode | undefined {
  const targets = list(element['target'] ?? [], `${where}.target`).map((one, i): MappedCode | undefined => {
    const target = object(one, `${where}.target[${i}]`);
    const equivalence = text(target['equivalence'], `${where}.target[${i}].equivalence`);
    if (!equivalences.has(equivalence)) throw new Error(`${where}.target[${i}].equivalence is no FHIR R4 equivalence`);
    if (noCounterpart.has(equivalence)) return undefined;
    const code = text(target['code'], `${where}.target[${i}].code`);
    return { system, code, display: optionalText(target['display'], `${where}.target[${i}].display`), equivalence };
  });
  return targets.find((target) => target !== undefined);
}

function object(value: FhirValue | undefined, where: string): FhirObject {
  if (!isFhirObject(value)) throw new Error(`${where} is no object`);
  return value;
}

function list(value: FhirValue | undefined, where: string): FhirValue[] {
  if (!Array.isArray(value)) throw new Error(`${where} is no list`);
  return value;
}

function text(value: FhirValue | undefined, where: string): string {
  if (typeof value !== 'string' || value === '') throw new Error(`${where} is no text`);
  return value;
}

function optionalText(value: FhirValue | undefined, where: string): string | undefined {
  return value === undefined ? undefined : text(value, where);
}
