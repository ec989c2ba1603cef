import { isFhirObject, type FhirObject, type FhirValue } from '@portolan/domain';
import type { IssueList } from './issue-list.js';
import type { R4Definitions } from './r4-definitions.js';
import type { Findings, FoundReference } from './structure-walk.js';

const RELATIVE = /^([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
const ABSOLUTE = /^(?:https?:\/\/\S+|urn:(?:uuid|oid):\S+)$/;
const REST = /^https?:\/\/.*\/([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}$/;

const text = (value: FhirValue | undefined): string => (typeof value === 'string' ? value : '');
const objects = (value: FhirValue | undefined): FhirObject[] => (Array.isArray(value) ? value.filter((one) => isFhirObject(one)) : []);
const unversioned = (reference: string): string => reference.replace(/\/_history\/[^/]*$/, '');

/** Contained resources of a resource by id. */
type Contained = (root: FhirObject) => ReadonlyMap<string, FhirObject>;

/** The form and the allowed types of every reference, and the two-way tie to contained resources (R4 §2.3, ref-1, dom-3). */
export function judgeReferences(findings: Findings, definitions: R4Definitions, issues: IssueList): void {
  const known = new Map(findings.containers.map(({ resource }) => [resource, byId(resource)] as const));
  const contained: Contained = (root) => known.get(root) ?? new Map<string, FhirObject>();
  for (const found of findings.references) judgeOne(found, contained, definitions, issues);
  judgeContained(findings, issues);
}

const byId = (resource: FhirObject): ReadonlyMap<string, FhirObject> =>
  new Map(objects(resource['contained']).map((one) => [text(one['id']), one] as const));

function judgeOne(found: FoundReference, contained: Contained, definitions: R4Definitions, issues: IssueList): void {
  const reference = text(found.value['reference']);
  if (reference === '' || reference === '#') return;
  if (!reference.startsWith('#')) {
    judgeAddress(found, reference, definitions, issues);
    return;
  }
  const target = contained(found.scope.root).get(reference.slice(1));
  if (target === undefined) issues.error('not-found', found.path, 'no contained resource has this id', 'ref-1');
  else judgeTarget(found, text(target['resourceType']), issues);
}

function judgeAddress(found: FoundReference, reference: string, definitions: R4Definitions, issues: IssueList): void {
  const type = RELATIVE.exec(reference)?.[1];
  if (type === undefined && !ABSOLUTE.test(reference)) issues.error('value', found.path, 'neither Type/id nor an absolute address');
  else if (type !== undefined && !definitions.isResource(type)) issues.error('value', found.path, 'the reference names no type of R4');
  else judgeTarget(found, type ?? REST.exec(unversioned(reference))?.[1] ?? '', issues);
}

/** `type` empty: it cannot be told from the reference. */
export function judgeTarget({ targets, path, value }: FoundReference, type: string, issues: IssueList): void {
  if (targets !== undefined && type !== '' && !targets.has(type)) issues.error('value', path, 'refers to a type that is not allowed here');
  const stated = text(value['type']);
  if (type !== '' && stated !== '' && stated !== type) issues.error('value', path, 'type and reference name different types');
}

/** A contained resource is named by its container or another one in it, or refers to its container by `#`. */
function judgeContained({ containers, references, fragments }: Findings, issues: IssueList): void {
  const named = new Map(containers.map(({ resource }) => [resource, new Set<string>()] as const));
  const refersUp = new Set<FhirObject>();
  const pointers = [...references.map(({ value, scope }) => ({ text: text(value['reference']), scope })), ...fragments];
  for (const pointer of pointers) {
    named.get(pointer.scope.root)?.add(pointer.text);
    if (pointer.text === '#') refersUp.add(pointer.scope.resource);
  }
  for (const { resource, path } of containers) {
    objects(resource['contained']).forEach((one, i) => {
      const tied = refersUp.has(one) || named.get(resource)?.has(`#${text(one['id'])}`);
      if (!tied) issues.error('invariant', `${path}.contained[${i}]`, 'nothing refers to the contained resource', 'dom-3');
    });
  }
}
