import type { BuildJob } from './build.js';
import type { CompiledElement } from './compile.js';
import type { ConceptMap, MapAnswer, MappedCode } from './concept-map.js';
import { isInexact } from './equivalence.js';
import { isFhirObject, type FhirObject } from './fhir.js';
import { Refused, type Finding } from './findings.js';
import { isWithin, shifted, type Built, type Mark } from './marks.js';
import type { SourceNode } from './source-node.js';

/**
 * Adds to a CodeableConcept the counterpart that the rule's concept maps know, beside the original codings, which stay. A
 * Coding has room for one code: the counterpart takes its place, and the original is carried, unless the counterpart may say what the
 * original does not. A code without a counterpart stays as it is, and is told.
 */
export function mapCodings(built: Built, element: CompiledElement, job: BuildJob): Built {
  if (!isFhirObject(built.value)) return built;
  const maps = (element.rule.codes ?? []).map((id) => job.set.conceptMaps.get(id)).filter((map) => map !== undefined);
  if (maps.length === 0) return built;
  const codings = built.value['coding'];
  if (Array.isArray(codings)) return inConcept(built, built.value, codings.filter(isFhirObject), maps, element, job);
  return inCoding(built, built.value, maps, element, job);
}

function inConcept(
  built: Built,
  concept: FhirObject,
  codings: FhirObject[],
  maps: ConceptMap[],
  element: CompiledElement,
  job: BuildJob,
): Built {
  if (codings.some((coding) => isTarget(coding, maps))) return built;
  for (const [i, coding] of codings.entries()) {
    const found = lookUp(coding, maps);
    if (found === undefined || found === 'no-counterpart') continue;
    tellMapped(found, built, element, job);
    return beside(built, concept, codings, { found, from: leavesOf(built.marks, `coding[${i}].code`), rule: element.id });
  }
  tellUnmapped(built, codings, maps, element, job);
  return element.rule.bound === undefined ? built : asText(built, concept, codings);
}

/** The counterpart with the codings of the source: before them, unless it may say what they do not. */
function beside(
  built: Built,
  concept: FhirObject,
  codings: readonly FhirObject[],
  { found, from, rule }: { found: MappedCode; from: Extract<Mark, { kind: 'source' }>['from']; rule: string },
): Built {
  if (isInexact(found.equivalence)) {
    const mark: Mark = { kind: 'source', path: `coding[${codings.length}]`, rule, from };
    return { value: { ...concept, coding: [...codings, codingOf(found)] }, marks: [...built.marks, mark] };
  }
  const moved = built.marks.map((mark) => ({
    ...mark,
    path: isWithin(mark.path, 'coding') ? shifted(mark.path, 'coding', 1) : mark.path,
  }));
  return {
    value: { ...concept, coding: [codingOf(found), ...codings] },
    marks: [{ kind: 'source', path: 'coding[0]', rule, from }, ...moved],
  };
}

/** What no binding lets stand as a code: the words for it, else the code itself. */
function asText(built: Built, concept: FhirObject, codings: readonly FhirObject[]): Built {
  if (concept['text'] !== undefined) {
    const { coding: _codings, ...rest } = concept;
    return { value: rest, marks: built.marks.filter(({ path }) => !path.startsWith('coding')) };
  }
  const i = Math.max(
    0,
    codings.findIndex(({ display }) => display !== undefined),
  );
  const part = codings[i]?.['display'] === undefined ? 'code' : 'display';
  const marks = built.marks.filter(({ path }) => path === `coding[${i}].${part}`).map((mark) => ({ ...mark, path: 'text' }));
  return { value: { text: codings[i]?.[part] ?? '' }, marks };
}

