import type { SummaryWording } from '@portolan/contracts';
import { DecimalText } from '@portolan/formats';
import { shownTime } from './clinical-time.js';
import { child, isObject, objects, text, type Json, type JsonObject, type Resource } from './resource.js';

/** A FHIR Narrative, status `generated`: made from what is left after minimising, never from a source's narrative. */
export interface Narrative extends JsonObject {
  readonly status: 'generated';
  readonly div: string;
}

/** Characters that XML 1.0 (section 2.2) cannot hold, even escaped; lone surrogates among them. */
const notXml = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as XHTML character data, fit for attributes too. */
export const escapeXhtml = (value: string): string => value.replace(notXml, '\uFFFD').replace(/[&<>"']/g, (c) => escapes[c] ?? c);

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;
const cells = (name: 'td' | 'th', values: readonly string[]): string => values.map((v) => element(name, escapeXhtml(v))).join('');

function narrative(content: string, language: string): Narrative {
  const lang = escapeXhtml(language);
  return { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml" lang="${lang}" xml:lang="${lang}">${content}</div>` };
}

export const paragraph = (sentence: string, language: string): Narrative => narrative(element('p', escapeXhtml(sentence)), language);

/** One row a resource: when, what, and the values that a reader needs. `find` follows a reference inside the document. */
export function table(rows: readonly Resource[], wording: SummaryWording, find: (reference: string) => Resource | undefined): Narrative {
  const { date, what, details } = wording.columns;
  const head = element('thead', element('tr', cells('th', [date, what, details])));
  const body = rows.map((r) => element('tr', cells('td', [shownTime(r) ?? '', nameOf(r, find), detailsOf(r)])));
  return narrative(element('table', head + element('tbody', body.join(''))), wording.language);
}

/** What a CodeableConcept calls itself: its text, else a display, else a code. */
function conceptName(concept: Json | undefined): string {
  const codings = objects(child(concept, 'coding'));
  const named = codings.map((c) => text(c, 'display')).find((d) => d !== undefined);
  return text(concept, 'text') ?? named ?? codings.map((c) => text(c, 'code')).find((c) => c !== undefined) ?? '';
}

const namingElements = ['code', 'medicationCodeableConcept', 'vaccineCode', 'type'] as const;

function nameOf(resource: Resource, find: (reference: string) => Resource | undefined): string {
  const own = namingElements.map((key) => conceptName(resource[key])).find((name) => name !== '');
  if (own !== undefined) return own;
  const pointed = text(resource['medicationReference'], 'reference') ?? text(resource['device'], 'reference') ?? '';
  const target = find(pointed);
  const display = text(resource['medicationReference'], 'display') ?? text(resource['device'], 'display') ?? '';
  return target === undefined ? display : (namingElements.map((key) => conceptName(target[key])).find((name) => name !== '') ?? display);
}

/** A decimal, string or boolean as it stands in the record. */
function primitive(value: Json | undefined): string {
  if (value instanceof DecimalText) return value.text;
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

const words = (...parts: readonly string[]): string => parts.filter((p) => p !== '').join(' ');

const quantity = (value: Json | undefined): string =>
  words(text(value, 'comparator') ?? '', primitive(child(value, 'value')), text(value, 'unit') ?? text(value, 'code') ?? '');

const between = (low: string, high: string): string => (low === '' && high === '' ? '' : `${low} – ${high}`);
const range = (value: Json | undefined): string => between(quantity(child(value, 'low')), quantity(child(value, 'high')));

/** The value[x] of an observation or component. */
function valueOf(holder: JsonObject): string {
  const ratio = holder['valueRatio'];
  const readings = [
    quantity(holder['valueQuantity']),
    conceptName(holder['valueCodeableConcept']),
    ...['valueString', 'valueInteger', 'valueBoolean', 'valueDateTime', 'valueTime'].map((key) => primitive(holder[key])),
    range(holder['valueRange']),
    between(text(holder['valuePeriod'], 'start') ?? '', text(holder['valuePeriod'], 'end') ?? ''),
    ratio === undefined ? '' : `${quantity(child(ratio, 'numerator'))} / ${quantity(child(ratio, 'denominator'))}`,
    conceptName(holder['dataAbsentReason']),
  ];
  const flags = objects(holder['interpretation']).map(conceptName).join(', ');
  const limits = objects(holder['referenceRange']).map((r) => text(r, 'text') ?? range(r));
  return words(readings.find((r) => r !== '') ?? '', flags, ...limits.filter((l) => l !== '').map((l) => `[${l}]`));
}

type Detail = (resource: Resource) => readonly string[];
/** Status, and how sure the source is: what it refutes must not read as present. */
const status: Detail = (r) => [
  isObject(r['clinicalStatus']) ? conceptName(r['clinicalStatus']) : (text(r, 'status') ?? ''),
  conceptName(r['verificationStatus']),
];
const dosage: Detail = (r) =>
  [...objects(r['dosage']), ...objects(r['dosageInstruction'])].map(
    (d) =>
      text(d, 'text') ??
      words(
        ...objects(d['doseAndRate']).map((rate) => quantity(rate['doseQuantity'])),
        conceptName(d['route']),
        text(d, 'patientInstruction') ?? '',
      ),
  );
const notes: Detail = (r) => objects(r['note']).map((note) => text(note, 'text') ?? '');

const detailsByType: Readonly<Record<string, readonly Detail[]>> = {
  AllergyIntolerance: [
    status,
    (r) => [text(r, 'criticality') ?? ''],
    (r) =>
      objects(r['reaction']).flatMap((reaction) => [
        ...objects(reaction['manifestation']).map(conceptName),
        text(reaction, 'severity') ?? '',
      ]),
    notes,
  ],
  Condition: [status, (r) => [conceptName(r['severity'])], notes],
  DiagnosticReport: [status, (r) => [text(r, 'conclusion') ?? '', ...objects(r['conclusionCode']).map(conceptName)]],
  Immunization: [status, (r) => [text(r, 'lotNumber') ?? ''], (r) => [text(r, 'occurrenceString') ?? ''], notes],
  MedicationStatement: [status, dosage, notes],
  MedicationRequest: [status, dosage, notes],
  MedicationDispense: [status, dosage, (r) => [quantity(r['quantity'])]],
  Observation: [
    (r) => [valueOf(r)],
    (r) => objects(r['component']).map((c) => `${conceptName(c['code'])}: ${valueOf(c)}`),
    (r) => (text(r, 'status') === 'final' ? [] : status(r)),
    notes,
  ],
  Procedure: [status, (r) => objects(r['bodySite']).map(conceptName), notes],
};

const detailsOf = (resource: Resource): string =>
  (detailsByType[resource.resourceType] ?? [status])
    .flatMap((detail) => detail(resource))
    .filter((d) => d !== '')
    .join('; ');
