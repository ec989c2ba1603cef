import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { BatchReader, decodeHead, isBatch, readBatch, type BatchItem } from '@portolan/formats';
import { failureText } from '../failure.js';
import { readBytes, systemCode } from '../files/read-file.js';
import { exits, type Exit, type Terminal } from '../terminal.js';
import { untilSignal } from '../until-signal.js';
import { inputFiles } from './input-files.js';
import { outputNames } from './output-names.js';
import { MAX_BYTES, type Finished, type Part, type Work } from './translate-document.js';
import { TranslationPool } from './translation-pool.js';
import { translatorOf, type TranslateFlags } from './translator.js';

/** Longest batch file, by its messages: its results are two files each. */
const MAX_MESSAGES = 10_000_000;
/** Longest file that is read as a whole. */
const MAX_FILE_BYTES = 200_000_000;
const CHUNK_BYTES = 1_048_576;
/** Documents that each thread may have in hand, so that it never waits for the next one. */
const IN_HAND = 4;

/** Begins what makes one document's results; what of a file cannot be read is told in its place. */
type Step = () => Promise<Finished>;

/**
 * `portolan translate`: one document after the other, or several at once (`jobs`), told in their order; one that cannot be read stops none of
 * the others. Asked to stop by a signal, it ends with the documents that are begun: none is half written.
 */
export async function translateFiles(files: readonly string[], flags: TranslateFlags, terminal: Terminal): Promise<Exit> {
  const translate = await translatorOf(flags, terminal.folder);
  const named = await Promise.all(files.map((file) => inputFiles(resolve(terminal.folder, file))));
  const paths = [...new Set(named.flat())];
  const names = outputNames(paths);
  const out = await folderFor(resolve(terminal.folder, flags.out ?? '.'), flags.out ?? '.');
  const bases = paths.map((path, i): readonly [string, string] => [path, join(out, names[i] ?? '')]);
  const pool = flags.jobs === undefined ? undefined : new TranslationPool(flags.jobs, { flags, folder: terminal.folder });
  const run = (work: Work): Promise<Finished> => (pool === undefined ? translate(work) : pool.run(work));
  try {
    const ahead = (flags.jobs ?? 0) * IN_HAND;
    return await untilSignal((stop) => inOrder(stepsOf(bases, flags, run), { ahead, stop, json: flags.json === true }, terminal));
  } finally {
    await pool?.close();
  }
}

interface Order {
  readonly ahead: number;
  /** No further document is begun once it is aborted. */
  readonly stop: AbortSignal;
  readonly json: boolean;
}

/** Begins steps while no more than `ahead` others are under way, and tells of each when all before it were told. */
async function inOrder(steps: AsyncIterable<Step>, { ahead, stop, json }: Order, terminal: Terminal): Promise<Exit> {
  const begun: Promise<Finished | { readonly error: unknown }>[] = [];
  let exit: Exit = exits.ok;
  /** False where nothing more can be written. */
  const tellOne = async (): Promise<boolean> => {
    const one = await begun.shift();
    if (one === undefined) return true;
    if (!told(one, json, terminal)) exit = exits.failed;
    return !('error' in one && one.error instanceof PortolanError && one.error.code === 'cli.output-unwritable');
  };
  for await (const step of steps) {
    begun.push(step().catch((error: unknown) => ({ error })));
    if (begun.length > ahead && !(await tellOne())) return exit;
    if (stop.aborted) break;
  }
  if (stop.aborted) terminal.note('stopped by a signal: what follows is not begun');
  while (begun.length > 0) if (!(await tellOne())) return exit;
  return exit;
}

/** Whether the document can be used. A fault of ours ends the command. */
function told(one: Finished | { readonly error: unknown }, json: boolean, terminal: Terminal): boolean {
  if ('error' in one) {
    if (!(one.error instanceof PortolanError)) throw one.error;
    const { code, where } = one.error;
    if (json) terminal.out(JSON.stringify({ code, where }));
    terminal.note(failureText(one.error));
    return false;
  }
  const { note, ...rest } = one;
  if (!json) for (const file of one.written) terminal.out(file);
  else if (rest.account !== undefined) terminal.out(JSON.stringify(rest));
  terminal.note(note);
  return !one.refused;
}

async function* stepsOf(
  bases: readonly (readonly [path: string, base: string])[],
  flags: TranslateFlags,
  run: (work: Work) => Promise<Finished>,
): AsyncGenerator<Step> {
  for (const [path, base] of bases) {
    try {
      const count = new BatchCount();
      for await (const part of documentsOf(path, flags)) {
        count.add(part);
        yield () => run({ part, path, base });
      }
      const note = count.told(path);
      if (note !== undefined) yield () => Promise.resolve({ written: [], note, refused: false });
    } catch (error) {
      if (!(error instanceof PortolanError)) throw error;
      yield () => Promise.reject(error);
    }
  }
}

/** How many messages a batch file held. Any other file is one document; one that holds none is a batch file, too. */
class BatchCount {
  private isBatch = true;
  private messages = 0;

  add(part: Part): void {
    this.isBatch = part.suffix !== '';
    if ('bytes' in part) this.messages += 1;
  }

  told(path: string): string | undefined {
    return this.isBatch ? `${path}: a batch file of ${this.messages} ${this.messages === 1 ? 'message' : 'messages'}` : undefined;
  }
}

/**
 * The documents of a file: itself, or the messages of an HL7 v2 batch, which stand or fall each by itself. A file that is longer than a document
 * may be is read as it comes, in the memory of one message.
 */
async function* documentsOf(path: string, { format, to }: TranslateFlags): AsyncGenerator<Part> {
  if (to !== undefined) {
    yield { ...whole, bytes: await readBytes(path, path, MAX_BYTES) };
    return;
  }
  const mayBeBatch = ['auto', 'hl7v2'].includes(format);
  if (mayBeBatch && (await isLongBatch(path))) {
    yield* streamed(path);
    return;
  }
  const bytes = await readBytes(path, path, MAX_FILE_BYTES);
  if (mayBeBatch && isBatch(bytes)) yield* readBatch(bytes, limits).map(numbered);
  else yield { ...whole, bytes };
}

const whole = { place: 'document', suffix: '' };

const limits = { maxMessages: MAX_MESSAGES, maxBytes: MAX_BYTES };
const numbered = (item: BatchItem, i: number): Part => ({ ...item, suffix: `.${i + 1}` });

async function isLongBatch(path: string): Promise<boolean> {
  const about = await stat(path).catch(() => undefined);
  if (about?.isFile() !== true || about.size <= MAX_BYTES) return false;
  for await (const chunk of chunksOf(path, { end: 7 })) return /^(FHS|BHS|MSH)/.test(decodeHead(chunk));
  return false;
}

async function* streamed(path: string): AsyncGenerator<Part> {
  const reader = new BatchReader(limits);
  let count = 0;
  for await (const chunk of chunksOf(path, { highWaterMark: CHUNK_BYTES })) {
    for (const item of reader.push(chunk)) yield numbered(item, count++);
  }
  for (const item of reader.end()) yield numbered(item, count++);
}

async function* chunksOf(path: string, options: { end?: number; highWaterMark?: number }): AsyncGenerator<Buffer> {
  const stream = createReadStream(path, options) as AsyncIterable<Buffer>;
  try {
    yield* stream;
  } catch (error) {
    throw new PortolanError('cli.file-unreadable', path, systemCode(error));
  }
}

async function folderFor(folder: string, name: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return folder;
  } catch (error) {
    throw new PortolanError('cli.output-unwritable', name, systemCode(error));
  }
}
