import { DecimalText, isFhirObject, type FhirObject, type FhirValue } from '@portolan/formats';
import { shownTime } from '../release/clinical-time.js';
import { escapeXhtml } from '../release/narrative.js';
import { child, isObject, objects, text, type Json, type JsonObject, type Resource } from '../release/resource.js';
import { englishWording } from '../release/wording.js';
import { primaryOf, type ReadersWords } from './readers-words.js';

/** Follows a reference inside of the document. */
export type Find = (reference: string) => FhirObject | undefined;

/**
 * The Composition with a part in the reader's language at the end of each section's narrative: a `div` with its `lang`, a sentence that says who
 * made it and of what, and a table made of codes alone. Free text is in no part. What the source wrote stays before it as it came. A section gets
 * none where its narrative is in the reader's language already, or where none of its entries is called anything in a language of hers.
 */
export function withReadersParts(composition: FhirObject, words: ReadersWords, find: Find): FhirObject {
  if (!Array.isArray(composition['section'])) return composition;
  return { ...composition, section: composition['section'].map((one) => withPart(one, words, find)) };
}

function withPart(value: FhirValue, words: ReadersWords, find: Find): FhirValue {
  if (!isFhirObject(value)) return value;
  const section = withReadersParts(value, words, find);
  const { text: narrative, entry = [] } = section;
  if (!isFhirObject(narrative) || typeof narrative['div'] !== 'string' || !Array.isArray(entry)) return section;
  const resources = entry.flatMap((one) => found(one, find));
  return { ...section, text: { ...narrative, div: withPartIn(narrative['div'], resources, words, find) } };
}

/** The `div` with the part before its end; as it came where there is nothing to add. */
function withPartIn(div: string, entries: readonly Resource[], words: ReadersWords, find: Find): string {
  const source = /^<div[^>]*\slang="([A-Za-z0-9-]+)"/.exec(div)?.[1] ?? 'und';
  const end = /<\/div>\s*$/.exec(div);
  if (end === null || primaryOf(source) === primaryOf(words.wording.language)) return div;
  const part = partOf(entries, new Reader(words, source, find), words);
  return part === undefined ? div : `${div.slice(0, end.index)}${part}</div>`;
}

function found(value: FhirValue, find: Find): Resource[] {
  const reference = isFhirObject(value) ? value['reference'] : undefined;
  const resource = typeof reference === 'string' ? find(reference) : undefined;
  return resource === undefined ? [] : [resource as unknown as Resource];
}

function partOf(entries: readonly Resource[], reader: Reader, { wording }: ReadersWords): string | undefined {
  const rows = entries.flatMap((one) => rowOf(one, reader));
  if (!reader.hasWorded) return undefined;
  const { date, what, details } = wording.columns;
  const sentence = wording.fromCodes ?? '';
  const told = sentence === '' ? reader.shown([{ text: englishWording.fromCodes ?? '', language: 'en' }]) : escapeXhtml(sentence);
  const head = `<thead><tr>${[date, what, details].map((one) => `<th>${escapeXhtml(one)}</th>`).join('')}</tr></thead>`;
  const lang = escapeXhtml(wording.language);
  return `<div lang="${lang}" xml:lang="${lang}"><p>${told}</p><table>${head}<tbody>${rows.join('')}</tbody></table></div>`;
}

/** A text and the language that it is in; without one it is of none, as a number or a unit. */
interface Said {
  readonly text: string;
  readonly language?: string;
}

/** What makes an entry mean another thing than its codes say, in a way that no row of codes shows: such an entry stands in the source's part alone. */
const isModified = (resource: Resource): boolean =>
  resource['modifierExtension'] !== undefined || resource['implicitRules'] !== undefined || resource['doNotPerform'] === true;

function rowOf(resource: Resource, reader: Reader): string[] {
  const name = isModified(resource) ? [] : reader.nameOf(resource);
  if (name.length === 0) return [];
  const details = detailsOf(resource, reader).filter((one) => one.length > 0);
  const cells = [escapeXhtml(shownTime(resource) ?? ''), reader.shown(name), details.map((one) => reader.shown(one)).join('; ')];
  return [`<tr>${cells.map((one) => `<td>${one}</td>`).join('')}</tr>`];
}

const namingElements = ['code', 'medicationCodeableConcept', 'vaccineCode', 'type'] as const;

/** Says codes in the reader's words, else in those of the source. */
class Reader {
  /** Whether anything was said in the reader's words. */
  hasWorded = false;

  constructor(
    private readonly words: ReadersWords,
    private readonly source: string,
    private readonly find: Find,
  ) {}

  /**
   * A CodeableConcept by its first coding: a counterpart that may say more than the source did stands behind it (docs/terminology.md). Nothing for
   * one that is words alone.
   */
  concept(concept: Json | undefined): readonly Said[] {
    const [coding] = objects(child(concept, 'coding'));
    return this.code(text(coding, 'system'), text(coding, 'code'), text(coding, 'display'));
  }

