import { open } from 'node:fs/promises';
import { PortolanError } from '@portolan/contracts';

/**
 * The bytes of one file, never more than `maxBytes`; `name` is what the user called it.
 * Throws `cli.file-unreadable`, `cli.folder-given`, `cli.file-too-large`.
 */
export async function readBytes(path: string, name: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path).catch((error: unknown) => {
    throw new PortolanError('cli.file-unreadable', name, systemCode(error));
  });
  try {
    const about = await file.stat();
    if (about.isDirectory()) throw new PortolanError('cli.folder-given', name);
    if (about.size > maxBytes) throw new PortolanError('cli.file-too-large', name, `more than ${maxBytes} bytes`);
    const bytes = new Uint8Array(await file.readFile());
    if (bytes.length > maxBytes) throw new PortolanError('cli.file-too-large', name, `more than ${maxBytes} bytes`);
    return bytes;
  } catch (error) {
    throw error instanceof PortolanError ? error : new PortolanError('cli.file-unreadable', name, systemCode(error));
  } finally {
    await file.close();
  }
}

/** The exact text of UTF-8 bytes, a byte order mark included; undefined where they are not UTF-8. */
export function exactText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The operating system's own word for a failure, such as ENOENT. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
