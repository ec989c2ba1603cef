import type { Finding } from './findings.js';
import { sameFhir, type FhirResource, type FhirValue } from './fhir.js';
import type { Instance } from './instances.js';
import { elementOf, type Mark } from './marks.js';

/** A resource as built from one node, before those of one id become one. */
export interface Draft {
  readonly resource: FhirResource;
  readonly marks: readonly Mark[];
  readonly instance: Instance;
  /** Further nodes that made the same resource. */
  readonly others?: readonly Instance[];
  readonly mention: boolean;
}

/**
 * Makes one resource of all drafts of one type and id: elements are united, equal values told once. Where two say different
 * things the first stands; the other is carried and told.
 */
export function merged(drafts: readonly Draft[], findings: readonly Finding[]): { drafts: Draft[]; warnings: Finding[] } {
  const byId = new Map<string, Draft>();
  const warnings = [...findings];
  for (const draft of drafts) {
    const name = `${draft.resource.resourceType}/${draft.resource.id}`;
    const before = byId.get(name);
    byId.set(name, before === undefined ? draft : union(before, draft, warnings));
  }
  return { drafts: [...byId.values()], warnings };
}

function union(first: Draft, second: Draft, warnings: Finding[]): Draft {
  const resource: FhirResource = { ...first.resource };
  let marks: Mark[] = [...first.marks];
  for (const [element, value] of Object.entries(second.resource)) {
    const theirs = second.marks.filter((mark) => elementOf(mark.path) === element);
    const present = resource[element];
    if (present === undefined) {
      resource[element] = value;
      marks = marks.concat(theirs);
    } else if (Array.isArray(present) && Array.isArray(value)) {
      resource[element] = unionOfLists(present, value, element, theirs, marks);
    } else if (sameFhir(present, value)) marks = marks.concat(theirs);
    else for (const finding of conflicts(theirs)) warnings.push(finding);
  }
  const others = [...(first.others ?? []), second.instance];
  return { ...first, resource, marks, others, mention: first.mention && second.mention };
}

function unionOfLists(present: FhirValue[], added: FhirValue[], element: string, theirs: readonly Mark[], marks: Mark[]): FhirValue[] {
  const list = [...present];
  for (const [i, item] of added.entries()) {
    const same = list.findIndex((one) => sameFhir(one, item));
    const index = same < 0 ? list.push(item) - 1 : same;
    const head = `${element}[${i}]`;
    for (const mark of theirs) {
      if (mark.path === head || mark.path.startsWith(`${head}.`))
        marks.push({ ...mark, path: `${element}[${index}]${mark.path.slice(head.length)}` });
    }
  }
  return list;
}

function conflicts(marks: readonly Mark[]): Finding[] {
  return marks.flatMap((mark) =>
    mark.kind === 'source'
      ? mark.from.map((leaf) => ({ code: 'translate.value-conflict' as const, path: leaf.path, rule: mark.rule }))
      : [],
  );
}