  code(system: string | undefined, code: string | undefined, display?: string): readonly Said[] {
    const wording =
      system === undefined || code === undefined ? undefined : this.words.displays.wording(system, code, this.words.languages);
    if (wording !== undefined) {
      this.hasWorded = true;
      return [wording];
    }
    if (display !== undefined) return [{ text: display, language: this.source }];
    if (code === undefined) return [];
    return [(system === undefined ? undefined : this.words.displays.named(system, code)) ?? { text: code }];
  }

  nameOf(resource: Resource): readonly Said[] {
    const target = this.find(text(resource['medicationReference'], 'reference') ?? text(resource['device'], 'reference') ?? '');
    const holders = [resource, ...(target === undefined ? [] : [target as unknown as Resource])];
    const names = holders.flatMap((holder) => namingElements.map((element) => this.concept(holder[element])));
    return names.find((one) => one.length > 0) ?? [];
  }

  /** XHTML; what is in another language than the part says so. */
  shown(said: readonly Said[]): string {
    const own = this.words.wording.language;
    return said
      .map(({ text: words, language }) => {
        const escaped = escapeXhtml(words);
        if (language === undefined || primaryOf(language) === primaryOf(own)) return escaped;
        const lang = escapeXhtml(language);
        return `<span lang="${lang}" xml:lang="${lang}">${escaped}</span>`;
      })
      .join(' ');
  }
}

/** Code systems of elements that hold a code alone (R4, their required bindings). */
const statusSystems: Readonly<Record<string, string>> = {
  DiagnosticReport: 'http://hl7.org/fhir/diagnostic-report-status',
  Immunization: 'http://hl7.org/fhir/event-status',
  MedicationDispense: 'http://terminology.hl7.org/CodeSystem/medicationdispense-status',
  MedicationRequest: 'http://hl7.org/fhir/CodeSystem/medicationrequest-status',
  MedicationStatement: 'http://hl7.org/fhir/CodeSystem/medication-statement-status',
  Observation: 'http://hl7.org/fhir/observation-status',
  Procedure: 'http://hl7.org/fhir/event-status',
};
const CRITICALITY = 'http://hl7.org/fhir/allergy-intolerance-criticality';
const REACTION_SEVERITY = 'http://hl7.org/fhir/reaction-event-severity';

/** Status and certainty first: what the source refutes must not read as present. */
function detailsOf(resource: Resource, reader: Reader): readonly (readonly Said[])[] {
  const { clinicalStatus, status } = resource;
  const reactions = objects(resource['reaction']);
  return [
    isObject(clinicalStatus)
      ? reader.concept(clinicalStatus)
      : reader.code(statusSystems[resource.resourceType], typeof status === 'string' ? status : undefined),
    reader.concept(resource['verificationStatus']),
    reader.concept(resource['severity']),
    reader.code(CRITICALITY, text(resource, 'criticality')),
    ...reactions.flatMap((one) => [
      ...objects(one['manifestation']).map((concept) => reader.concept(concept)),
      reader.code(REACTION_SEVERITY, text(one, 'severity')),
    ]),
    ...valuesOf(resource, reader),
    ...objects(resource['component']).map((one) => [...reader.concept(one['code']), { text: ':' }, ...valuesOf(one, reader).flat()]),
    ...objects(resource['bodySite']).map((concept) => reader.concept(concept)),
    ...objects(resource['conclusionCode']).map((concept) => reader.concept(concept)),
    ...dosesOf(resource, reader),
  ];
}

const valuesOf = (holder: JsonObject, reader: Reader): readonly (readonly Said[])[] => [
  quantityOf(holder['valueQuantity'], reader),
  reader.concept(holder['valueCodeableConcept']),
  reader.concept(holder['dataAbsentReason']),
  ...objects(holder['interpretation']).map((concept) => reader.concept(concept)),
];

function dosesOf(resource: Resource, reader: Reader): readonly (readonly Said[])[] {
  const doses = [...objects(resource['dosage']), ...objects(resource['dosageInstruction'])];
  return doses.flatMap((dose) => [
    ...objects(dose['doseAndRate']).map((rate) => quantityOf(rate['doseQuantity'], reader)),
    reader.concept(dose['route']),
  ]);
}

/** The number with its digits, and the unit: of UCUM by its code, which is of no language. */
function quantityOf(value: Json | undefined, reader: Reader): readonly Said[] {
  const number = child(value, 'value');
  const digits = number instanceof DecimalText ? number.text : typeof number === 'number' ? String(number) : undefined;
  if (digits === undefined) return [];
  const code = text(value, 'code');
  const unit =
    text(value, 'system') === 'http://unitsofmeasure.org' && code !== undefined
      ? [{ text: code }]
      : reader.code(undefined, code, text(value, 'unit'));
  return [{ text: `${text(value, 'comparator') ?? ''}${digits}` }, ...unit];
}
