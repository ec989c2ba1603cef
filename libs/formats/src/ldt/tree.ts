import { PortolanError } from '@portolan/contracts';
import { SourceNode } from '../engine/index.js';
import type { LdtLine } from './lines.js';
import { ldtMaps } from './maps/index.js';
import { nestedFields } from './nesting.js';

/** Deepest nesting of sets, objects and fields. */
const MAX_DEPTH = 40;

/** Something that is open while lines are read: a set (`8205`), an object (`Obj_0060`) or a field that may have fields below it. */
interface Open {
  readonly kind: 'file' | 'set' | 'object' | 'field';
  readonly name: string;
  readonly content?: string;
  readonly children: Open[];
}

/**
 * Fields in their sets (8000 … 8001), objects (8002 … 8003, below the field that announces them) and fields:
 * `ldt/8205/8135/Obj_0035/8160/Obj_0060/8410`. Throws `ingest.malformed` where something does not close.
 */
export function ldtTree(lines: readonly LdtLine[]): SourceNode {
  const file: Open = { kind: 'file', name: 'ldt', children: [] };
  const stack: Open[] = [file];
  for (const line of lines) step(stack, line);
  if (stack.length !== 1) throw malformed('the end', 'a set or an object is not closed');
  return nodeOf(file, 'ldt');
}

const malformed = (where: string, detail: string): PortolanError => new PortolanError('ingest.malformed', where, detail);

function step(stack: Open[], line: LdtLine): void {
  const where = `line ${line.number}`;
  if (stack.length > MAX_DEPTH) throw malformed(where, `nested deeper than ${MAX_DEPTH}`);
  if (line.field === '8000') {
    if (stack.length !== 1) throw malformed(where, 'a set begins in another');
    open(stack, { kind: 'set', name: nameOf(line, /^\d{4}$/), children: [] });
  } else if (line.field === '8001') close(stack, 'set', line);
  else if (line.field === '8002') open(stack, { kind: 'object', name: nameOf(line, /^Obj_\d{4}$/), children: [] });
  else if (line.field === '8003') close(stack, 'object', line);
  else field(stack, line);
}

function nameOf(line: LdtLine, form: RegExp): string {
  if (!form.test(line.content)) throw malformed(`line ${line.number}`, 'a set or an object without its name');
  return line.content;
}

function open(stack: Open[], item: Open): void {
  stack.at(-1)?.children.push(item);
  stack.push(item);
}

function close(stack: Open[], kind: 'set' | 'object', line: LdtLine): void {
  endFields(stack);
  const top = stack.pop();
  if (top?.kind !== kind || top.name !== line.content) throw malformed(`line ${line.number}`, 'what ends is not what is open');
}

/** Fields that the nesting or a rule names. */
const named: ReadonlySet<string> = new Set(JSON.stringify([ldtMaps, nestedFields]).match(/\b\d{4}\b/g));

/** Fields below others that stand in an object by themselves, too. */
const standsAlone: ReadonlySet<string> = new Set(['8147', '8167']);

function endFields(stack: Open[]): void {
  while (stack.at(-1)?.kind === 'field') stack.pop();
}

function field(stack: Open[], line: LdtLine): void {
  if (stack.length === 1) throw malformed(`line ${line.number}`, 'a field outside a set');
  if (named.has(line.field)) knownField(stack, line);
  else unknownField(stack, line);
}

function knownField(stack: Open[], line: LdtLine): void {
  const wasUnknown = isUnknown(stack.at(-1));
  if (wasUnknown) stack.pop();
  if (wasUnknown && standsAlone.has(line.field)) endFields(stack);
  for (let top = stack.at(-1); top?.kind === 'field' && !mayStandBelow(top, line.field); top = stack.at(-1)) stack.pop();
  open(stack, { kind: 'field', name: line.field, content: line.content, children: [] });
}

const isUnknown = (top: Open | undefined): boolean => top?.kind === 'field' && !named.has(top.name);

/** A field of a newer version, or of one laboratory: it stands in the object, and the field between whose children it stands goes on behind it. */
function unknownField(stack: Open[], { field: name, content }: LdtLine): void {
  if (isUnknown(stack.at(-1))) stack.pop();
  const item: Open = { kind: 'field', name, content, children: [] };
  stack.findLast(({ kind }) => kind !== 'field')?.children.push(item);
  stack.push(item);
}

const mayStandBelow = (top: Open, id: string): boolean =>
  Object.hasOwn(nestedFields, top.name) && (nestedFields[top.name]?.includes(id) ?? false);

function nodeOf(item: Open, path: string): SourceNode {
  const counts = new Map<string, number>();
  const children = item.children.map((one) => {
    const count = (counts.get(one.name) ?? 0) + 1;
    counts.set(one.name, count);
    return nodeOf(one, `${path}/${one.name}${count === 1 ? '' : `[${count}]`}`);
  });
  if (item.content === undefined) return SourceNode.branch(item.name, path, children);
  if (children.length === 0) return SourceNode.leaf(item.name, path, item.content);
  return SourceNode.branch(item.name, path, [SourceNode.leaf('#text', `${path}/#text`, item.content), ...children]);
}
