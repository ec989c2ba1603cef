import type { UnmappedPolicy } from '@portolan/contracts';
import type { CodeMembers } from '../terminology/code-members.js';
import type { BuildJob } from './build.js';
import { ask, placeOf } from './codings.js';
import type { CompiledElement } from './compile.js';
import { isFhirObject, type FhirObject } from './fhir.js';
import { Refused, type Finding } from './findings.js';
import type { Built } from './marks.js';

/** By canonical URL, with `|version` and without: what each value set holds. */
export type ValueSets = ReadonlyMap<string, CodeMembers>;

/** The codes that may stand in an element, and what becomes of one that may not. */
export interface AllowedCodes {
  readonly members: CodeMembers;
  readonly outside: UnmappedPolicy;
}

/**
 * Demands that one of the codings made belongs to the value set. Where none does, it is done with the element as its binding says: it stays as it
 * is, refuses its entry, or a person is asked for a counterpart. Each is told (`translate.code-outside`), unless the code was already told to
 * have no counterpart. Words without a code are not judged.
 */
export function demandAllowed(built: Built, element: CompiledElement, { members, outside }: AllowedCodes, job: BuildJob): void {
  const codings = codingsOf(built);
  if (codings.length === 0 || codings.some(({ system, code }) => members.has(system, code))) return;
  const leaf = placeOf(built);
  if (leaf === undefined) return;
  const finding: Finding = { code: 'translate.code-outside', path: leaf.path, rule: element.id };
  if (outside === 'reject') throw new Refused(finding, element.rule.strict ?? 'entry');
  if (!isToldUnmapped(job, finding)) job.findings.push(finding);
  if (outside === 'queue') askOnce(codings, element, job);
}

export interface Coded {
  readonly system: string | undefined;
  readonly code: string;
}

/** Of a CodeableConcept, Coding, Quantity or code. */
export function codingsOf({ value }: Built): readonly Coded[] {
  if (typeof value === 'string') return [{ system: undefined, code: value }];
  if (!isFhirObject(value)) return [];
  const codings = Array.isArray(value['coding']) ? value['coding'].filter(isFhirObject) : [value];
  return codings.flatMap(coded);
}

function coded({ system, code }: FhirObject): Coded[] {
  return typeof code === 'string' ? [{ system: typeof system === 'string' ? system : undefined, code }] : [];
}

const isToldUnmapped = ({ findings }: BuildJob, { path, rule }: Finding): boolean =>
  findings.some((one) => one.code === 'translate.code-unmapped' && one.path === path && one.rule === rule);

/** About the code of the source: a counterpart of it stands before it. */
export function askOnce(codings: readonly Coded[], element: CompiledElement, job: BuildJob): void {
  const own = codings.at(-1);
  const isAsked = job.questions.some(({ code, rule }) => code === own?.code && rule === element.id);
  if (own !== undefined && !isAsked) ask(element, own.system, own.code, job, 'queue');
}
