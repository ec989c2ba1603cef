import { textLeaf, type Conversion, type ConversionContext, type Converted, type FhirValue, type SourceNode } from '../engine/index.js';
import { compactInstant } from '../engine/times.js';

/** Seconds of the units in which HL7 v2 counts, by their UCUM code. */
const unitSeconds: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3_600, d: 86_400, wk: 604_800 };

/** The fields of an AIS, AIG, AIL or AIP that say when: start, offset from the appointment's start, duration, each with its unit after it. */
const fieldsOf: Readonly<Record<string, readonly [start: string, offset: string, duration: string]>> = {
  AIS: ['4', '5', '7'],
  AIG: ['8', '9', '11'],
  AIL: ['6', '7', '9'],
  AIP: ['6', '7', '9'],
};

function leafAt(node: SourceNode | undefined, ...names: readonly string[]): SourceNode | undefined {
  const at = names.reduce<SourceNode | undefined>(
    (from, name) => (from?.value !== undefined && name === '1' ? from : from?.named(name)[0]),
    node,
  );
  return at === undefined ? undefined : textLeaf(at);
}

const ucumOf = (text: string | undefined, { conceptMaps }: ConversionContext): string | undefined =>
  text === undefined ? undefined : conceptMaps.get('duration-units')?.translate(undefined, text)?.code;

/** A length of time in seconds, with what said so. */
function seconds(node: SourceNode, field: string, context: ConversionContext): { value: number; from: SourceNode[] } | undefined {
  const [amount, unit] = [leafAt(node, field), leafAt(node, String(Number(field) + 1))];
  const each = unitSeconds[ucumOf(unit?.value, context) ?? ''];
  if (amount?.value === undefined || unit === undefined || each === undefined || !/^\d{1,6}$/.test(amount.value)) return undefined;
  return { value: Number(amount.value) * each, from: [amount, unit] };
}

/** A time that is so much later than `leaf` says, with the offset from UTC that it has. */
function later(leaf: SourceNode, length: { value: number; from: SourceNode[] }, context: ConversionContext): Converted | undefined {
  const start = compactInstant(leaf.value ?? '', context);
  const match = /^(.{19})(?:\.\d+)?(Z|[+-]\d{2}:\d{2})$/.exec(start?.value ?? '');
  if (match === null) return undefined;
  const moved = new Date(Date.parse(`${match[1] ?? ''}Z`) + length.value * 1_000).toISOString().slice(0, 19);
  return { value: `${moved}${match[2] ?? ''}`, origins: [{ path: '', from: length.from }] };
}

/** When a service, place or person of an appointment is no longer needed: its start and its duration. */
const serviceEnd: Conversion = (node, context) => {
  const [start, , duration] = fieldsOf[node.name] ?? [];
  const [leaf, length] = [leafAt(node, start ?? ''), seconds(node, duration ?? '', context)];
  return leaf === undefined || length === undefined ? undefined : later(leaf, length, context);
};

/** When it begins, where the segment says how long after the appointment's own start (SCH-11.4). */
const serviceStart: Conversion = (node, context) => {
  const [, offset] = fieldsOf[node.name] ?? [];
  const [leaf, length] = [leafAt(node.root.named('SCH')[0], '11', '4'), seconds(node, offset ?? '', context)];
  return leaf === undefined || length === undefined ? undefined : later(leaf, length, context);
};

/** A unit of time as the unit, code and system of a FHIR Duration. */
const timeUnit: Conversion = (node, context) => {
  const leaf = textLeaf(node);
  const code = ucumOf(leaf?.value, context);
  if (leaf?.value === undefined || code === undefined)
    return leaf === undefined ? undefined : { problem: 'translate.code-unmapped', at: leaf };
  const value = { unit: leaf.value, system: 'http://unitsofmeasure.org', code };
  return { value, origins: ['unit', 'code'].map((path) => ({ path, from: [leaf] })) };
};

/** RPT.9 and RPT.10: how long before or after the event, in minutes. */
const offsetMinutes: Conversion = (node, context) => {
  const length = seconds(node, '9', context);
  return length === undefined ? undefined : { value: Math.round(length.value / 60), origins: [{ path: '', from: length.from }] };
};

const encoded = (text: string): FhirValue => {
  const bytes = new TextEncoder().encode(text);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 8_192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8_192)));
  return btoa(parts.join(''));
};

/** The texts of some nodes as one attachment: UTF-8, one line each, Base64. They are carried as well, since nobody reads Base64. */
function attached(leaves: readonly SourceNode[]): Converted | undefined {
  const said = leaves.filter((leaf) => !leaf.explicitNull && leaf.value !== undefined && leaf.value !== '');
  if (said.length === 0) return undefined;
  return { value: encoded(said.map((leaf) => leaf.value ?? '').join('\n')), origins: [{ path: '', from: said, partial: true }] };
}

/** HL7 table 0191: what ED.2 calls a kind of data, as the first half of a media type. */
const mediaKinds: Readonly<Record<string, string>> = {
  AP: 'application',
  AU: 'audio',
  IM: 'image',
  NS: 'image',
  SD: 'application',
  SI: 'image',
  TX: 'text',
};

/** ED.2 and ED.3, or RP.3 and RP.4, as a media type. A subtype that has a slash is one by itself. */
const mediaType =
  (kind: string, subtype: string): Conversion =>
  (node) => {
    const [main, sub] = [leafAt(node, kind), leafAt(node, subtype)];
    if (sub?.value === undefined) return undefined;
    const from = sub.value.includes('/') || main?.value === undefined ? [sub] : [main, sub];
    const told = from.map((leaf) => leaf.value ?? '');
    const value = told.map((text) => (mediaKinds[text] ?? text).toLowerCase()).join('/');
    if (!/^[a-z]+\/[a-z0-9.+-]+$/.test(value)) return undefined;
    return { value, origins: [{ path: '', from, ...(value !== told.join('/') && { partial: true }) }] };
  };

/** Conversions of appointments, timings and documents. */
export const scheduleConversions: Readonly<Record<string, Conversion>> = {
  'service-end': serviceEnd,
  'service-start': serviceStart,
  'time-unit': timeUnit,
  'offset-minutes': offsetMinutes,
  'text-base64': (node) => attached(node.named('5').flatMap((field) => field.leaves())),
  'note-base64': (node) => attached(node.named('3').flatMap((field) => field.leaves())),
  /** PRT-23: whichever way of reaching somebody it names, it is the preferred one. */
  preferred: (node) => {
    const leaf = textLeaf(node);
    return leaf?.value === undefined ? undefined : { value: true, origins: [{ path: '', from: [leaf] }] };
  },
  mime: mediaType('2', '3'),
  'mime-pointed': mediaType('3', '4'),
};
