import { PortolanError, type ErrorCode } from '@portolan/contracts';
import { ByteSink } from './byte-sink.js';
import { withoutMark } from '../bytes/charset.js';
import { joined } from '../bytes/joined.js';
import { narrowed, WideText, wideOrder } from '../bytes/wide-text.js';

/** Largest batch file that is read: how many messages, and how long each may be. */
export interface BatchLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** One message of a batch file, or something that is wrong with the file at one place; the messages beside it stand by themselves. */
export type BatchItem =
  | { readonly kind: 'message'; readonly place: string; readonly bytes: Uint8Array }
  | { readonly kind: 'problem'; readonly place: string; readonly code: ErrorCode };

const [carriageReturn, lineFeed] = [0x0d, 0x0a];
const frames = ['FHS', 'BHS', 'MSH', 'BTS', 'FTS'] as const;
type Frame = (typeof frames)[number];
/** Nearly every line of a file is none of these, and is told so by its first byte. */
const initials: ReadonlySet<number> = new Set(frames.map((frame) => frame.charCodeAt(0)));

/** Which segment of the batch protocol (HL7 v2 §2.10.3), or the head of a message, a line is. */
function frameOf(line: Uint8Array): Frame | undefined {
  if (!initials.has(line[0] ?? 0)) return undefined;
  const name = String.fromCharCode(...line.subarray(0, 3));
  const separator = String.fromCharCode(line[3] ?? carriageReturn);
  return /[A-Za-z0-9]/.test(separator) ? undefined : frames.find((frame) => frame === name);
}

/**
 * Takes a file of many messages apart as its bytes come: FHS, BHS, messages, BTS, FTS, each of the four optional. Memory is bounded by one
 * message. A message that is too long is told and left out, and so is what stands between messages; its neighbours are read as if it were not
 * there. Whoever reads a message reads it as one that came alone.
 */
export class BatchReader {
  private rest = new Uint8Array();
  /** The message that is open; a line of it is no object of its own, of which a long message could have millions. */
  private readonly message = new ByteSink();
  private isOpen = false;
  private size = 0;
  private messages = 0;
  private inBatch = 0;
  private batches = 0;
  private readonly open = new Set<'FHS' | 'BHS'>();
  private begun = false;
  /** Whether the beginning of the line that is read was already taken. */
  private within = false;
  private items: BatchItem[] = [];
  private readonly wide = new WideText();

  constructor(private readonly limits: BatchLimits) {}

  /** What is complete with this chunk. Throws PortolanError `ingest.batch-too-long` where the file has more messages than are taken, `ingest.encoding-invalid`. */
  push(chunk: Uint8Array): BatchItem[] {
    return this.read(this.wide.narrow(chunk));
  }

  private read(chunk: Uint8Array): BatchItem[] {
    const data = this.rest.length === 0 ? chunk : joined([this.rest, chunk]);
    let at = 0;
    const ends = new LineEnds(data);
    for (let end = ends.from(at); end >= 0; end = ends.from(at)) {
      // An empty line is nothing, and costs nothing: a file may be made of them.
      if (end > at || this.within) this.line(data.subarray(at, end + 1));
      at = end + 1;
    }
    this.rest = data.slice(at);
    // A line longer than a message may be: its beginning says what it is, and nothing more of it is kept.
    if (this.rest.length > this.limits.maxBytes) this.part(this.take());
    return this.told();
  }

  /** What the end of the file completes. */
  end(): BatchItem[] {
    const items = this.read(this.wide.rest());
    if (this.rest.length > 0) this.line(this.take());
    this.flush();
    for (const frame of this.open) this.tell('ingest.batch-incomplete', frame);
    return [...items, ...this.told()];
  }

  private take(): Uint8Array {
    const { rest } = this;
    this.rest = new Uint8Array();
    return rest;
  }

  private told(): BatchItem[] {
    const { items } = this;
    this.items = [];
    return items;
  }

  private tell(code: ErrorCode, place: string): void {
    this.items.push({ kind: 'problem', code, place });
  }

  private part(beginning: Uint8Array): void {
    if (this.within) this.add(beginning);
    else this.line(beginning);
    this.within = true;
  }