function inCoding(built: Built, coding: FhirObject, maps: ConceptMap[], element: CompiledElement, job: BuildJob): Built {
  if (isTarget(coding, maps)) return built;
  const found = lookUp(coding, maps);
  if (found === undefined || found === 'no-counterpart') {
    tellUnmapped(built, [coding], maps, element, job);
    return built;
  }
  tellMapped(found, built, element, job);
  if (isInexact(found.equivalence)) return built;
  const from = built.marks.flatMap((mark) => (mark.kind === 'source' ? mark.from : []));
  return { value: codingOf(found), marks: [{ kind: 'source', path: '', rule: element.id, from, partial: true }] };
}

/** The first counterpart that a map knows; else whether one says that there is none. */
function lookUp(coding: FhirObject, maps: readonly ConceptMap[]): MapAnswer {
  const { system, code } = coding;
  if (typeof code !== 'string' || typeof system !== 'string') return undefined;
  let answer: MapAnswer;
  for (const map of maps) {
    const found = map.answer(system, code);
    if (found !== undefined && found !== 'no-counterpart') return found;
    answer ??= found;
  }
  return answer;
}

function isTarget(coding: FhirObject, maps: readonly ConceptMap[]): boolean {
  const { system } = coding;
  return typeof system === 'string' && maps.some((map) => map.targets.has(system) && !map.sources.has(system));
}

function codingOf(found: MappedCode): FhirObject {
  return {
    ...(found.system !== undefined && { system: found.system }),
    code: found.code,
    ...(found.display !== undefined && { display: found.display }),
  };
}

function leavesOf(marks: readonly Mark[], path: string): Extract<Mark, { kind: 'source' }>['from'] {
  return marks.flatMap((mark) => (mark.kind === 'source' && mark.path === path ? mark.from : []));
}

/** Where the code stands in the source. */
export function placeOf({ marks }: Built): SourceNode | undefined {
  const sources = marks.filter((mark) => mark.kind === 'source');
  return (sources.find((mark) => /(^|\.)code$/.test(mark.path)) ?? sources[0])?.from[0];
}

function tellMapped(found: MappedCode, built: Built, element: CompiledElement, job: BuildJob): void {
  const path = placeOf(built)?.path;
  if (path === undefined) return;
  if (found.unmapped === true) job.findings.push({ code: 'translate.code-unmapped', path, rule: element.id });
  if (isInexact(found.equivalence)) job.findings.push({ code: 'translate.code-inexact', path, rule: element.id });
}

/** Does with a code without counterpart as its binding says: keeps it, refuses the entry, or asks a person. Each is told. */
function tellUnmapped(
  built: Built,
  codings: readonly FhirObject[],
  maps: readonly ConceptMap[],
  element: CompiledElement,
  job: BuildJob,
): void {
  const leaf = placeOf(built);
  if (leaf === undefined) return;
  const finding: Finding = { code: 'translate.code-unmapped', path: leaf.path, rule: element.id };
  if (element.unmapped === 'reject') throw new Refused(finding, element.rule.strict ?? 'entry');
  job.findings.push(finding);
  // Without a system no map could answer.
  const open = codings.find((coding) => typeof coding['system'] === 'string' && lookUp(coding, maps) === undefined);
  if (open !== undefined) ask(element, open['system'], open['code'], job);
}

/** Longest code that a person is asked about: what is longer, or holds blanks, is words and no code. */
const askable = /^\S{1,64}$/;
const isAskable = (code: unknown): code is string => typeof code === 'string' && askable.test(code);

/** Asks a person for the counterpart, where the binding of the rule says so. */
export function ask(element: CompiledElement, system: unknown, code: unknown, job: BuildJob, policy = element.unmapped): void {
  const { codes, map } = element.rule;
  const into = codes?.[0] ?? map;
  if (policy !== 'queue' || into === undefined || !isAskable(code)) return;
  if (job.set.conceptMaps.get(into)?.answer(undefined, code) === 'no-counterpart') return;
  job.questions.push({ system: typeof system === 'string' ? system : undefined, code, map: into, rule: element.id });
}
