import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { ErasureRegister, isUuid, type PersonId } from '@portolan/domain';
import { orMissing, privateFolder } from './files.js';

/**
 * One line an erasure, on the disk before the erasure is: `{"person":"<uuid>"}`, a random id that means nothing outside of the database.
 * A last line that was cut off names an erasure that never began, and is left out.
 */
export class FileErasureRegister extends ErasureRegister {
  constructor(private readonly file: string) {
    super();
  }

  override async note(person: PersonId): Promise<void> {
    await privateFolder(dirname(this.file));
    const handle = await open(this.file, 'a', 0o600);
    try {
      // A line break first: after a line that was cut off, this one stands by itself.
      await handle.writeFile(`\n${JSON.stringify({ person })}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Throws `keys.file-invalid` where a whole line is none of ours: then nobody may serve before it is mended. */
  override async all(): Promise<readonly PersonId[]> {
    const text = (await orMissing(readFile(this.file, 'utf8'))) ?? '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line.trim() !== '' && line.endsWith('}'))
      .map(personIn);
  }
}

function personIn(line: string): PersonId {
  const { person } = parsed(line);
  if (typeof person !== 'string' || !isUuid(person)) throw new PortolanError('keys.file-invalid', 'register of erasures');
  return person as PersonId;
}

function parsed(line: string): { person?: unknown } {
  try {
    return JSON.parse(line) as { person?: unknown };
  } catch {
    throw new PortolanError('keys.file-invalid', 'register of erasures');
  }
}
