import { DecimalText, isFhirObject, type FhirResource, type FhirValue } from '../engine/index.js';
import type { Translation } from '../translate.js';

/**
 * Oracles that need no golden output: what is true of every faithful translation. Each answers with the offenders; an
 * empty list is a pass. They read the source as text of its own, not through the parser under test.
 */

/** One value of the output: where, and its text. */
interface OutputValue {
  readonly at: string;
  readonly text: string;
}

/** Values that were taken from the source by a code map: source text → what may stand for it. */
export type CodeLookup = (text: string) => boolean;

/** Texts of the source, four characters or longer, that neither stand in the output nor are carried, ignored or coded. */
export function lostValues(sourceTexts: readonly string[], translation: Translation, coded: CodeLookup): string[] {
  const output = outputValues(translation.resources).map(({ text }) => text);
  const whole = output.join('\n');
  const digits = output.map(digitsOf).join(' ');
  const carried = new Set(translation.account.carried.map(({ value }) => value));
  return sourceTexts.filter((text) => {
    if (text.trim().length < 4 || carried.has(text) || coded(text)) return false;
    return !whole.includes(text) && !digits.includes(digitsOf(withSeconds(text)));
  });
}

/** FHIR wants seconds in a time of day (R4 §2.24.0.1): a source that has none is filled up with 00. */
function withSeconds(text: string): string {
  return text.replace(/^(\d{12})(?=[+-]\d{4}$|$)/, '$100');
}

/** A time as its digits alone, so that 20261103 and 2026-11-03 meet; other texts as they are. */
function digitsOf(text: string): string {
  const digits = text.replace(/[^\d]/g, '');
  return /^[\d:.T+Z-]+$/.test(text) && digits.length >= 4 ? digits : text;
}

/** Values of the output that come neither from the source, a code map nor a constant of a rule. */
export function inventedValues(sourceText: string, translation: Translation, fromCodeMaps: ReadonlySet<string>): OutputValue[] {
  const constants = new Set(translation.account.constants.map(({ value }) => String(value)));
  const digits = [sourceText, sourceText.replace(/(?<=\d)\.(?=\d)/g, '')].join(' ').replace(/\D+/g, ' ');
  const known = (text: string): boolean =>
    sourceText.includes(text) ||
    constants.has(text) ||
    fromCodeMaps.has(text) ||
    (/\d/.test(text) && isTimeOf(text, digits)) ||
    isAttached(text, sourceText) ||
    isComputed(text, sourceText);
  return outputValues(translation.resources).filter(({ text }) => !known(text) && !pieces(text).every(known));
}

/** Whether a time is a time of the source and so many minutes of the source later: the end of what has a start and a duration. */
function isComputed(text: string, sourceText: string): boolean {
  const end = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/.exec(text)?.[0];
  if (end === undefined) return false;
  const lengths = new Set([...sourceText.matchAll(/(?<!\d)\d{1,4}(?!\d)/g)].map(([digits]) => Number(digits)));
  return [...sourceText.matchAll(/(?<!\d)(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?(?!\d)/g)].some(([, y, mo, d, h, mi, sec = '00']) => {
    const start = Date.parse(`${y ?? ''}-${mo ?? ''}-${d ?? ''}T${h ?? ''}:${mi ?? ''}:${sec}Z`);
    return lengths.has((Date.parse(`${end}Z`) - start) / 60_000);
  });
}

/** Whether an attachment says the source's own lines in Base64, or its type names the source's kind of data (HL7 table 0191). */
function isAttached(text: string, sourceText: string): boolean {
  const subtype = /^(?:application|audio|image|text)\/(\S+)$/.exec(text)?.[1];
  if (subtype !== undefined) return sourceText.toLowerCase().includes(subtype);
  if (text.length < 4 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return false;
  const lines = new TextDecoder().decode(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))).split('\n');
  return lines.every((line) => sourceText.includes(line));
}

/** Whether the output's time is a time of the source: its digits stand there, seconds and offset at most filled in. */
function isTimeOf(text: string, digits: string): boolean {
  const [stamp = ''] = text.split(/(?<=T.*)[+Z-]/);
  const plain = stamp.replace(/\D/g, '');
  return digits.includes(plain) || digits.includes(plain.replace(/(00){1,2}$/, ''));
}

/** A text put together of several source values, and a system made of an id. */
function pieces(text: string): string[] {
  const id = /^(urn:oid:|urn:uuid:|http:\/\/terminology\.hl7\.org\/CodeSystem\/v2-|\+)(.+)$/.exec(text)?.[2];
  return id === undefined ? text.split(/[ ,\n^]+/).filter((piece) => piece !== '') : id.split(' ');
}

/** References that point at no resource of the translation. */
export function openReferences(resources: readonly FhirResource[]): string[] {
  const present = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${id}`));
  return references(resources).filter((reference) => !present.has(reference));
}

/** Ids that two resources of one type share. */
export function sharedIds(resources: readonly FhirResource[]): string[] {
  const names = resources.map(({ resourceType, id }) => `${resourceType}/${id}`);
  return names.filter((name, i) => names.indexOf(name) !== i);
}

function references(value: FhirValue | readonly FhirResource[]): string[] {
  if (Array.isArray(value)) return value.flatMap((one: FhirValue) => references(one));
  if (!isFhirObject(value as FhirValue)) return [];
  return Object.entries(value as FhirResource).flatMap(([name, inner]) =>
    name === 'reference' && typeof inner === 'string' ? [inner] : references(inner),
  );
}

function outputValues(resources: readonly FhirResource[]): OutputValue[] {
  return resources.flatMap(({ resourceType, id, ...elements }) => valuesIn(elements as FhirValue, `${resourceType}/${id}`));
}

function valuesIn(value: FhirValue, at: string): OutputValue[] {
  if (Array.isArray(value)) return value.flatMap((one, i) => valuesIn(one, `${at}[${i}]`));
  if (value instanceof DecimalText) return [{ at, text: value.text }];
  if (!isFhirObject(value)) return typeof value === 'boolean' ? [] : [{ at, text: String(value) }];
  return Object.entries(value).flatMap(([name, inner]) => (name === 'reference' ? [] : valuesIn(inner, `${at}.${name}`)));
}
