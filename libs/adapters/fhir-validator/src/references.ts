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

/** The form and the allowed types of every reference, and the two-way tie to contained resources (R4 §2.3, ref-1, dom-3). */
export function judgeReferences(findings: Findings, definitions: R4Definitions, issues: IssueList): void {
  for (const found of findings.references) judgeOne(found, definitions, issues);
  judgeContained(findings, issues);
}

function judgeOne(found: FoundReference, definitions: R4Definitions, issues: IssueList): void {
  const reference = text(found.value['reference']);
  if (reference === '' || reference === '#') return;
  if (reference.startsWith('#')) judgeFragment(found, reference.slice(1), issues);
  else judgeAddress(found, reference, definitions, issues);
}

function judgeFragment(found: FoundReference, id: string, issues: IssueList): void {
  const target = objects(found.scope.root['contained']).find((one) => one['id'] === id);
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

function judgeContained({ containers, references, fragments }: Findings, issues: IssueList): void {
  const pointers = [...references.map(({ value, scope }) => ({ text: text(value['reference']), scope })), ...fragments];
  for (const { resource, path } of containers) {
    const within = pointers.filter(({ scope }) => scope.root === resource);
    objects(resource['contained']).forEach((one, i) => {
      const named = within.some(
        (pointer) => pointer.text === `#${text(one['id'])}` || (pointer.text === '#' && pointer.scope.resource === one),
      );
      if (!named) issues.error('invariant', `${path}.contained[${i}]`, 'nothing refers to the contained resource', 'dom-3');
    });
  }
}
