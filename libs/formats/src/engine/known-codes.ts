import type { CodeSystem } from '../terminology/code-system.js';
import { canonicalSystem } from '../terminology/systems.js';
import { askOnce, codingsOf } from './allowed-codes.js';
import type { BuildJob } from './build.js';
import { placeOf } from './codings.js';
import type { CompiledElement } from './compile.js';
import { Refused } from './findings.js';
import type { Built } from './marks.js';

/** Code systems whose codes are all known, by their URI: those of HL7 that ship, and those that a country brings whole. */
export type KnownSystems = ReadonlyMap<string, CodeSystem>;

/** Whether the system's codes are all known and this is none of them. */
export function isUnknown(system: string, code: string, known: KnownSystems): boolean {
  const at = known.get(system) ?? known.get(canonicalSystem(system) ?? system);
  return at !== undefined && !at.concepts.has(code);
}

/**
 * Does with an element none of whose codings exists as its binding says of codes that no map knows: refuses the entry, or asks a person for a
 * counterpart. That a code does not exist is told of every coding, wherever it stands (`toldCodings`).
 */
export function demandKnown(built: Built, element: CompiledElement, job: BuildJob): void {
  if (element.unmapped === 'keep') return;
  const codings = codingsOf(built);
  const isGone = codings.every(({ system, code }) => system !== undefined && isUnknown(system, code, job.set.known));
  const leaf = placeOf(built);
  if (codings.length === 0 || !isGone || leaf === undefined) return;
  if (element.unmapped === 'reject')
    throw new Refused({ code: 'translate.code-unknown', path: leaf.path, rule: element.id }, element.rule.strict ?? 'entry');
  askOnce(codings, element, job);
}
