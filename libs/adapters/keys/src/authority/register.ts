import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBounded, PortolanError, type Instant, type Kid } from '@portolan/contracts';
import { revocationReasons, type RevocationReason } from '@portolan/domain';
import { orMissing } from '../files.js';
import { exclusively } from './lock.js';

/** A certificate that the authority signed. */
export interface IssuedEntry {
  readonly act: 'issued';
  readonly at: Instant;
  readonly purpose: 'server' | 'partner';
  /** Hexadecimal, lower case. */
  readonly serial: string;
  readonly commonName: string;
  readonly kid: Kid;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly certificatePem: string;
}

export interface RevokedEntry {
  readonly act: 'revoked';
  readonly at: Instant;
  readonly serial: string;
  readonly reason: RevocationReason;
}

/** The number of a revocation list is written down before the list is made, so that none is given twice. */
export interface ListEntry {
  readonly act: 'list';
  readonly at: Instant;
  readonly number: number;
  readonly nextUpdate: Instant;
}

export type RegisterEntry = IssuedEntry | RevokedEntry | ListEntry;

/** The register as whoever holds its lock sees it. */
export interface HeldRegister {
  readonly entries: readonly RegisterEntry[];
  append(entry: RegisterEntry): Promise<void>;
}

/** About 30,000 certificates. */
const MAX_BYTES = 64_000_000;
const MAX_LINE_CHARS = 20_000;
const VERSION = 1;

/**
 * What an authority issued and revoked: `<name>.register.jsonl` beside its key, a line an act, each with its number and the SHA-256 of the
 * line before. Lines are only ever added. A last line without its end was never confirmed to anybody, and gives way to the next.
 */
export class AuthorityRegister {
  private readonly path: string;
  private readonly lock: string;

  constructor(
    folder: string,
    private readonly name: string,
  ) {
    this.path = join(folder, `${name}.register.jsonl`);
    this.lock = join(folder, `.${name}.register.lock`);
  }

  /** Throws `keys.register-damaged`. */
  async read(): Promise<readonly RegisterEntry[]> {
    return (await this.whole()).entries;
  }

  /** Adds one entry and answers when it is on the disk. Throws `keys.register-busy`, `keys.register-damaged`. */
  append(entry: RegisterEntry): Promise<void> {
    return this.exclusively((held) => held.append(entry));
  }

  /** Looks and adds while nobody else does. Throws as `append`. */
  exclusively<T>(act: (held: HeldRegister) => Promise<T>): Promise<T> {
    return exclusively(this.lock, async () => {
      const content = await this.whole();
      const entries = [...content.entries];
      let { bytes, last } = content;
      return act({
        entries,
        append: async (entry) => {
          const line = `${JSON.stringify({ v: VERSION, n: entries.length + 1, before: last, ...entry })}\n`;
          await this.write(line, bytes);
          bytes += Buffer.byteLength(line);
          last = hashOf(line);
          entries.push(entry);
        },
      });
    });
  }

  private async whole(): Promise<{ entries: RegisterEntry[]; bytes: number; last: string }> {
    const size = (await orMissing(stat(this.path)))?.size ?? 0;
    if (size > MAX_BYTES) throw this.damaged(0, 'too large');
    const text = (await orMissing(readFile(this.path, 'utf8'))) ?? '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const lines = whole.split('\n').slice(0, -1);
    let last = '';
    const entries = lines.map((line, i) => {
      const entry = this.parse(line, i + 1, last);
      last = hashOf(`${line}\n`);
      return entry;
    });
    return { entries, bytes: Buffer.byteLength(whole), last };
  }

  private parse(line: string, n: number, before: string): RegisterEntry {
    const place = `authority ${this.name}, line ${n} of its register`;
    const value = parseBounded(line, MAX_LINE_CHARS, 'keys.register-damaged', place) as Record<string, unknown> | null;
    if (value?.['v'] !== VERSION || value['n'] !== n || value['before'] !== before) throw this.damaged(n, 'a line is missing or altered');
    const entry = entryOf(value);
    if (entry === undefined) throw this.damaged(n, 'not an entry');
    return entry;
  }

  /** After what is whole; what a killed process left half written is cut off. */
  private async write(line: string, at: number): Promise<void> {
    const file = await open(this.path, 'a', 0o600);
    try {
      await file.truncate(at);
      await file.appendFile(line);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  private damaged(n: number, detail: string): PortolanError {
    return new PortolanError('keys.register-damaged', `authority ${this.name}, line ${n} of its register`, detail);
  }
}

const hashOf = (line: string): string => createHash('sha256').update(line).digest('base64url');

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  issued: ['at', 'purpose', 'serial', 'commonName', 'kid', 'notBefore', 'notAfter', 'certificatePem'],
  revoked: ['at', 'serial', 'reason'],
  list: ['at', 'nextUpdate'],
};

/** What else an entry of each kind must be. */
const RULES: Readonly<Record<string, (entry: Record<string, unknown>) => boolean>> = {
  issued: ({ purpose }) => purpose === 'server' || purpose === 'partner',
  revoked: (entry) => revocationReasons.some((reason) => reason === entry['reason']),
  list: (entry) => Number.isSafeInteger(entry['number']),
};

/** The members of an entry, without those that bind its line; undefined where it is none. */
function entryOf({ v: _v, n: _n, before: _before, ...entry }: Record<string, unknown>): RegisterEntry | undefined {
  const act = String(entry['act']);
  const [texts, rule] = [TEXTS[act], RULES[act]];
  const fits = texts?.every((name) => typeof entry[name] === 'string') === true && rule?.(entry) === true;
  return fits ? (entry as unknown as RegisterEntry) : undefined;
}
