import { child, isObject, list, objects, text, type Json, type JsonObject, type Resource } from '../release/resource.js';
import { numberOf, sameConcept, sameQuantity, sharesCoding } from './same-value.js';
import { compatibleTime, daysOf, sameTime } from './same-time.js';
import { compatibleStanding } from './same-standing.js';

/** Finds what a resource refers to by a literal reference of its record, such as `Medication/m1`. */
export type Find = (reference: string) => Resource | undefined;

/** When two entries of a type can be about one fact. */
interface Rule {
  /** The concepts of which one code must be in common: texts and displays are never compared. */
  readonly what: (resource: Resource, find: Find) => readonly Json[];
  /** Elements that date it, the first that is there counts. */
  readonly times: readonly string[];
  /**
   * Of an event both must name the time, or else two of a kind (two doses, two measurements) would pass for one. A standing fact goes on: one
   * that names no beginning says nothing against the other.
   */
  readonly kind: 'event' | 'standing';
  /** What may not be said differently: a dose, a side of the body, a result. */
  readonly agree: readonly ((a: Resource, b: Resource, find: Find) => boolean)[];
}

/** Said on one side only, or on both in the same way. */
const unlessBoth =
  (get: (resource: Resource, find: Find) => Json | undefined, same: (a: Json, b: Json) => boolean) =>
  (a: Resource, b: Resource, find: Find): boolean => {
    const [one, other] = [get(a, find), get(b, find)];
    return one === undefined || other === undefined || same(one, other);
  };

const plain = (value: Json): Json => numberOf(value) ?? value;
const samePlain = (a: Json, b: Json): boolean => Object.is(plain(a), plain(b));
const coded = (element: string): ReturnType<typeof unlessBoth> => unlessBoth((r) => first(r[element]), sameConcept);
const word = (element: string): ReturnType<typeof unlessBoth> => unlessBoth((r) => r[element], samePlain);
const first = (value: Json | undefined): Json | undefined => (Array.isArray(value) ? list(value)[0] : value);
const code = (resource: Resource): readonly Json[] => present(resource['code']);
const present = (value: Json | undefined): readonly Json[] => (value === undefined ? [] : [value]);

/** A thing that an entry names by reference: contained, or a resource of the record. */
function referred(resource: Resource, element: string, find: Find): JsonObject | undefined {
  const reference = text(resource[element], 'reference');
  if (reference === undefined) return undefined;
  const inside = objects(resource['contained']).find((one) => `#${text(one, 'id') ?? ''}` === reference);
  return inside ?? find(reference);
}

const medicine = (resource: Resource, find: Find): readonly Json[] => [
  ...present(resource['medicationCodeableConcept']),
  ...present(referred(resource, 'medicationReference', find)?.['code']),
];

const dosages = ['dosage', 'dosageInstruction'] as const;
const dosageOf = (resource: Resource): JsonObject | undefined => dosages.flatMap((element) => objects(resource[element]))[0];

/** One dose and how often: an ATC code names a substance, and 5 mg of it is another medication than 10 mg. */
const sameDosage = [
  unlessBoth((r) => child(first(dosageOf(r)?.['doseAndRate']), 'doseQuantity'), sameQuantity),
  ...['frequency', 'period', 'periodUnit'].map((part) =>
    unlessBoth((r) => child(child(dosageOf(r)?.['timing'], 'repeat'), part), samePlain),
  ),
];

const site = coded('bodySite');

const rules: Readonly<Record<string, Rule>> = {
  AllergyIntolerance: { what: code, times: ['onsetDateTime', 'onsetPeriod'], kind: 'standing', agree: [word('criticality'), word('type')] },
  // A second episode of a disease begins at another time.
  Condition: {
    what: code,
    times: ['onsetDateTime', 'onsetPeriod'],
    kind: 'standing',
    agree: [site, ending('abatementDateTime', 'abatementPeriod')],
  },
  MedicationStatement: {
    what: medicine,
    times: ['effectiveDateTime', 'effectivePeriod'],
    kind: 'standing',
    agree: [...sameDosage, ending('effectivePeriod')],
  },
  MedicationRequest: { what: medicine, times: ['authoredOn'], kind: 'event', agree: sameDosage },
  Immunization: {
    what: (r) => present(r['vaccineCode']),
    times: ['occurrenceDateTime'],
    kind: 'event',
    agree: [word('lotNumber'), unlessBoth((r) => child(first(r['protocolApplied']), 'doseNumberPositiveInt'), samePlain)],
  },
  Procedure: { what: code, times: ['performedDateTime', 'performedPeriod'], kind: 'event', agree: [site, ending('performedPeriod')] },
  Observation: {
    what: code,
    times: ['effectiveDateTime', 'effectivePeriod', 'effectiveInstant'],
    kind: 'event',
    agree: [site, coded('method'), ending('effectivePeriod'), sameResult],
  },
  DeviceUseStatement: {
    what: (r, find) => present(referred(r, 'device', find)?.['type']),
    times: ['timingDateTime', 'timingPeriod'],
    kind: 'standing',
    agree: [site, ending('timingPeriod'), unlessBoth((r, find) => referred(r, 'device', find)?.['serialNumber'], samePlain)],
  },
};

