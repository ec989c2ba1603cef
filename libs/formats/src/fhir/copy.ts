import { DecimalText, isFhirObject, type FhirObject, type FhirValue, type SourceNode } from '../engine/index.js';
import { joinPath, type Mark } from '../engine/marks.js';
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
  /** Says what becomes of a reference that stands at `at`; `hasIdentifier`: the Reference has one of its own. */
  readonly rewrite: (reference: string, at: SourceNode, hasIdentifier: boolean) => Rewritten;
  readonly marks: Mark[];
}

/** Copies a value as it stands, each leaf marked as the source of its own element; references are rewritten on the way. */
export function copied(value: Json, path: string, job: CopyJob): Json {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((one, i) => copied(one, `${path}[${i}]`, job)) as FhirValue;
  if (isFhirObject(value)) return copiedObject(value, path, job);
  mark(path, path, false, job);
  return value;
}

function copiedObject(object: FhirObject, path: string, job: CopyJob): FhirObject {
  const { reference, ...rest } = object;
  const members = typeof reference === 'string' ? rest : object;
  const copy: FhirObject = {};
  if (typeof reference === 'string') referred(reference, object, path, copy, job);
  for (const [name, value] of Object.entries(members)) copy[name] = copied(value, memberPath(path, name), job) as FhirValue;
  return copy;
}

function referred(reference: string, object: FhirObject, path: string, copy: FhirObject, job: CopyJob): void {
  const at = memberPath(path, 'reference');
  const leaf = job.leaves.get(at);
  if (leaf === undefined) return;
  const now = job.rewrite(reference, leaf, object['identifier'] !== undefined);
  if (now.kind === 'reference') {
    copy['reference'] = now.text;
    mark(at, at, !now.same, job);
  } else if (now.kind === 'identifier') {
    copy['identifier'] = { system: now.system, value: now.value };
    mark(memberPath(memberPath(path, 'identifier'), 'value'), at, now.value !== reference, job);
  }
}

/** Notes that the leaf at `source` stands at `target`; paths are those of the document, below the entry's own. */
function mark(target: string, source: string, partial: boolean, { entry, rule, leaves, marks }: CopyJob): void {
  const leaf = leaves.get(source);
  if (leaf === undefined) return;
  const path = joinPath('', target.slice(entry.node.path.length + 1));
  marks.push({ kind: 'source', path, rule, from: [leaf], ...(partial && { partial }) });
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
