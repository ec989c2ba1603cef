import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { OBJECT_NAME, Objects, type StoredObject } from '@portolan/domain';

export interface FileObjectsConfig {
  readonly folder: string;
  /** Largest object, bytes. */
  readonly maxBytes: number;
}

/** Where half-written objects stand; no object's name can lie in it, for it begins with a dot. */
const HALVES = '.halves';
/** No object's name has a dot, so a folder `a` and an object `a` never meet. */
const ENDING = '.object';

/** Objects as files of one folder, for its owner alone. */
export class FileObjects extends Objects {
  constructor(private readonly config: FileObjectsConfig) {
    super();
  }

  async put(name: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredObject> {
    const path = this.path(name);
    const half = join(this.config.folder, HALVES, randomUUID());
    await mkdir(dirname(half), { recursive: true, mode: 0o700 });
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      const stored = await this.write(half, name, bytes);
      await rename(half, path);
      return stored;
    } catch (error) {
      await rm(half, { force: true });
      throw error;
    }
  }

  async *get(name: string): AsyncIterable<Uint8Array> {
    try {
      for await (const piece of createReadStream(this.path(name))) yield piece as Uint8Array;
    } catch (error) {
      throw isMissing(error) ? new PortolanError('objects.unknown', name) : error;
    }
  }

  async delete(name: string): Promise<void> {
    try {
      await unlink(this.path(name));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async *list(prefix: string): AsyncIterable<string> {
    if (prefix !== '' && !OBJECT_NAME.test(prefix)) throw invalidName();
    for (const name of await this.names()) if (isUnder(name, prefix)) yield name;
  }

  /** Removes what a process that died left half written. To be called when nothing is being put. */
  async removeHalves(): Promise<void> {
    await rm(join(this.config.folder, HALVES), { recursive: true, force: true });
  }

  private path(name: string): string {
    if (!OBJECT_NAME.test(name)) throw invalidName();
    return `${join(this.config.folder, ...name.split('/'))}${ENDING}`;
  }

  private async names(): Promise<string[]> {
    try {
      const entries = await readdir(this.config.folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(ENDING));
      return files.map((entry) => this.nameOf(join(entry.parentPath, basename(entry.name, ENDING))));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  private nameOf(path: string): string {
    return relative(this.config.folder, path).split(sep).join('/');
  }

  private async write(path: string, name: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredObject> {
    const file = await open(path, 'wx', 0o600);
    try {
      return await this.copy(file, name, bytes);
    } finally {
      await file.close();
    }
  }

  private async copy(file: FileHandle, name: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredObject> {
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of bytes) {
      size += piece.length;
      if (size > this.config.maxBytes) throw new PortolanError('objects.too-large', name);
      hash.update(piece);
      await file.writeFile(piece);
    }
    await file.sync();
    return { bytes: size, sha256: hash.digest('hex') };
  }
}

const isUnder = (name: string, prefix: string): boolean => prefix === '' || name === prefix || name.startsWith(`${prefix}/`);

/** The name is not repeated: whoever gets it wrong may have put anything in it. */
const invalidName = (): PortolanError => new PortolanError('objects.name-invalid', 'object store');

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
