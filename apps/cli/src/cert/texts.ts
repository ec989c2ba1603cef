import { randomUUID } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { readBytes, systemCode } from '../files/read-file.js';
import type { Terminal } from '../terminal.js';

const MAX_TEXT_BYTES = 100_000;
const STANDARD_INPUT = '/dev/stdin';

/** A small text file, or standard input by `-`. Throws `cli.file-unreadable`, `cli.file-too-large`. */
export async function readText(name: string, terminal: Terminal): Promise<string> {
  const path = name === '-' ? STANDARD_INPUT : resolve(terminal.folder, name);
  return new TextDecoder().decode(await readBytes(path, name, MAX_TEXT_BYTES));
}

/** A whole file for its owner alone, or none. Throws `cli.output-unwritable`. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const half = join(dirname(path), `.${randomUUID()}.half`);
  try {
    const file = await open(half, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(half, path);
  } catch (error) {
    await unlink(half).catch(() => undefined);
    throw new PortolanError('cli.output-unwritable', path, systemCode(error));
  }
}
