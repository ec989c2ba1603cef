import { hasValue } from '../../engine/condition.js';
import type { SourceNode } from '../../engine/index.js';
import { firstWithValue } from '../compile.js';
import type { FhirTree } from '../fhir-tree.js';
import type { CompiledDocumentMap, CompiledElement } from './compile.js';
import type { DocumentContext, Written } from './conversions.js';
import { XmlElement } from './xml.js';

/** Most elements of one document; the way in reads about as many of a document of its size. */
const MAX_ELEMENTS = 100_000;

/** What a map writes of a bundle. */
export interface WrittenDocument {
  readonly root: XmlElement;
  /** Leaves of the bundle that stand in the document: by which rule, and where. */
  readonly used: ReadonlyMap<SourceNode, { readonly rule: string; readonly to: string }>;
  /** The first rule that demands something of which there is nothing. */
  readonly lacking: string | undefined;
  readonly tooLong: boolean;
}

interface Job {
  readonly tree: FhirTree;
  readonly types: CompiledDocumentMap['types'];
  readonly context: DocumentContext;
  readonly used: Map<SourceNode, { rule: string; to: string }>;
  /** Rule → the nodes that it has written. */
  readonly written: Map<string, Set<SourceNode>>;
  lacking: string | undefined;
  count: number;
}

/** Runs a map over a bundle; `name` is the root element's. */
export function writeDocument(map: CompiledDocumentMap, name: string, tree: FhirTree, context: DocumentContext): WrittenDocument {
  const root = new XmlElement(name);
  const job: Job = { tree, types: map.types, context, used: new Map(), written: new Map(), lacking: undefined, count: 0 };
  writeAll(map.elements, root, tree.root, job);
  return { root, used: job.used, lacking: job.lacking, tooLong: job.count >= MAX_ELEMENTS };
}

function writeAll(rules: readonly CompiledElement[], parent: XmlElement, node: SourceNode, job: Job): void {
  for (const rule of rules) writeRule(rule, parent, node, job);
}

function writeRule(compiled: CompiledElement, parent: XmlElement, from: SourceNode, job: Job): void {
  const { rule, when, path, id } = compiled;
  if (when?.(from) === false || job.count >= MAX_ELEMENTS || (rule.unlessThere && holds(parent, path))) return;
  const made = nodesFor(compiled, from, job).filter((node) => writeNode(compiled, parent, node, job));
  noteWritten(id, made, job);
  if (made.length === 0) writeNothing(compiled, parent, job);
}

/** Where a rule has made nothing: the element with its null flavour, or no document. */
function writeNothing({ rule, place, path, id }: CompiledElement, parent: XmlElement, job: Job): void {
  if (rule.required) job.lacking ??= id;
  if (rule.nullFlavor === undefined || place !== undefined) return;
  placeFor(parent, path).put('@nullFlavor', { text: rule.nullFlavor, used: [], made: true });
}

function noteWritten(id: string, made: readonly SourceNode[], { written }: Job): void {
  const there = written.get(id) ?? new Set();
  for (const node of made) there.add(node);
  written.set(id, there);
}

function holds(parent: XmlElement, path: readonly string[]): boolean {
  let at: XmlElement | undefined = parent;
  for (const name of path) at = at?.children.find((child) => child.name === name);
  return at !== undefined;
}

/** The element that the path names: those on the way are shared, the last is new. */
function placeFor(parent: XmlElement, path: readonly string[]): XmlElement {
  let at = parent;
  for (const name of path.slice(0, -1)) at = at.lastOr(name);
  const last = path.at(-1);
  return last === undefined ? at : at.add(last);
}

function nodesFor({ from, rule, where }: CompiledElement, node: SourceNode, job: Job): readonly SourceNode[] {
  const others = (rule.not ?? []).map((id) => job.written.get(id));
  const found = from.length === 0 ? [node] : foundAt(from, rule.all === true, node, job);
  const nodes = found.filter((one) => !others.some((written) => written?.has(one)) && where?.(one) !== false);
  return rule.first ? nodes.slice(0, 1) : nodes;
}

function foundAt(paths: CompiledElement['from'], all: boolean, node: SourceNode, { tree }: Job): readonly SourceNode[] {
  if (all) return [...new Set(paths.flatMap((path) => path(node, tree)))].filter(hasValue);
  return firstWithValue(paths, node, tree);
}

/** Writes what a rule makes of one node; whether it has made something. */
function writeNode(compiled: CompiledElement, parent: XmlElement, node: SourceNode, job: Job): boolean {
  if (compiled.place !== undefined) return writeText(compiled, parent, node, job);
  const { path, rule } = compiled;
  const element = placeFor(parent, path);
  job.count += 1;
  if (rule.kept) element.kept = true;
  fill(compiled, element, node, job);
  if (path.length === 0 || element.kept || element.worthIt) return true;
  prune(element, parent);
  return false;
}

function prune(element: XmlElement, top: XmlElement): void {
  for (let at = element; at !== top && at.parent !== undefined; at = at.parent) {
    if (at.kept || at.worthIt || (at !== element && at.children.length > 0)) return;
    at.parent.remove(at);
  }
}

function fill({ type, convert, elements, id }: CompiledElement, element: XmlElement, node: SourceNode, job: Job): void {
  if (type !== undefined) writeAll(job.types.get(type) ?? [], element, node, job);
  else if (convert !== undefined) for (const one of convert(node, job.context)) putWritten(element, one, id, job);
  writeAll(elements, element, node, job);
}

/** Puts what a conversion made: at `@code`, `#text`, or in an element below, `translation/@code`, made anew where `new` says so. */
function putWritten(element: XmlElement, { to, text, used, fresh }: Written, rule: string, job: Job): void {
  const steps = to.split('/');
  const place = steps.pop() ?? '#text';
  const at = steps.reduce((above, name, i) => (fresh && i === steps.length - 1 ? above.add(name) : above.lastOr(name)), element);
  if (place === '@nullFlavor') at.kept = true;
  if (at.put(place, { text, used, made: false })) note(job, used, rule, at, place);
}

function writeText(compiled: CompiledElement, parent: XmlElement, node: SourceNode, job: Job): boolean {
  const { rule, path, place = '#text', id } = compiled;
  const written = textFor(compiled, node, job.context);
  if (written === undefined) return false;
  let at = parent;
  for (const name of path) at = at.lastOr(name);
  const put = at.put(place, { text: written.text, used: written.used, made: rule.constant !== undefined });
  if (put) note(job, written.used, id, at, place);
  return put;
}

function textFor({ rule, convert }: CompiledElement, node: SourceNode, context: DocumentContext): Omit<Written, 'to'> | undefined {
  return rule.constant === undefined ? convert?.(node, { ...context, rule })[0] : { text: rule.constant, used: [] };
}

function note(job: Job, used: readonly SourceNode[], rule: string, at: XmlElement, place: string): void {
  for (const leaf of used) if (!job.used.has(leaf)) job.used.set(leaf, { rule, to: `${at.name}/${place}` });
}