  private line(raw: Uint8Array): void {
    if (this.within) {
      this.within = false;
      this.add(raw);
      return;
    }
    const line = this.begun ? raw : withoutMark(raw);
    this.begun = true;
    const frame = frameOf(line);
    if (frame === undefined) this.add(line);
    else this.frame(frame, line);
  }

  private frame(frame: Frame, line: Uint8Array): void {
    this.flush();
    switch (frame) {
      case 'FHS':
      case 'BHS':
        this.open.add(frame);
        if (frame === 'BHS') this.inBatch = 0;
        return;
      case 'MSH':
        this.begin(line);
        return;
      case 'BTS':
        this.open.delete('BHS');
        this.batches += 1;
        this.compare(line, this.inBatch, 'BTS');
        return;
      case 'FTS':
        this.open.delete('FHS');
        this.compare(line, this.batches, 'FTS');
    }
  }

  private begin(line: Uint8Array): void {
    if (this.messages >= this.limits.maxMessages)
      throw new PortolanError('ingest.batch-too-long', `message[${this.messages + 1}]`, `more than ${this.limits.maxMessages} messages`);
    this.messages += 1;
    this.inBatch += 1;
    this.isOpen = true;
    this.add(line);
  }

  /** A line of the message that is open. Between messages nothing but empty lines may stand. */
  private add(line: Uint8Array): void {
    if (line.every((byte) => byte === carriageReturn || byte === lineFeed || byte === 0x20)) return;
    if (!this.isOpen) {
      if (this.messages === 0 || this.size <= this.limits.maxBytes) this.tell('ingest.malformed', `after message[${this.messages}]`);
      return;
    }
    this.size += line.length;
    if (this.size <= this.limits.maxBytes) this.message.add(line);
    else {
      this.isOpen = false;
      this.message.take();
      this.tell('ingest.too-large', `message[${this.messages}]`);
    }
  }

  private flush(): void {
    if (this.isOpen)
      this.items.push({ kind: 'message', place: `message[${this.messages}]`, bytes: this.wide.restore(this.message.take()) });
    this.isOpen = false;
    this.size = 0;
  }

  /** BTS-1 and FTS-1 say how many there should have been; they may be empty. */
  private compare(line: Uint8Array, count: number, name: 'BTS' | 'FTS'): void {
    const [, said = ''] = String.fromCharCode(...line.subarray(0, 64)).split(String.fromCharCode(line[3] ?? 0));
    const number = /^\s*(\d{1,9})\s*$/.exec(said)?.[1];
    if (number !== undefined && Number(number) !== count) this.tell('ingest.batch-incomplete', `${name}-1`);
  }
}

/**
 * The ends of lines, one after the other. What was found of a sign is kept until it is passed: a file of carriage returns alone is not searched
 * to its end for a line feed at each line.
 */
class LineEnds {
  private cr = -2;
  private lf = -2;

  constructor(private readonly data: Uint8Array) {}

  /** The first at or behind `at`, which never goes back; -1 where there is none. */
  from(at: number): number {
    if (this.cr !== -1 && this.cr < at) this.cr = this.data.indexOf(carriageReturn, at);
    if (this.lf !== -1 && this.lf < at) this.lf = this.data.indexOf(lineFeed, at);
    return this.cr < 0 || (this.lf >= 0 && this.lf < this.cr) ? this.lf : this.cr;
  }
}

/** Whether a file holds a batch, or several messages one after the other, and not one message alone. */
export function isBatch(bytes: Uint8Array): boolean {
  const order = wideOrder(bytes);
  const text = withoutMark(order === undefined ? bytes : narrowed(bytes, order));
  const frame = frameOf(text);
  if (frame === 'FHS' || frame === 'BHS') return true;
  if (frame !== 'MSH') return false;
  const ends = new LineEnds(text);
  for (let end = ends.from(0); end >= 0; end = ends.from(end + 1)) if (frameOf(text.subarray(end + 1, end + 5)) === 'MSH') return true;
  return false;
}

/** All items of a batch file that is in memory as a whole. Throws PortolanError `ingest.batch-too-long`. */
export function readBatch(bytes: Uint8Array, limits: BatchLimits): BatchItem[] {
  const reader = new BatchReader(limits);
  return [...reader.push(bytes), ...reader.end()];
}
