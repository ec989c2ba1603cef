import type { Draft } from '../engine/drafts.js';
import { DecimalText, isFhirObject, type FhirObject, type FhirResource, type FhirValue } from '../engine/fhir.js';
import type { Finding } from '../engine/findings.js';
import type { Mark } from '../engine/marks.js';
import { convertUnit } from './convert-unit.js';

/** By `system|code` of what is measured: the unit of UCUM in which a country wants it. */
export type CanonicalUnits = ReadonlyMap<string, string>;

const UCUM = 'http://unitsofmeasure.org';
/** FHIR's own place for the same quantity in another unit (R4 extension registry, context Quantity). */
const TRANSLATION = 'http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation';
const RULE = '(canonical unit)';

/** Where a quantity stands, and the unit that it is wanted in. */
interface Wanted {
  readonly path: string;
  readonly unit: string;
}

/**
 * An Observation with its results and reference ranges in the units that its country demands; each quantity as the source wrote it stands beside,
 * as the quantity's translation. One that cannot be converted stays, and is told (`translate.unit-not-converted`).
 */
export function inCanonicalUnits(draft: Draft, units: CanonicalUnits, tell: (finding: Finding) => void): Draft {
  if (units.size === 0 || draft.resource.resourceType !== 'Observation') return draft;
  const resource = structuredCopy(draft.resource) as FhirResource;
  const wanted = wantedIn(resource, units);
  let { marks } = draft;
  for (const { path, unit } of wanted) {
    const at = holderOf(resource, path);
    const quantity = at?.holder[at.name];
    if (at === undefined || !isFhirObject(quantity) || quantity['code'] === unit) continue;
    const converted = inUnit(quantity, unit);
    if (converted === undefined) tell(findingAt(marks, path));
    else {
      at.holder[at.name] = converted;
      marks = marks.flatMap((mark) => moved(mark, path)).concat(constantsOf(path, unit));
    }
  }
  return marks === draft.marks ? draft : { ...draft, resource, marks };
}

function wantedIn(holder: FhirObject, units: CanonicalUnits, path = ''): Wanted[] {
  const below = list(holder['component']).flatMap((one, i) => wantedIn(one, units, `component[${i}].`));
  const { code } = holder;
  const keys = isFhirObject(code) ? list(code['coding']).map((coding) => `${textOf(coding['system'])}|${textOf(coding['code'])}`) : [];
  const unit = keys.map((key) => units.get(key)).find((one) => one !== undefined);
  if (unit === undefined) return below;
  const ranges = list(holder['referenceRange']).flatMap((_, i) => ['low', 'high'].map((end) => `${path}referenceRange[${i}].${end}`));
  return [`${path}valueQuantity`, ...ranges].map((place) => ({ path: place, unit })).concat(below);
}

const list = (value: FhirValue | undefined): readonly FhirObject[] => (Array.isArray(value) ? value.filter(isFhirObject) : []);
const textOf = (value: FhirValue | undefined): string => (typeof value === 'string' ? value : '');

/** Decimals are values and are shared. */
function structuredCopy(value: FhirValue): FhirValue {
  if (Array.isArray(value)) return value.map(structuredCopy);
  if (!isFhirObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, structuredCopy(one)]));
}

function holderOf(resource: FhirObject, path: string): { readonly holder: FhirObject; readonly name: string } | undefined {
  const steps = path.match(/[A-Za-z]+|\d+/g) ?? [];
  const name = steps.pop() ?? '';
  let at: FhirValue | undefined = resource;
  for (const step of steps) at = Array.isArray(at) ? at[Number(step)] : isFhirObject(at) ? at[step] : undefined;
  return isFhirObject(at) ? { holder: at, name } : undefined;
}

/** The quantity in the unit with the original as its translation; undefined where it cannot be, or already has extensions of its own. */
function inUnit(quantity: FhirObject, unit: string): FhirObject | undefined {
  const { value, comparator, system, code, extension } = quantity;
  if (system !== UCUM || typeof code !== 'string' || value === undefined || extension !== undefined) return undefined;
  const decimal = value instanceof DecimalText ? value : typeof value === 'number' ? new DecimalText(String(value)) : undefined;
  const converted = decimal && convertUnit(decimal, code, unit);
  if (converted === undefined) return undefined;
  return {
    extension: [{ url: TRANSLATION, valueQuantity: quantity }],
    value: converted,
    ...(comparator !== undefined && { comparator }),
    unit,
    system: UCUM,
    code: unit,
  };
}

/** What the source said stands in the translation now; its value and comparator made the converted ones besides. */
function moved(mark: Mark, path: string): Mark[] {
  if (mark.path !== path && !mark.path.startsWith(`${path}.`)) return [mark];
  const element = mark.path.slice(path.length);
  const original = { ...mark, path: `${path}.extension[0].valueQuantity${element}` };
  return ['', '.value', '.comparator'].includes(element) ? [mark, original] : [original];
}

function constantsOf(path: string, unit: string): Mark[] {
  const said: readonly (readonly [string, string])[] = [
    ['extension[0].url', TRANSLATION],
    ['unit', unit],
    ['system', UCUM],
    ['code', unit],
  ];
  return said.map(([element, value]) => ({ kind: 'constant', path: `${path}.${element}`, rule: RULE, value }));
}

function findingAt(marks: readonly Mark[], path: string): Finding {
  const sources = marks.filter((mark) => mark.kind === 'source');
  const mark =
    sources.find((one) => one.path === `${path}.code` || one.path === `${path}.unit`) ?? sources.find((one) => one.path.startsWith(path));
  return { code: 'translate.unit-not-converted', path: mark?.from[0]?.path ?? path, rule: mark?.rule ?? RULE };
}
