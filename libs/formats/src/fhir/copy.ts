import { DecimalText, isFhirObject, type FhirObject, type FhirValue, type SourceNode } from '../engine/index.js';
import type { Mark } from '../engine/marks.js';
import type { Entry } from './entries.js';
import { memberPath, type Json } from './json-tree.js';

/** What becomes of a `reference`: another text in its place, an identifier instead of it, or nothing. */
export type Rewritten =
  | { readonly kind: 'reference'; readonly text: string; readonly same: boolean }
  | { readonly kind: 'identifier'; readonly system: string; readonly value: string }
  | { readonly kind: 'none' };

export interface CopyJob {
  readonly entry: Entry;
  readonly rule: string;
  /** Leaves of the entry by path. */
  readonly leaves: ReadonlyMap<string, SourceNode>;
  /** Items of lists that are left out, by their place in the document. */
  readonly left: ReadonlySet<string>;
  /** Says what becomes of a reference that stands at `at`; `hasIdentifier`: the Reference has one of its own. */
  readonly rewrite: (reference: string, at: SourceNode, hasIdentifier: boolean) => Rewritten;
  readonly marks: Mark[];
  /** Tells of an extension that is left out, by the place of its url. */
  readonly unfit: (path: string) => void;
}

/** Where a value stands in the document, and where its copy stands: the same but behind an extension that was left out. */
interface At {
  readonly source: string;
  readonly target: string;
}

const below = ({ source, target }: At, name: string): At => ({ source: memberPath(source, name), target: memberPath(target, name) });

/** Copies a value as it stands, each leaf marked as the source of its own element; references are rewritten on the way. */
export const copied = (value: Json, path: string, job: CopyJob): Json => copiedAt(value, { source: path, target: path }, job);

function copiedAt(value: Json, at: At, job: CopyJob): Json {
  if (value === null) return null;
  if (Array.isArray(value)) return copiedList(value, at, job);
  if (isFhirObject(value)) return copiedObject(value, at, job);
  mark(at, false, job);
  return value;
}

function copiedList(list: readonly Json[], { source, target }: At, job: CopyJob): FhirValue {
  const copies: Json[] = [];
  list.forEach((one, i) => {
    const at = { source: `${source}[${i}]`, target: `${target}[${copies.length}]` };
    if (isUnfit(one)) job.unfit(`${at.source}.url`);
    else if (!job.left.has(at.source)) copies.push(copiedAt(one, at, job));
  });
  return copies as FhirValue;
}

/**
 * Extensions of other versions of FHIR, and those for definitions (`artifact-…`, R5 extension pack), stand on no resource of R4 that is taken: they
 * are carried. The url of no other object begins so.
 */
const unfit = /^http:\/\/hl7\.org\/fhir\/(?:\d+\.\d+\/|StructureDefinition\/artifact-)/;
const isUnfit = (value: Json): boolean =>
  value !== null && isFhirObject(value) && typeof value['url'] === 'string' && unfit.test(value['url']);

function copiedObject(object: FhirObject, at: At, job: CopyJob): FhirObject {
  const { reference, ...rest } = object;
  const members = typeof reference === 'string' ? rest : object;
  const copy: FhirObject = {};
  if (typeof reference === 'string') referred(reference, object, at, copy, job);
  for (const [name, value] of Object.entries(members)) {
    const made = copiedAt(value, below(at, name), job);
    // Where all of a list was left out there is no list: FHIR JSON knows no empty one.
    if (!(Array.isArray(made) && made.length === 0 && Array.isArray(value) && value.length > 0)) copy[name] = made as FhirValue;
  }
  return copy;
}

function referred(reference: string, object: FhirObject, place: At, copy: FhirObject, job: CopyJob): void {
  const at = below(place, 'reference');
  const leaf = job.leaves.get(at.source);
  if (leaf === undefined) return;
  const now = job.rewrite(reference, leaf, object['identifier'] !== undefined);
  if (now.kind === 'reference') {
    copy['reference'] = now.text;
    mark(at, !now.same, job);
  } else if (now.kind === 'identifier') {
    copy['identifier'] = { system: now.system, value: now.value };
    mark({ source: at.source, target: memberPath(below(place, 'identifier').target, 'value') }, now.value !== reference, job);
  }
}

/** Notes that the leaf at `source` stands at `target`; paths are those of the document, below the entry's own. */
function mark({ source, target }: At, partial: boolean, { entry, rule, leaves, marks }: CopyJob): void {
  const leaf = leaves.get(source);
  if (leaf === undefined) return;
  marks.push({ kind: 'source', path: target.slice(entry.node.path.length + 1), rule, from: [leaf], ...(partial && { partial }) });
}

/** Whether a text holds signs that are none in FHIR (R4 §2.24.0.1) or none in UTF-8. */
const isBrokenText = (text: string): boolean => /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) || !text.isWellFormed();

/** Where a resource holds what FHIR JSON cannot (a name that is no element's, a sign that is none); undefined where it does not. */
export function brokenPlace(value: Json, path: string): string | undefined {
  if (typeof value === 'string') return isBrokenText(value) ? path : undefined;
  if (Array.isArray(value)) return first(value.entries(), (i, one) => brokenPlace(one, `${path}[${i}]`));
  if (value === null || value instanceof DecimalText || !isFhirObject(value)) return undefined;
  return first(Object.entries(value).values(), (name, one) =>
    /^_?[A-Za-z][A-Za-z0-9]*$/.test(name) ? brokenPlace(one, `${path}.${name}`) : path,
  );
}

function first<K>(items: Iterable<[K, Json]>, look: (key: K, value: Json) => string | undefined): string | undefined {
  for (const [key, value] of items) {
    const found = look(key, value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first place at which a modifier stands that changes what the resource means. */
export function modifierPlace(value: Json, path: string): string | undefined {
  if (Array.isArray(value)) return first(value.entries(), (i, one) => modifierPlace(one, `${path}[${i}]`));
  if (value === null || !isFhirObject(value)) return undefined;
  if (value['modifierExtension'] !== undefined) return `${path}.modifierExtension`;
  if (value['implicitRules'] !== undefined) return `${path}.implicitRules`;
  return first(Object.entries(value).values(), (name, one) => modifierPlace(one, `${path}.${name}`));
}
