import { SourceNode } from '../engine/index.js';
import { decodeEscaped } from '../bytes/charset.js';
import { unescaped } from './escapes.js';
import { rawField, type Hl7Message, type Hl7Segment } from './message.js';

/** Most repetitions of one field that are read apart; what follows stays one value and is carried. */
const maxRepetitions = 2_000;

/**
 * The segments of a message as nodes: segment → field → component → subcomponent, empty ones left out. Paths read like the
 * standard: `PID-5.1`, `OBX[3]-5[2].1.2`; a first segment or repetition bears no number.
 */
export function segmentNodes(message: Hl7Message): SourceNode[] {
  const seen = new Map<string, number>();
  return message.segments.flatMap((segment, i) => {
    if (!isSegment(segment)) return lineNode(message, segment, i);
    const count = (seen.get(segment.name) ?? 0) + 1;
    seen.set(segment.name, count);
    const path = count === 1 ? segment.name : `${segment.name}[${count}]`;
    return [SourceNode.branch(segment.name, path, fieldNodes(message, segment, path))];
  });
}

/** Whether a line is a segment by its name: a letter and two letters or digits. */
export function isSegment(segment: Hl7Segment): boolean {
  return /^[A-Z][A-Z0-9]{2}$/.test(segment.name);
}

/** A line that is no segment keeps its text whole; it is carried. */
function lineNode(message: Hl7Message, segment: Hl7Segment, at: number): SourceNode[] {
  const text = segment.parts.join(message.separators.field);
  return text.trim() === '' ? [] : [SourceNode.leaf('line', `line[${at + 1}]`, text)];
}

function fieldNodes(message: Hl7Message, segment: Hl7Segment, path: string): SourceNode[] {
  const { separators } = message;
  const count = segment.name === 'MSH' ? segment.parts.length : segment.parts.length - 1;
  const nodes: SourceNode[] = [];
  for (let number = 1; number <= count; number += 1) {
    const raw = rawField(segment, number, separators);
    if (raw === '') continue;
    const name = String(number);
    if (segment.name === 'MSH' && number <= 2) nodes.push(SourceNode.leaf(name, `${path}-${name}`, raw));
    else for (const node of repetitionNodes(message, raw, name, `${path}-${name}`)) nodes.push(node);
  }
  return nodes;
}

function repetitionNodes(message: Hl7Message, raw: string, name: string, path: string): SourceNode[] {
  const { repetition } = message.separators;
  if (!raw.includes(repetition)) return partNode(message, raw, name, path, 0);
  const parts = raw.split(repetition);
  const texts = parts.length <= maxRepetitions ? parts : [...parts.slice(0, maxRepetitions), parts.slice(maxRepetitions).join(repetition)];
  return texts.flatMap((text, i) => partNode(message, text, name, i === 0 ? path : `${path}[${i + 1}]`, 0));
}

/** What is told apart at a level: components, subcomponents, nothing more. */
type Level = 0 | 1 | 2;

function partNode(message: Hl7Message, raw: string, name: string, path: string, level: Level): SourceNode[] {
  if (raw === '') return [];
  if (!isSplit(message, raw, level)) return [leafNode(message, raw, name, path)];
  const { component, subcomponent } = message.separators;
  const [separator, below] = level === 0 ? ([component, 1] as const) : ([subcomponent, 2] as const);
  const children: SourceNode[] = [];
  for (const [i, part] of raw.split(separator).entries()) {
    const number = String(i + 1);
    for (const node of partNode(message, part, number, `${path}.${number}`, below)) children.push(node);
  }
  return children.length === 0 ? [] : [SourceNode.branch(name, path, children)];
}

function isSplit({ separators: { component, subcomponent } }: Hl7Message, raw: string, level: Level): boolean {
  return level < 2 && (raw.includes(subcomponent) || (level === 0 && raw.includes(component)));
}

function leafNode(message: Hl7Message, raw: string, name: string, path: string): SourceNode {
  if (raw === '""') return SourceNode.leaf(name, path, raw, true);
  if (!raw.includes(message.separators.escape)) return SourceNode.leaf(name, path, raw);
  const { text, original } = unescaped(raw, message.separators, (bytes) => decodeEscaped(bytes, message.charset));
  return SourceNode.leaf(name, path, text, false, original);
}
