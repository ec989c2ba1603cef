import { readDecimal } from '../engine/conversions.js';
import { textLeaf, type Conversion, type ConversionContext, type SourceNode } from '../engine/index.js';

const valueOf = (node: SourceNode, name: string): SourceNode | undefined => {
  const leaf = node.named(name)[0];
  return leaf?.value === undefined || leaf.value.trim() === '' ? undefined : leaf;
};

/** The URI of a reference table or scheme by its KMEHR name (`S`): the country's first, then the well-known, else ours. */
function systemOf(name: string, map: string, context: ConversionContext): string {
  return (
    context.codingSystems.get(name) ??
    context.assigningAuthorities.get(name) ??
    context.conceptMaps.get(map)?.translate(undefined, name)?.code ??
    `urn:portolan:kmehr:${encodeURIComponent(name.toLowerCase())}`
  );
}

/** Name of a reference table as the system of a coding. */
const system: Conversion = (node, context) => {
  const leaf = textLeaf(node);
  const name = leaf?.value?.trim() ?? '';
  if (leaf === undefined || name === '') return undefined;
  return { value: systemOf(name, 'kmehr-code-systems', context), origins: [{ path: '', from: [leaf] }] };
};

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

/** Conversions that only KMEHR needs. */
export const kmehrConversions: Readonly<Record<string, Conversion>> = {
  'kmehr-system': system,
  'kmehr-identifier': identifier,
  'mapped-decimal': mappedDecimal,
};
