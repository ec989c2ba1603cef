import { PortolanError } from '@portolan/contracts';

/** One thing that doctor looked at. */
export interface Finding {
  /** What was looked at, such as `EE database edge`. */
  readonly check: string;
  readonly ok: boolean;
  /** What was found. */
  readonly what: string;
  /** How to mend it; empty where nothing is wrong. */
  readonly next: string;
}

export const good = (check: string, what: string): Finding => ({ check, ok: true, what, next: '' });
export const bad = (check: string, what: string, next: string): Finding => ({ check, ok: false, what, next });

/** What `look` finds; an error of it is a finding too. `mend` says what to do where the error does not know, or sends to doctor itself. */
export async function looked(check: string, mend: string, look: () => Promise<Finding | readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    const found = await look();
    return Array.isArray(found) ? (found as readonly Finding[]) : [found as Finding];
  } catch (error) {
    return [error instanceof PortolanError ? told(check, error, mend) : unknown(check, error, mend)];
  }
}

function told(check: string, { code, entry, where, detail }: PortolanError, mend: string): Finding {
  const at = detail === undefined ? where : `${where} (${detail})`;
  return bad(check, `${code}: ${entry.what} at ${at}`, entry.next.includes('portolan doctor') ? mend : entry.next);
}

/** The system's own word for it, and never a message that may quote what was read. */
function unknown(check: string, error: unknown, mend: string): Finding {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const kind = error instanceof Error ? error.name : typeof error;
  return bad(check, `cannot be looked at (${code ?? kind})`, mend);
}
