import { isInexact, isSame } from './equivalence.js';
import type { Conversion, ConversionContext, Converted } from './conversion.js';
import { DecimalText, decimalPattern, type FhirValue } from './fhir.js';
import { textLeaf, type SourceNode } from './source-node.js';
import { isoDate, isoDateTime, compactDate, compactDateTime, compactInstant, compactTime, isoTime, type TimeReading } from './times.js';

/** A conversion of one text; `undefined` from `read` means that the text does not fit. */
export function textConversion(read: (text: string, context: ConversionContext) => FhirValue | undefined): Conversion {
  const convert: Conversion = (node, context) => {
    const leaf = textLeaf(node);
    if (leaf?.value === undefined || leaf.value.trim() === '') return undefined;
    const value = read(leaf.value, context);
    return value === undefined ? problem(leaf) : { value, origins: [{ path: '', from: [leaf] }] };
  };
  return withPlain(convert, (text, context) => (text.trim() === '' ? undefined : read(text, context)));
}

function problem(at: SourceNode): Converted {
  return { problem: 'translate.value-invalid', at };
}

const withPlain = (convert: Conversion, plain: NonNullable<Conversion['plain']>): Conversion => Object.assign(convert, { plain });

function timeConversion(read: (text: string, context: ConversionContext) => TimeReading | undefined): Conversion {
  const convert: Conversion = (node, context) => {
    const leaf = textLeaf(node);
    if (leaf?.value === undefined || leaf.value.trim() === '') return undefined;
    const reading = read(leaf.value.trim(), context);
    if (reading === undefined) return problem(leaf);
    if (reading.note !== undefined) context.note(reading.note, leaf);
    return { value: reading.value, origins: [{ path: '', from: [leaf], ...(reading.partial && { partial: true }) }] };
  };
  return withPlain(convert, (text, context) => {
    const reading = read(text.trim(), context);
    return reading === undefined || reading.partial || reading.note !== undefined ? undefined : reading.value;
  });
}

/** A text as a FHIR code through the rule's concept map; where the counterpart is not equal, the original is carried too. */
const mappedCode: Conversion = (node, context) => {
  const leaf = textLeaf(node);
  if (leaf?.value === undefined || leaf.value.trim() === '') return undefined;
  const map = context.rule.map === undefined ? undefined : context.conceptMaps.get(context.rule.map);
  if (map === undefined) return { value: leaf.value.trim(), origins: [{ path: '', from: [leaf] }] };
  const found = map.translate(undefined, leaf.value.trim());
  if (found === undefined) return { problem: 'translate.code-unmapped', at: leaf };
  const partial = !isSame(found.equivalence);
  if (found.unmapped === true) context.note('translate.code-unmapped', leaf);
  if (isInexact(found.equivalence)) context.note('translate.code-inexact', leaf);
  return { value: found.code, origins: [{ path: '', from: [leaf], ...(partial && { partial }) }] };
};

function plainCode(text: string, { rule, conceptMaps }: ConversionContext): string | undefined {
  const code = text.trim();
  const map = rule.map === undefined ? undefined : conceptMaps.get(rule.map);
  if (map === undefined || code === '') return code === '' ? undefined : code;
  const found = map.translate(undefined, code);
  return found === undefined || found.unmapped === true || !isSame(found.equivalence) ? undefined : found.code;
}

const mappedBoolean: Conversion = (node, context) => {
  const code = mappedCode(node, context);
  if (code === undefined || 'problem' in code) return code;
  return code.value === 'true' || code.value === 'false' ? { ...code, value: code.value === 'true' } : problem(textLeaf(node) ?? node);
};

/** The decimal with its digits; a leading plus and leading zeros are no digits of the value. */
export function readDecimal(text: string): DecimalText | undefined {
  const trimmed = text.trim().replace(/^\+/, '');
  const match = /^(-?)0*(\d{1,40}|(?=\.))(\.\d{1,40})?$/.exec(trimmed);
  if (match === null) return undefined;
  const digits = `${match[1] ?? ''}${match[2] === '' || match[2] === undefined ? '0' : match[2]}${match[3] ?? ''}`;
  return decimalPattern.test(digits) ? new DecimalText(digits) : undefined;
}

/** A decimal as much of Europe writes it. A point in it could part thousands, so it is none here. */
const withComma = (text: string): DecimalText | undefined => (text.includes('.') ? undefined : readDecimal(text.replace(',', '.')));

/** `3.2.1970`, `03/02/1970 07:30`: day, month, year, in the order of ISO 8601. */
const dayFirst = (text: string): string =>
  text.replace(
    /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?: +(\d{1,2}:\d{2}(?::\d{2})?))?$/,
    (_, day: string, _sign, month: string, year: string, clock: string | undefined) =>
      `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}${clock === undefined ? '' : `T${clock.padStart(clock.length < 6 ? 5 : 8, '0')}`}`,
  );

function readInteger(text: string, least: number): number | undefined {
  const value = /^\+?\d{1,9}$/.test(text.trim()) ? Number(text) : undefined;
  return value !== undefined && value >= least ? value : undefined;
}

/** FHIR string: no control characters but tab, CR and LF. */
export function readString(text: string): string | undefined {
  return /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) ? undefined : text;
}

/** All texts at and below the node, one blank between: for compounds that FHIR holds as one string. */
const joined: Conversion = (node) => {
  const leaves = node.leaves().filter((leaf) => !leaf.explicitNull);
  const text = readString(leaves.map((leaf) => leaf.value ?? '').join(' '));
  if (leaves.length === 0 || text?.trim() === '') return undefined;
  return text === undefined ? problem(node) : { value: text, origins: [{ path: '', from: leaves }] };
};

/** The system that the standard binds the field to (`system` of the rule), for a coding whose source names none. */
const boundSystem: Conversion = (_node, { rule }) => (rule.system === undefined ? undefined : { value: rule.system, origins: [] });

/** Conversions that every format may use by name. The compact times are HL7's (v2 DTM and v3 TS), the others ISO 8601. */
export const commonConversions: Readonly<Record<string, Conversion>> = {
  string: textConversion(readString),
  joined,
  'bound-system': boundSystem,
  code: withPlain((node, context) => mappedCode(node, context), plainCode),
  boolean: mappedBoolean,
  decimal: textConversion(readDecimal),
  'comma-decimal': textConversion(withComma),
  integer: textConversion((text) => readInteger(text, 0)),
  positiveInt: textConversion((text) => readInteger(text, 1)),
  uri: textConversion((text) => (/^\S{1,255}$/.test(text.trim()) ? text.trim() : undefined)),
  oid: textConversion((text) => (/^[0-2](\.(0|[1-9]\d*))+$/.test(text.trim()) ? `urn:oid:${text.trim()}` : undefined)),
  date: timeConversion(compactDate),
  dateTime: timeConversion(compactDateTime),
  instant: timeConversion(compactInstant),
  time: timeConversion(compactTime),
  'dmy-date': timeConversion((text) => isoDate(dayFirst(text))),
  'dmy-dateTime': timeConversion((text, context) => isoDateTime(dayFirst(text), context)),
  'iso-date': timeConversion(isoDate),
  'iso-dateTime': timeConversion(isoDateTime),
  'iso-time': timeConversion(isoTime),
};
