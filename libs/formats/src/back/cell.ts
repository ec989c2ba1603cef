import type { SourceNode } from '../engine/index.js';

/** What is written at one place of a message: a text, or what stands below it by component number. */
export class Cell {
  text: string | undefined;
  /** Line breaks are written as HL7's formatting command `\.br\`. */
  formatted = false;
  /** The text holds sequences of HL7 v2 that act (the `original` of an unescaped text). */
  escaped = false;
  readonly parts = new Map<number, Cell>();
  /** The leaves of the bundle that stand here or below. */
  readonly used: SourceNode[] = [];

  static of(text: string, used: readonly SourceNode[], formatted = false): Cell {
    const cell = new Cell();
    cell.text = text;
    cell.formatted = formatted;
    cell.used.push(...used);
    return cell;
  }

  get empty(): boolean {
    return (this.text === undefined || this.text === '') && [...this.parts.values()].every((part) => part.empty);
  }

  /** The cell at `numbers` below this one, or this one itself. */
  at([number, ...rest]: readonly number[]): Cell | undefined {
    return number === undefined ? this : this.parts.get(number)?.at(rest);
  }

  /** Puts `cell` below this one, at `numbers`; what stands there first stays. Whether it was put. */
  put(numbers: readonly number[], cell: Cell): boolean {
    const [number, ...rest] = numbers;
    if (number === undefined || cell.empty || this.text !== undefined) return false;
    const there = this.parts.get(number);
    const put = rest.length === 0 ? there === undefined : (there ?? new Cell()).put(rest, cell);
    if (!put) return false;
    if (rest.length === 0) this.parts.set(number, cell);
    else if (there === undefined) {
      const between = new Cell();
      between.put(rest, cell);
      this.parts.set(number, between);
    }
    this.used.push(...cell.used);
    return true;
  }
}

/** The numbers of a place such as `3.1`. */
export const numbersOf = (place: string): number[] => place.split('.').map(Number);