/** Resource types of which entries are compared. */
export const RECONCILED: ReadonlySet<string> = new Set(Object.keys(rules));

/**
 * Whether two entries of one person's record say the same thing, as far as their codes, times, standing and values tell. Conservative: what is
 * only told in words is not compared, and what contradicts itself anywhere is not the same. A result of the same test at the same time with another
 * value is a contradiction that a reader must see on both sides; of two entries judged the same, one is shown.
 */
export function saysTheSame(a: Resource, b: Resource, find: Find): boolean {
  const rule = rules[a.resourceType];
  if (rule === undefined || a.resourceType !== b.resourceType) return false;
  return (
    sameWhen(rule, a, b) &&
    compatibleStanding(a, b) &&
    sharesCoding(rule.what(a, find), rule.what(b, find)) &&
    rule.agree.every((agree) => agree(a, b, find))
  );
}

/** Where an entry lies among others: two that say the same have one of these in common (type, code, and of an event the day). */
export function placesOf(resource: Resource, find: Find): readonly string[] {
  const rule = rules[resource.resourceType];
  if (rule === undefined) return [];
  const time = rule.kind === 'event' ? timeOf(resource, rule.times) : '';
  const days = time === undefined ? [] : daysOf(time);
  const codes = rule.what(resource, find).flatMap((concept) => objects(child(concept, 'coding')));
  return codes.flatMap((coding) => days.map((day) => JSON.stringify([resource.resourceType, coding['system'], coding['code'], day])));
}

function sameWhen({ times, kind }: Rule, a: Resource, b: Resource): boolean {
  const [one, other] = [timeOf(a, times), timeOf(b, times)];
  if (kind === 'event') return one !== undefined && other !== undefined && sameTime(one, other);
  return one === undefined || other === undefined || compatibleTime(one, other);
}

/** The time as it is written; of a period its beginning. */
function timeOf(resource: Resource, elements: readonly string[]): string | undefined {
  for (const element of elements) {
    const value = resource[element];
    const said = typeof value === 'string' ? value : text(value, 'start');
    if (said !== undefined) return said;
  }
  return undefined;
}

/** Ends that both tell may be one. */
function ending(...elements: readonly string[]): ReturnType<typeof unlessBoth> {
  const endOf = (resource: Resource): string | undefined =>
    elements.map((element) => (typeof resource[element] === 'string' ? resource[element] : text(resource[element], 'end'))).find(Boolean);
  return unlessBoth(endOf, (a, b) => typeof a === 'string' && typeof b === 'string' && compatibleTime(a, b));
}

/** Values of an observation, and of its components: the same, and not both silent. */
function sameResult(a: Resource, b: Resource): boolean {
  const [one, other] = [componentsOf(a), componentsOf(b)];
  const values = [valueOf(a), valueOf(b)] as const;
  if (values[0] === undefined && values[1] === undefined && one.length === 0) return false;
  return sameAnswer(...values) && one.length === other.length && one.every((part) => other.some((its) => sameComponent(part, its)));
}

const componentsOf = (resource: Resource): readonly JsonObject[] => objects(resource['component']);

const sameComponent = (a: JsonObject, b: JsonObject): boolean =>
  sharesCoding(present(a['code']), present(b['code'])) && valueOf(a) !== undefined && sameAnswer(valueOf(a), valueOf(b));

const valueOf = (object: JsonObject): readonly [string, Json] | undefined =>
  Object.entries(object).find(([key]) => /^value[A-Z]/.test(key));

function sameAnswer(a: readonly [string, Json] | undefined, b: readonly [string, Json] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [[kind, one], [other, its]] = [a, b];
  if (kind !== other) return false;
  if (kind === 'valueQuantity') return sameQuantity(one, its);
  if (kind === 'valueCodeableConcept') return sameConcept(one, its);
  // Ranges, ratios, series and attachments are left to a reader.
  return !isObject(one) && !Array.isArray(one) && samePlain(one, its);
}
