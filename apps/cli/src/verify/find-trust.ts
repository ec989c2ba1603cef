import { join, resolve } from 'node:path';
import { PortolanError, type TrustFile, type Validators } from '@portolan/contracts';
import { parseTrust } from '@portolan/verify';
import { isThere } from '../files/find-config.js';
import { exactText, readBytes } from '../files/read-file.js';
import type { Terminal } from '../terminal.js';

const MAX_TRUST_BYTES = 16_000_000;

export interface PinnedTrust {
  readonly file: string;
  readonly trust: TrustFile;
}

/**
 * The trust that the user pinned: the file named, else the configured one, else one at the two places where it is kept. A file that was
 * named or configured is not passed over for another. Never anything out of a receipt.
 *
 * Throws `cli.trust-missing`, `cli.trust-invalid`, `cli.file-unreadable`.
 */
export async function findTrust(named: string | undefined, terminal: Terminal, validators: Validators): Promise<PinnedTrust> {
  const file = await trustFile(named, terminal);
  const text = exactText(await readBytes(file, file, MAX_TRUST_BYTES));
  try {
    return { file, trust: parseTrust(text ?? '', validators) };
  } catch (error) {
    throw new PortolanError('cli.trust-invalid', file, error instanceof PortolanError ? error.detail : undefined);
  }
}

async function trustFile(named: string | undefined, { folder, home, trustFile: configured }: Terminal): Promise<string> {
  const told = named ?? (configured === '' ? undefined : configured);
  if (told !== undefined) return resolve(folder, told);
  for (const kept of [join(folder, 'portolan-trust.json'), join(home, '.config/portolan/trust.json')]) {
    if (await isThere(kept)) return kept;
  }
  throw new PortolanError('cli.trust-missing', 'portolan verify');
}
