import { isLoincCode, isSnomedCode } from '../terminology/check-digits.js';
import { canonicalSystem } from '../terminology/systems.js';
import { isUcum } from '../terminology/ucum.js';
import type { Draft } from './drafts.js';
import type { Finding } from './findings.js';
import { isFhirObject, someObject, type FhirObject, type FhirResource, type FhirValue } from './fhir.js';
import { joinPath, type Mark } from './marks.js';

/** What a code of a system can be, for the systems whose codes tell it themselves. */
const checks: ReadonlyMap<string, (code: string) => boolean> = new Map([
  ['http://loinc.org', isLoincCode],
  ['http://snomed.info/sct', isSnomedCode],
  ['http://unitsofmeasure.org', isUcum],
]);

/** What became of the code of an object that lost its system: it stays; it goes, for a Quantity has its unit; it becomes that unit. */
type Fate = 'stays' | 'goes' | 'unit';

/**
 * The draft without the claim that something is a code of LOINC, SNOMED CT or UCUM which cannot be one. A Coding's code stays as it came, its
 * system is carried. Of a Quantity the unit stays, for FHIR allows no code without a system there. Each is told (`translate.code-impossible`).
 */
export function checkedDraft(draft: Draft, tell: (finding: Finding) => void, can: typeof canBeCode = canBeCode): Draft {
  if (!someObject(draft.resource, (object) => isImpossible(object, can))) return draft;
  const fates = new Map<string, Fate>();
  const resource = checked(draft.resource, '', fates) as FhirResource;
  if (fates.size === 0) return draft;
  for (const path of fates.keys()) for (const finding of findingOf(draft.marks, path)) tell(finding);
  return { ...draft, resource, marks: draft.marks.flatMap((mark) => markOf(mark, fates)) };
}

function checked(value: FhirValue, path: string, fates: Map<string, Fate>): FhirValue {
  if (Array.isArray(value)) {
    const items = value.map((item, i) => checked(item, `${path}[${i}]`, fates));
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  if (!isFhirObject(value)) return value;
  return isImpossible(value) ? withoutSystem(value, path, fates) : within(value, path, fates);
}

const isImpossible = ({ system, code }: FhirObject, can = canBeCode): boolean =>
  typeof system === 'string' && typeof code === 'string' && !can(system, code);

/** False for what cannot be a code of LOINC, SNOMED CT or UCUM by its form or check digit. */
export function canBeCode(system: string, code: string): boolean {
  return checks.get(canonicalSystem(system) ?? system)?.(code) !== false;
}

/** `canBeCode` of one document, in which the same few units stand in most results: each code is asked about once. */
export function rememberedCodes(ask: typeof canBeCode = canBeCode): typeof canBeCode {
  const found = new Map<string, Map<string, boolean>>();
  return (system, code) => {
    let ofSystem = found.get(system);
    if (ofSystem === undefined) found.set(system, (ofSystem = new Map<string, boolean>()));
    let can = ofSystem.get(code);
    if (can === undefined) ofSystem.set(code, (can = ask(system, code)));
    return can;
  };
}

/** So many possible codes of a system are remembered; at more, all are asked about anew. */
const MOST_CODES = 2_000;

/** `canBeCode` of many documents. Only what can be a code is remembered, so that no text that a sender wrote into the place of one stays. */
export class PossibleCodes {
  private readonly found = new Map<string, Set<string>>();

  has(system: string, code: string): boolean {
    const name = canonicalSystem(system) ?? system;
    const can = checks.get(name);
    if (can === undefined) return true;
    let ofSystem = this.found.get(name);
    if (ofSystem === undefined) this.found.set(name, (ofSystem = new Set<string>()));
    if (ofSystem.has(code)) return true;
    if (!can(code)) return false;
    if (ofSystem.size >= MOST_CODES) ofSystem.clear();
    // A copy: a part of a text keeps all of the text in memory.
    ofSystem.add(JSON.parse(JSON.stringify(code)) as string);
    return true;
  }
}

function withoutSystem({ system: _system, code, ...rest }: FhirObject, path: string, fates: Map<string, Fate>): FhirObject {
  const isQuantity = 'value' in rest || 'unit' in rest;
  const fate = !isQuantity ? 'stays' : rest['unit'] === undefined ? 'unit' : 'goes';
  fates.set(path, fate);
  return fate === 'goes' || code === undefined ? rest : { ...rest, [fate === 'unit' ? 'unit' : 'code']: code };
}

function within(object: FhirObject, path: string, fates: Map<string, Fate>): FhirObject {
  let changed: FhirObject | undefined;
  for (const [key, one] of Object.entries(object)) {
    if (typeof one !== 'object') continue;
    const now = checked(one, joinPath(path, key), fates);
    if (now !== one) changed = { ...(changed ?? object), [key]: now };
  }
  return changed ?? object;
}

/** Where the source said it: at the code, else at whatever of the object it gave. */
function findingOf(marks: readonly Mark[], path: string): Finding[] {
  const sources = marks.filter((mark) => mark.kind === 'source');
  const places = [`${path}.code`, `${path}.unit`, `${path}.system`, path];
  const mark = places.flatMap((place) => sources.find((one) => one.path === place) ?? [])[0];
  const leaf = mark?.from[0];
  return mark === undefined || leaf === undefined ? [] : [{ code: 'translate.code-impossible', path: leaf.path, rule: mark.rule }];
}

function markOf(mark: Mark, fates: ReadonlyMap<string, Fate>): readonly Mark[] {
  const [, owner = '', element] = /^(.*)\.(system|code)$/.exec(mark.path) ?? [];
  const fate = fates.get(owner);
  if (element === undefined || fate === undefined || (element === 'code' && fate === 'stays')) return [mark];
  return element === 'code' && fate === 'unit' ? [{ ...mark, path: `${owner}.unit` }] : [];
}
