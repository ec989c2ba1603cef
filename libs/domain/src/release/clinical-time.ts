import { child, hasCode, isObject, text, type Json, type Resource } from './resource.js';

/** Milliseconds since the Unix epoch, both ends included; infinite where the record names no limit. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

const DATE_TIME = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/** The time that a FHIR date, dateTime or instant names: `2020` is a whole year. A value without an offset is taken as UTC. */
export function intervalOf(dateTime: string | undefined): Interval | undefined {
  const match = DATE_TIME.exec(dateTime ?? '');
  if (match === null) return undefined;
  const [whole, year, month, day, time] = match;
  return time === undefined ? daysOf(Number(year), numberOf(month), numberOf(day)) : instantOf(whole);
}

const numberOf = (digits: string | undefined): number | undefined => (digits === undefined ? undefined : Number(digits));

/** A whole year, month or day in UTC. */
function daysOf(year: number, month: number | undefined, day: number | undefined): Interval {
  const from = Date.UTC(year, (month ?? 1) - 1, day ?? 1);
  if (month === undefined) return { from, to: Date.UTC(year + 1, 0, 1) - 1 };
  return { from, to: (day === undefined ? Date.UTC(year, month, 1) : Date.UTC(year, month - 1, day + 1)) - 1 };
}

function instantOf(dateTime: string): Interval | undefined {
  const at = Date.parse(/(?:Z|[+-]\d{2}:\d{2})$/.test(dateTime) ? dateTime : `${dateTime}Z`);
  return Number.isNaN(at) ? undefined : { from: at, to: at };
}

/** Interval of a FHIR Period; open where an end is missing. */
function period(value: Json | undefined): Interval | undefined {
  if (!isObject(value)) return undefined;
  const from = intervalOf(text(value, 'start'));
  const to = intervalOf(text(value, 'end'));
  return from === undefined && to === undefined ? undefined : { from: from?.from ?? -Infinity, to: to?.to ?? Infinity };
}

/** The first of a resource's elements that names a time. */
function firstOf(resource: Resource, elements: readonly string[]): Interval | undefined {
  for (const element of elements) {
    const value = resource[element];
    const found = typeof value === 'string' ? intervalOf(value) : period(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Elements that date an event, the most clinical first. */
const eventTimes: Readonly<Record<string, readonly string[]>> = {
  Observation: ['effectiveDateTime', 'effectivePeriod', 'effectiveInstant', 'issued'],
  DiagnosticReport: ['effectiveDateTime', 'effectivePeriod', 'issued'],
  Procedure: ['performedDateTime', 'performedPeriod'],
  Immunization: ['occurrenceDateTime'],
  MedicationRequest: ['authoredOn'],
  MedicationDispense: ['whenHandedOver', 'whenPrepared'],
  ImagingStudy: ['started'],
  ServiceRequest: ['authoredOn', 'occurrenceDateTime', 'occurrencePeriod'],
  Claim: ['created'],
  ExplanationOfBenefit: ['created'],
};

/** Elements that date a standing fact, which holds from its start until its end. */
const standingTimes: Readonly<Record<string, { start: readonly string[]; end: readonly string[] }>> = {
  AllergyIntolerance: { start: ['onsetDateTime', 'onsetPeriod', 'recordedDate'], end: [] },
  Condition: { start: ['onsetDateTime', 'onsetPeriod', 'recordedDate'], end: ['abatementDateTime', 'abatementPeriod'] },
  MedicationStatement: { start: ['effectiveDateTime', 'effectivePeriod'], end: ['effectivePeriod'] },
  DeviceUseStatement: { start: ['timingDateTime', 'timingPeriod', 'recordedOn'], end: ['timingPeriod'] },
  Flag: { start: ['period'], end: ['period'] },
};

const CLINICAL_STATUS = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
const isOver = (resource: Resource): boolean =>
  hasCode(resource['clinicalStatus'], CLINICAL_STATUS, ['inactive', 'resolved', 'remission']) ||
  ['completed', 'stopped', 'not-taken', 'inactive'].includes(text(resource, 'status') ?? '');

function standing(resource: Resource, times: { start: readonly string[]; end: readonly string[] }): Interval {
  const start = firstOf(resource, times.start);
  const end = firstOf(resource, times.end);
  const known = end ?? (isOver(resource) ? start : undefined);
  return { from: start?.from ?? -Infinity, to: known?.to ?? Infinity };
}

/**
 * Whether the record lies within clinical dates. An event must lie wholly inside; where it names no time, a limit leaves it
 * out. A standing fact (an allergy, a disease, a medicine in use) must hold at some time inside.
 */
export function isWithin(resource: Resource, since: string | undefined, until: string | undefined): boolean {
  if (since === undefined && until === undefined) return true;
  // A limit that cannot be read lets nothing through.
  const from = since === undefined ? -Infinity : (intervalOf(since)?.from ?? Infinity);
  const to = until === undefined ? Infinity : (intervalOf(until)?.to ?? -Infinity);
  const times = standingTimes[resource.resourceType];
  return times === undefined ? happened(resource, from, to) : held(standing(resource, times), from, to);
}

const held = (fact: Interval, from: number, to: number): boolean => from <= to && fact.from <= to && fact.to >= from;

function happened(resource: Resource, from: number, to: number): boolean {
  const event = firstOf(resource, eventTimes[resource.resourceType] ?? []);
  return event !== undefined && event.from >= from && event.to <= to;
}

/** The time to show and to sort by, as the record writes it. */
export function shownTime(resource: Resource): string | undefined {
  const elements = eventTimes[resource.resourceType] ?? standingTimes[resource.resourceType]?.start ?? [];
  for (const element of elements) {
    const value = resource[element];
    const shown = typeof value === 'string' ? value : (text(child(resource, element), 'start') ?? text(child(resource, element), 'end'));
    if (shown !== undefined && shown !== '') return shown;
  }
  return undefined;
}
