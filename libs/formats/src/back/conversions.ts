import { textLeaf, type SourceNode } from '../engine/index.js';
import { Cell } from './cell.js';
import type { Coding, Names } from './names.js';

/** What a conversion of the way back may know. */
export interface BackContext {
  readonly names: Names;
  /** `map` and `codes` of the rule. */
  readonly map?: string | undefined;
  readonly codes: readonly string[];
  /** Which of the nodes of its rule this is, from 1, behind those that it stands in. */
  readonly counts: readonly number[];
  /** Which segment of its name in its group this is, from 1. */
  readonly number: number;
  /** When the message is made, as it stands in MSH-7. */
  readonly sent: string;
}

/** Nodes of the bundle as what is written at one place; undefined where the place stays empty. */
export type BackConversion = (nodes: readonly SourceNode[], context: BackContext) => Cell[];

const leafAt = (node: SourceNode | undefined, ...names: string[]): SourceNode | undefined => {
  let at = node;
  for (const name of names) at = at?.named(name)[0];
  return at === undefined ? undefined : textLeaf(at);
};

/** A conversion of each node by itself. */
const each =
  (convert: (node: SourceNode, context: BackContext) => Cell | undefined): BackConversion =>
  (nodes, context) =>
    nodes.flatMap((node) => convert(node, context) ?? []);

const ofText = (read: (text: string, context: BackContext) => string | undefined): BackConversion =>
  each((node, context) => {
    const leaf = textLeaf(node);
    const text = leaf?.value === undefined ? undefined : read(leaf.value, context);
    return leaf === undefined || text === undefined ? undefined : Cell.of(text, [leaf]);
  });

/** All texts as one, a blank between. */
const joined = (nodes: readonly SourceNode[]): Cell[] => {
  const leaves = nodes.flatMap((node) => textLeaf(node) ?? []);
  return leaves.length === 0 ? [] : [Cell.of(leaves.map(({ value }) => value ?? '').join(' '), leaves)];
};

/** FHIR date, dateTime, instant or time (R4 §2.24.0.1) as HL7's DTM or TM; the offset stays, `Z` is +0000. */
export function compactTime(text: string): string | undefined {
  const match = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:T(\d{2}):(\d{2}):(\d{2})(\.\d{1,4})?\d*(Z|[+-]\d{2}:\d{2}))?$/.exec(text);
  if (match !== null) {
    const [, year, month, day, hour, minute, second, fraction, offset] = match;
    return [year, month, day, hour, minute, second, fraction, offset === 'Z' ? '+0000' : offset?.replace(':', '')].join('');
  }
  const time = /^(\d{2}):(\d{2}):(\d{2}(?:\.\d{1,4})?)\d*$/.exec(text);
  return time === null ? undefined : time.slice(1).join('');
}

/** Components of CWE for each of three codes: code, words, system, version. */
const codePlaces = [
  [1, 2, 3, 7],
  [4, 5, 6, 8],
  [10, 11, 12, 13],
] as const;

/** CWE of a CodeableConcept or Coding: three codes at most; one that a concept map added stands behind the one that it was made of. */
function cwe(node: SourceNode, { names, codes }: BackContext): Cell {
  const cell = new Cell();
  const codings = node.named('coding');
  const ordered = originalsFirst(codings.length === 0 && node.named('code').length > 0 ? [node] : codings, names, codes);
  for (const [i, places] of codePlaces.entries()) {
    const coding = ordered[i];
    if (coding !== undefined) putCoding(cell, places, coding, namedCoding(coding, names, codes));
  }
  const text = leafAt(node, 'text');
  if (text?.value !== undefined) cell.put([9], Cell.of(text.value, [text]));
  return cell.empty ? inWords(ordered[0]) : cell;
}

/** A code that has neither words nor a system of a name: somebody reads it. */
function inWords(coding: SourceNode | undefined): Cell {
  const [code, system] = ['code', 'system'].map((name) => leafAt(coding, name));
  const cell = new Cell();
  if (code?.value !== undefined && system?.value !== undefined) cell.put([9], Cell.of(`${code.value} (${system.value})`, [code, system]));
  return cell;
}

function putCoding(
  cell: Cell,
  [code, display, system, version]: readonly [number, number, number, number],
  coding: SourceNode,
  named: Coding,
): void {
  const put = (place: number, name: string, read: (text: string) => string | undefined): void => {
    const leaf = leafAt(coding, name);
    const text = leaf?.value === undefined ? undefined : read(leaf.value);
    if (leaf !== undefined && text !== undefined) cell.put([place], Cell.of(text, [leaf]));
  };
  put(code, 'code', () => named.code);
  put(display, 'display', (text) => text);
  put(system, 'system', () => named.system);
  if (named.code !== undefined) put(version, 'version', (text) => text);
}

/** A code of a system that has no name in a message would stand there as a code of nobody, perhaps of the reader: its words alone do. */
function namedCoding(coding: SourceNode, names: Names, maps: readonly string[]): Coding {
  const { code, system } = codingOf(coding);
  if (system === undefined) return { code };
  const name = names.systemName(system);
  if (name !== undefined) return { code, system: name };
  const original = names.originalOf({ code, system }, maps);
  return original?.system === undefined ? {} : { code: original.code, system: names.systemName(original.system) };
}

const codingOf = (node: SourceNode): Coding => ({ system: leafAt(node, 'system')?.value, code: leafAt(node, 'code')?.value });

