import type { BuildJob } from './build.js';
import type { CompiledElement } from './compile.js';
import type { ConceptMap, MappedCode } from './concept-map.js';
import { isFhirObject, type FhirObject } from './fhir.js';
import type { Built, Mark } from './marks.js';

/**
 * Adds to a CodeableConcept the counterpart that the rule's concept maps know, before the original codings, which stay. A
 * Coding has room for one code: the counterpart takes its place, and the original is carried. A code without a counterpart
 * stays as it is, and is told.
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
    if (found === undefined) continue;
    const from = leavesOf(built.marks, `coding[${i}].code`);
    const shifted = built.marks.map((mark) => ({
      ...mark,
      path: mark.path.replace(/^coding\[(\d+)\]/, (_, n: string) => `coding[${Number(n) + 1}]`),
    }));
    return {
      value: { ...concept, coding: [codingOf(found), ...codings] },
      marks: [{ kind: 'source', path: 'coding[0]', rule: element.id, from }, ...shifted],
    };
  }
  tellUnmapped(built, element, job);
  return element.rule.bound === undefined ? built : asText(built, concept, codings);
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
  if (found === undefined) {
    tellUnmapped(built, element, job);
    return built;
  }
  const from = built.marks.flatMap((mark) => (mark.kind === 'source' ? mark.from : []));
  return { value: codingOf(found), marks: [{ kind: 'source', path: '', rule: element.id, from, partial: true }] };
}

function lookUp(coding: FhirObject, maps: readonly ConceptMap[]): MappedCode | undefined {
  const { system, code } = coding;
  if (typeof code !== 'string' || typeof system !== 'string') return undefined;
  for (const map of maps) {
    const found = map.translate(system, code);
    if (found !== undefined) return found;
  }
  return undefined;
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

function tellUnmapped(built: Built, element: CompiledElement, job: BuildJob): void {
  const sources = built.marks.filter((mark) => mark.kind === 'source');
  const leaf = (sources.find((mark) => /(^|\.)code$/.test(mark.path)) ?? sources[0])?.from[0];
  if (leaf !== undefined) job.findings.push({ code: 'translate.code-unmapped', path: leaf.path, rule: element.id });
}
