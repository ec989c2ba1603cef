import type { Draft } from '../engine/drafts.js';
import { isFhirObject, someObject, type FhirObject, type FhirValue } from '../engine/fhir.js';
import type { Finding } from '../engine/findings.js';
import { isUnknown, type KnownSystems } from '../engine/known-codes.js';
import { joinPath } from '../engine/marks.js';
import { canonicalSystem, isSystemUri } from './systems.js';

/** What is told of a coding, at its system or at its code. */
type Told = 'translate.system-misnamed' | 'translate.code-unknown';

/**
 * Tells of each coding whose system is no URI, or another spelling of one that HL7 names, and of each whose code does not exist: it stays as it
 * came. Identifiers have a system too, and no code: they are not looked at.
 */
export function toldCodings(drafts: readonly Draft[], known: KnownSystems): Finding[] {
  return drafts.flatMap((draft) => {
    if (!someObject(draft.resource, (object) => toldOf(object, known).length > 0)) return [];
    return placesIn(draft.resource, known).map(([path, code]) => findingAt(draft, path, code));
  });
}

const nothing: readonly Told[] = [];

function toldOf({ system, code }: FhirObject, known: KnownSystems): readonly Told[] {
  if (typeof system !== 'string' || typeof code !== 'string') return nothing;
  const isGone = isUnknown(system, code, known);
  if (!isMisnamed(system)) return isGone ? ['translate.code-unknown'] : nothing;
  return isGone ? ['translate.system-misnamed', 'translate.code-unknown'] : ['translate.system-misnamed'];
}

function isMisnamed(system: string): boolean {
  const known = canonicalSystem(system);
  return known === undefined ? !isSystemUri(system) : known !== system;
}

/** Paths in the value of systems and codes that are told of. */
function placesIn(value: FhirValue, known: KnownSystems, path = ''): [string, Told][] {
  if (Array.isArray(value)) return value.flatMap((one, i) => (typeof one === 'object' ? placesIn(one, known, `${path}[${i}]`) : []));
  if (!isFhirObject(value)) return [];
  const own = toldOf(value, known).map((told): [string, Told] => [
    `${path}.${told === 'translate.code-unknown' ? 'code' : 'system'}`,
    told,
  ]);
  const below = Object.entries(value).flatMap(([name, one]) => (typeof one === 'object' ? placesIn(one, known, joinPath(path, name)) : []));
  return [...own, ...below];
}

/** Where the source said it; what a rule gave is told at its place in the resource. */
function findingAt({ marks, resource }: Draft, path: string, code: Told): Finding {
  const mark = marks.find((one) => one.kind !== 'reference' && one.path === path);
  const from = mark?.kind === 'source' ? mark.from[0]?.path : undefined;
  return { code, path: from ?? `${resource.resourceType}.${path}`, rule: mark?.rule ?? '(document)' };
}