function originalsFirst(codings: readonly SourceNode[], names: Names, maps: readonly string[]): SourceNode[] {
  const made = codings.filter((one) => codings.some((other) => other !== one && names.isCounterpart(codingOf(one), codingOf(other), maps)));
  // One of a system that has no name in a message would stand there as a code of nobody: the reader makes it again of the original.
  const named = made.filter((one) => names.systemName(codingOf(one).system ?? '') !== undefined);
  return [...codings.filter((one) => !made.includes(one)), ...named];
}

/** CWE of the unit of a Quantity: its code in UCUM and the unit as it is written, or the unit alone. */
function unit(node: SourceNode): Cell | undefined {
  const [code, shown, system] = ['code', 'unit', 'system'].map((name) => leafAt(node, name));
  const cell = new Cell();
  if (system?.value === 'http://unitsofmeasure.org' && code?.value !== undefined) {
    cell.put([1], Cell.of(code.value, [code]));
    if (shown?.value !== undefined) cell.put([2], Cell.of(shown.value, [shown]));
    cell.put([3], Cell.of('UCUM', [system]));
  } else if (shown?.value !== undefined) cell.put([1], Cell.of(shown.value, [shown]));
  return cell.empty ? undefined : cell;
}

/** SN of a Quantity with comparator, a Range or a Ratio. */
function structured(node: SourceNode): Cell | undefined {
  const cell = new Cell();
  const put = (place: number, leaf: SourceNode | undefined): void => {
    if (leaf?.value !== undefined) cell.put([place], Cell.of(leaf.value, [leaf]));
  };
  const first = node.named('numerator')[0] ?? node.named('low')[0] ?? node;
  const second = node.named('denominator')[0] ?? node.named('high')[0];
  put(1, leafAt(first, 'comparator'));
  put(2, leafAt(first, 'value'));
  if (second !== undefined) cell.put([3], Cell.of(second.name === 'high' ? '-' : ':', []));
  put(4, leafAt(second, 'value'));
  return cell.empty ? undefined : cell;
}

/** OBX-7: the range as the source wrote it, else from its limits. */
function referenceRange(node: SourceNode): Cell | undefined {
  const [text, low, high] = [leafAt(node, 'text'), leafAt(node, 'low', 'value'), leafAt(node, 'high', 'value')];
  const used = [text, low, high].filter((one) => one !== undefined);
  if (text?.value !== undefined) return Cell.of(text.value, used);
  if (low?.value !== undefined) return Cell.of(high?.value === undefined ? `>=${low.value}` : `${low.value}-${high.value}`, used);
  return high?.value === undefined ? undefined : Cell.of(`<=${high.value}`, used);
}

/** Components of PL from the inside out, by what kind of place the Location is (location-physical-type). */
const placesByKind: Readonly<Record<string, readonly number[]>> = {
  bd: [3, 2, 1, 4],
  ro: [2, 1, 4],
  lvl: [8, 7, 4],
  bu: [7, 4],
  si: [4],
};

/** PL of a Location, its name taken apart as the way in has joined it. */
function location(node: SourceNode): Cell | undefined {
  const name = leafAt(node, 'name');
  if (name?.value === undefined) return undefined;
  const places = placesByKind[leafAt(node, 'physicalType', 'coding', 'code')?.value ?? ''] ?? [1, 4];
  const words = name.value.split(', ');
  const cell = new Cell();
  for (const [i, place] of places.entries()) {
    const outermost = i === places.length - 1;
    const word = outermost ? words.splice(0).join(', ') : words.pop();
    if (word !== undefined && word !== '') cell.put([place], Cell.of(word, [name]));
  }
  return cell;
}

function universal(uri: string): { readonly id: string; readonly type: string } {
  if (uri.startsWith('urn:oid:')) return { id: uri.slice(8), type: 'ISO' };
  if (uri.startsWith('urn:uuid:')) return { id: uri.slice(9), type: 'UUID' };
  return { id: uri, type: 'URI' };
}

/** Conversions of the way back, by the name that a map's `as` has. */
export const backConversions: Readonly<Record<string, BackConversion>> = {
  text: ofText((text) => text),
  formatted: each((node) => {
    const leaf = textLeaf(node);
    return leaf?.value === undefined ? undefined : Cell.of(leaf.value.replace(/\r\n?/g, '\n'), [leaf], true);
  }),
  code: ofText((text, { names, map }) => (map === undefined ? text : names.codeFor(map, text))),
  time: ofText(compactTime),
  count: (nodes, { counts }) => nodes.slice(0, 1).map(() => Cell.of(String(counts.at(-1) ?? 1), [])),
  number: (nodes, { number }) => nodes.slice(0, 1).map(() => Cell.of(String(number), [])),
  'count-within': (nodes, { counts }) => nodes.slice(0, 1).map(() => Cell.of(counts.slice(-2).join('.'), [])),
  sent: (nodes, { sent }) => nodes.slice(0, 1).map(() => Cell.of(sent, [])),
  all: joined,
  further: (nodes) => joined(nodes.slice(1)),
  'yes-no': ofText((text) => (text === 'true' ? 'Y' : 'N')),
  CWE: each(cwe),
  unit: each(unit),
  structured: each(structured),
  'reference-range': each(referenceRange),
  PL: each(location),
  'coding-system': ofText((uri, { names }) => names.systemName(uri)),
  'authority-name': ofText((uri, { names }) => names.authorityName(uri)),
  'universal-id': ofText((uri, { names }) => (names.authorityName(uri) === undefined ? universal(uri).id : undefined)),
  'universal-type': ofText((uri, { names }) => (names.authorityName(uri) === undefined ? universal(uri).type : undefined)),
};
