import { readDecimal, textConversion } from '../engine/conversions.js';
import { isoDateTime } from '../engine/times.js';
import { textLeaf, type Conversion, type ConversionContext, type SourceNode } from '../engine/index.js';

const valueOf = (node: SourceNode, name: string): SourceNode | undefined => {
  const leaf = node.named(name)[0];
  return leaf?.value === undefined || leaf.value.trim() === '' ? undefined : leaf;
};

const textOf = (node: SourceNode, name: string): SourceNode | undefined => node.named(name).map(textLeaf)[0];

/** The URI of a reference table or scheme by its KMEHR name (`S`): the country's first, then the well-known, else ours. */
function systemOf(name: string, map: string, context: ConversionContext): string {
  return (
    context.codingSystems.get(name) ??
    context.assigningAuthorities.get(name) ??
    context.conceptMaps.get(map)?.translate(undefined, name)?.code ??
    `urn:portolan:kmehr:${encodeURIComponent(name.toLowerCase())}`
  );
}

/** Name of a reference table as the system of a coding; a local one is that which `SL` beside it names: two tables are never one. */
const system: Conversion = (node, context) => {
  const leaf = textLeaf(node);
  if (leaf === undefined) return undefined;
  const local = leaf.value === 'LOCAL' ? tableOf(node) : undefined;
  const name = (local ?? leaf).value?.trim() ?? '';
  const from = local === undefined ? [leaf] : [leaf, local];
  return name === '' ? undefined : { value: systemOf(name, 'kmehr-code-systems', context), origins: [{ path: '', from }] };
};

const tableOf = ({ parent }: SourceNode): SourceNode | undefined => (parent === undefined ? undefined : valueOf(parent, '@SL'));

/** `<id S="…">` as FHIR Identifier; a local one is of the system that `SL` names. */
const identifier: Conversion = (node, context) => {
  const [scheme, local, text] = [valueOf(node, '@S'), valueOf(node, '@SL'), valueOf(node, '#text')];
  if (scheme?.value === undefined || text?.value === undefined) return undefined;
  const name = scheme.value === 'LOCAL' && local?.value !== undefined ? local.value : scheme.value;
  return {
    value: { system: systemOf(name, 'kmehr-id-systems', context), value: text.value.trim() },
    origins: [
      { path: 'system', from: [scheme, ...(local === undefined ? [] : [local])] },
      { path: 'value', from: [text] },
    ],
  };
};

/** A text as the number that the rule's concept map gives it. */
const mappedDecimal: Conversion = (node, context) => {
  const leaf = textLeaf(node);
  if (leaf?.value === undefined || context.rule.map === undefined) return undefined;
  const code = context.conceptMaps.get(context.rule.map)?.translate(undefined, leaf.value.trim())?.code;
  const value = code === undefined ? undefined : readDecimal(code);
  return value === undefined ? { problem: 'translate.code-unmapped', at: leaf } : { value, origins: [{ path: '', from: [leaf] }] };
};

/**
 * The moment of a transaction, of its `date` and `time` (KMEHR `dateType`, `timeType`), or an `xs:dateTime` in one text, as FHIR dateTime. The time
 * of day says no offset of its own in most messages: then it stands only where the country's zone is to be taken.
 */
const moment: Conversion = (node, context) => {
  const [date, time] = [textOf(node, 'date'), textOf(node, 'time')];
  const from = [date ?? textLeaf(node), time].filter((leaf) => leaf !== undefined);
  const [first] = from;
  if (first?.value === undefined) return undefined;
  const reading = isoDateTime(from.map((leaf) => leaf.value?.trim()).join('T'), context);
  if (reading === undefined) return { problem: 'translate.value-invalid', at: first };
  if (reading.note !== undefined) context.note(reading.note, time ?? first);
  return {
    value: reading.value,
    origins: [reading.partial && time !== undefined ? { path: '', from: [first] } : { path: '', from, partial: reading.partial }],
  };
};

/** `daynumber` of a regimen: the n-th day, for which FHIR R4's Timing has no element; said as an instruction. */
const regimenDay = textConversion((text) => (/^\d{1,4}$/.test(text.trim()) ? `Day ${text.trim()}` : undefined));

/** Conversions that only KMEHR needs. */
export const kmehrConversions: Readonly<Record<string, Conversion>> = {
  'kmehr-system': system,
  'kmehr-identifier': identifier,
  'kmehr-moment': moment,
  'kmehr-regimen-day': regimenDay,
  'mapped-decimal': mappedDecimal,
};
