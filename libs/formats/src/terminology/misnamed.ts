import type { Draft } from '../engine/drafts.js';
import { isFhirObject, someObject, type FhirObject, type FhirValue } from '../engine/fhir.js';
import type { Finding } from '../engine/findings.js';
import { joinPath } from '../engine/marks.js';
import { canonicalSystem, isSystemUri } from './systems.js';

/**
 * Tells of each coding whose system is no URI, or another spelling of one that HL7 names: it stays as it came. Identifiers have a system too, and
 * no code: they are not looked at.
 */
export function misnamed(drafts: readonly Draft[]): Finding[] {
  return drafts.flatMap((draft) =>
    (someObject(draft.resource, isMisnamedCoding) ? pathsOf(draft.resource) : []).map((path) => findingAt(draft, `${path}.system`)),
  );
}

const isMisnamedCoding = ({ system, code }: FhirObject): boolean =>
  typeof system === 'string' && typeof code === 'string' && isMisnamed(system);

/** Paths of the codings at and below a value whose system is misnamed. */
export function pathsOf(value: FhirValue, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one, i) => (typeof one === 'object' ? pathsOf(one, `${path}[${i}]`) : []));
  if (!isFhirObject(value)) return [];
  const wrong = isMisnamedCoding(value);
  const below = Object.entries(value).flatMap(([name, one]) => (typeof one === 'object' ? pathsOf(one, joinPath(path, name)) : []));
  return wrong ? [path, ...below] : below;
}

function isMisnamed(system: string): boolean {
  const known = canonicalSystem(system);
  return known === undefined ? !isSystemUri(system) : known !== system;
}

/** Where the source said it; a system that a rule gave is told at its place in the resource. */
function findingAt({ marks, resource }: Draft, path: string): Finding {
  const mark = marks.find((one) => one.kind !== 'reference' && one.path === path);
  const from = mark?.kind === 'source' ? mark.from[0]?.path : undefined;
  return { code: 'translate.system-misnamed', path: from ?? `${resource.resourceType}.${path}`, rule: mark?.rule ?? '(document)' };
}
