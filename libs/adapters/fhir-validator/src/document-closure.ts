import { isFhirObject, type FhirObject, type FhirValue } from '@portolan/domain';
import type { IssueList } from './issue-list.js';
import { judgeTarget } from './references.js';
import type { FoundReference } from './structure-walk.js';

const text = (value: FhirValue | undefined): string => (typeof value === 'string' ? value : '');

interface Entry {
  readonly fullUrl: string;
  readonly resource: FhirObject;
}

/**
 * A document (R4 §3.3.1) is whole: it begins with its Composition, and every literal reference in it resolves to one of its
 * entries (§2.3.0.3, Bundle §resolving references). What has left the sender's country cannot be asked for again.
 */
export function judgeDocument(bundle: FhirObject, path: string, references: readonly FoundReference[], issues: IssueList): void {
  if (bundle['type'] !== 'document') return;
  const entries = entriesOf(bundle);
  const composition = entries[0]?.resource;
  if (composition?.['resourceType'] !== 'Composition')
    issues.error('invariant', `${path}.entry[0]`, 'a document begins with a Composition', 'bdl-11');
  const byUrl = new Map(entries.map((entry) => [entry.fullUrl, entry.resource]));
  const home = new Map(entries.map((entry) => [entry.resource, entry.fullUrl]));
  for (const found of references) {
    const fullUrl = home.get(found.scope.root);
    if (fullUrl !== undefined) judgeOne(found, fullUrl, byUrl, issues);
  }
}

function entriesOf(bundle: FhirObject): readonly Entry[] {
  const entries = Array.isArray(bundle['entry']) ? bundle['entry'] : [];
  return entries.flatMap((entry) => {
    const resource = isFhirObject(entry) ? entry['resource'] : undefined;
    return isFhirObject(entry) && isFhirObject(resource) ? [{ fullUrl: text(entry['fullUrl']), resource }] : [];
  });
}

/** `.section[2].entry[0]` of a Composition: an entry that names nothing is an empty promise. */
const SECTION_ENTRY = /\.section\[\d+\]\.entry\[\d+\]$/;

function judgeOne(found: FoundReference, fullUrl: string, byUrl: ReadonlyMap<string, FhirObject>, issues: IssueList): void {
  const reference = text(found.value['reference']);
  if (reference.startsWith('#')) return;
  if (reference === '') {
    if (SECTION_ENTRY.test(found.path)) issues.error('not-found', found.path, 'the section entry points to nothing');
    return;
  }
  const target = byUrl.get(resolved(reference, fullUrl));
  if (target === undefined) issues.error('not-found', found.path, 'the reference does not resolve in the document');
  else judgeTarget(found, text(target['resourceType']), issues);
}

/** A relative reference is relative to the service that its entry's fullUrl names, where it names one. */
function resolved(reference: string, fullUrl: string): string {
  const unversioned = reference.replace(/\/_history\/[^/]*$/, '');
  if (/^[a-z][a-z0-9+.-]*:/i.test(unversioned)) return unversioned;
  const base = /^(https?:\/\/.*\/)[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/.exec(fullUrl)?.[1];
  return base === undefined ? unversioned : base + unversioned;
}
