import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { readRelease, type Publisher, type ReleaseFile, type ReleaseOptions } from '@portolan/formats';
import { readNodeConfig } from '@portolan/nest/config';
import { storeRelease, terminologyFolder, type ImportedFile } from '@portolan/nest/terminology-store';
import { findConfig } from '../files/find-config.js';
import type { NodeFlags } from '../files/node-options.js';
import { systemCode } from '../files/read-file.js';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';

export interface ImportFlags extends NodeFlags {
  readonly release?: string;
  readonly language?: string;
  readonly system?: string;
  readonly json: boolean;
}

const MAX_FILES = 50;
const MAX_FILE_BYTES = 4_000_000_000;
const PROGRESS_MS = 2_000;

/** `portolan terms import`: a publisher's release into the folder that the country's node reads at its next start. */
export async function importRelease(publisher: Publisher, names: readonly string[], flags: ImportFlags, terminal: Terminal): Promise<Exit> {
  const options = optionsOf(flags);
  if (names.length > MAX_FILES) throw new WrongUsage(`at most ${MAX_FILES} files`);
  const folder = terminologyFolder(await readNodeConfig(await findConfig(flags, terminal)));
  const progress = new Progress(publisher, terminal);
  const files = await Promise.all(names.map((name) => SourceFile.open(name, terminal, progress)));
  const read = await readRelease(publisher, files, options);
  const { about, isNew } = await storeRelease(
    folder,
    publisher,
    read,
    files.map((file) => file.about()),
  ).catch((error: unknown) => {
    throw error instanceof PortolanError ? error : new PortolanError('cli.output-unwritable', 'terminology folder', systemCode(error));
  });
  if (flags.json) terminal.out(JSON.stringify({ ...about, folder, isNew }));
  else terminal.out(`${about.system} ${about.version}: ${about.concepts} codes ${isNew ? 'imported' : 'were there already'}`);
  terminal.note(about.notice);
  if (isNew) terminal.note('the node reads it at its next start');
  return exits.ok;
}

/** Throws WrongUsage for a language or system that is none. */
function optionsOf({ release, language, system }: ImportFlags): ReleaseOptions {
  if (language !== undefined && !/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(language))
    throw new WrongUsage('--language: BCP 47, such as et or pt-BR');
  if (system !== undefined && !/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(system)) throw new WrongUsage('--system: an absolute URI');
  return {
    ...(release !== undefined && { release }),
    ...(language !== undefined && { language }),
    ...(system !== undefined && { system }),
  };
}

/** How much of all files is read, told every few seconds. */
class Progress {
  private read = 0;
  private total = 0;
  private told = Date.now();

  constructor(
    private readonly publisher: string,
    private readonly terminal: Terminal,
  ) {}

  expect(bytes: number): void {
    this.total += bytes;
  }

  add(bytes: number): void {
    this.read += bytes;
    if (Date.now() - this.told < PROGRESS_MS) return;
    this.told = Date.now();
    this.terminal.note(`${this.publisher}: ${megabytes(this.read)} of ${megabytes(this.total)} MB`);
  }
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);

/** A file that is read once, in pieces, and whose checksum is known then. */
class SourceFile implements ReleaseFile {
  readonly text: AsyncIterable<string>;
  private readonly hash = createHash('sha256');
  private sum: string | undefined;

  private constructor(
    readonly name: string,
    path: string,
    private readonly bytes: number,
    private readonly progress: Progress,
  ) {
    this.text = this.pieces(path);
  }

  static async open(name: string, terminal: Terminal, progress: Progress): Promise<SourceFile> {
    const path = resolve(terminal.folder, name);
    const found = await stat(path).catch((error: unknown) => {
      throw new PortolanError('cli.file-unreadable', name, systemCode(error));
    });
    if (found.isDirectory()) throw new PortolanError('cli.folder-given', name);
    if (found.size > MAX_FILE_BYTES) throw new PortolanError('cli.file-too-large', name, `more than ${MAX_FILE_BYTES} bytes`);
    progress.expect(found.size);
    return new SourceFile(basename(name), path, found.size, progress);
  }

  about(): ImportedFile {
    return { name: this.name, bytes: this.bytes, sha256: this.sum ?? '' };
  }

  private async *pieces(path: string): AsyncGenerator<string> {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    try {
      for await (const piece of createReadStream(path)) {
        const bytes = piece as Buffer;
        this.hash.update(bytes);
        this.progress.add(bytes.length);
        yield decoder.decode(bytes, { stream: true });
      }
      yield decoder.decode();
    } catch (error) {
      if (error instanceof TypeError) throw new PortolanError('terms.release-invalid', this.name, 'not UTF-8');
      throw error instanceof PortolanError ? error : new PortolanError('cli.file-unreadable', this.name, systemCode(error));
    }
    this.sum = this.hash.digest('hex');
  }
}
