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

/** What `look` finds; an error of it is a finding too. `mend` says what to do where the error itself does not know. */
export async function looked(check: string, mend: string, look: () => Promise<Finding | readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    const found = await look();
    return Array.isArray(found) ? (found as readonly Finding[]) : [found as Finding];
  } catch (error) {
    if (error instanceof PortolanError) {
      const { what, next } = error.entry;
      return [bad(check, `${error.code}: ${what} at ${error.where}${error.detail === undefined ? '' : ` (${error.detail})`}`, next)];
    }
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    return [bad(check, `cannot be looked at (${code ?? (error instanceof Error ? error.name : typeof error)})`, mend)];
  }
}
