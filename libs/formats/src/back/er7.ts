import { PortolanError } from '@portolan/contracts';
import { escapeOriginal, escapeText, recommendedSeparators } from '../hl7v2/index.js';
import type { Cell } from './cell.js';

/** A segment to be written: the repetitions of each field, by number. */
export interface WrittenSegment {
  readonly name: string;
  readonly fields: Map<number, Cell[]>;
}

const { field, component, repetition, escape, subcomponent } = recommendedSeparators;
const levels = [component, subcomponent];

/**
 * Segments in ER7 (HL7 v2.8 §2.6), each ended by CR. Every text is escaped, so that none of its signs acts as a delimiter, ends a segment or,
 * as VT and FS do, a frame of MLLP; a text that would read as an explicit null is written by its codes.
 */
export function er7(segments: readonly WrittenSegment[]): string {
  return segments.map((segment) => `${line(segment)}\r`).join('');
}

function line({ name, fields }: WrittenSegment): string {
  // MSH-1 is the separator itself.
  const texts = upTo(fields, (cells) => cells.map((cell) => cellText(cell, 0)).join(repetition));
  return name === 'MSH'
    ? `MSH${field}${component}${repetition}${escape}${subcomponent}${field}${texts.slice(2).join(field)}`
    : [name, ...texts].join(field);
}

function cellText(cell: Cell, level: number): string {
  if (cell.text !== undefined)
    return cell.escaped ? escapeOriginal(cell.text, (text) => signs(text, true)) : signs(cell.text, cell.formatted);
  const sign = levels[level];
  if (sign === undefined) throw new PortolanError('translate.back-unwritable', 'component', 'nested deeper than a message can say');
  return upTo(cell.parts, (part) => cellText(part, level + 1)).join(sign);
}

/** Numbered things in their places from 1 on, empty ones between, none behind the last. */
function upTo<T>(things: ReadonlyMap<number, T>, write: (thing: T) => string): string[] {
  const last = Math.max(0, ...things.keys());
  const texts = Array.from({ length: last }, (_, i) => {
    const thing = things.get(i + 1);
    return thing === undefined ? '' : write(thing);
  });
  while (texts.at(-1) === '') texts.pop();
  return texts;
}

function signs(text: string, formatted: boolean): string {
  if (text === '""') return `${escape}X2222${escape}`;
  const lines = formatted ? text.split('\n') : [text];
  return lines
    .map((one) => escapeText(one, recommendedSeparators).replace(/[\u0000-\u0008\u000b-\u001f]/g, hex))
    .join(`${escape}.br${escape}`);
}

const hex = (sign: string): string => `${escape}X${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}${escape}`;
