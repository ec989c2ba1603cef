import { readFile, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError } from '@portolan/contracts';
import {
  ALREADY_INITIALIZED,
  ALREADY_LOGGED_IN,
  CK,
  loadBinding,
  PIN_REFUSED,
  returnValueOf,
  type Handle,
  type Pkcs11,
} from './binding.js';

/** Where a token is; the PIN stands in a file of its own. */
export interface TokenConfig {
  /** The token's PKCS#11 library, such as `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string;
  /** The folder of the compiled binding (tools/engines/pkcs11). */
  readonly binding: string;
  /** The token's label. */
  readonly token: string;
  readonly pinFile: string;
  /** Sessions at most, and so signatures at once; 4 where absent. */
  readonly maxSessions?: number;
  /** Calls that wait for a session at most; 1,000 where absent. */
  readonly maxWaiting?: number;
}

interface Opened {
  readonly module: Pkcs11;
  readonly slot: Handle;
  /** Whether this process's use of the library began here. */
  readonly isOurs: boolean;
}

/** How long calls in the module are waited for before it is given up. */
const IN_FLIGHT_MS = 5_000;
const MAX_PIN_CHARS = 256;
const TRIES = 3;
const BETWEEN_TRIES_MS = 50;

/** Makes what a process needs of its PKCS#11 library; a test puts a module in its place that fails. */
export type Load = (binding: string) => Pkcs11;

/**
 * One token in a slot, opened when it is first used. A bounded number of sessions; a call on a session that was lost (the token was taken out,
 * the module lost its device) is tried again on new ones, and then fails with `keys.token-unavailable`, which may be tried later. A refused
 * PIN is never tried again: tokens lock themselves after a few.
 */
export class Token {
  private readonly idle: Handle[] = [];
  private readonly waiting: { give: (session: Handle) => void; fail: (error: unknown) => void }[] = [];
  private readonly running = new Set<Promise<unknown>>();
  private open = 0;
  private opened: Promise<Opened> | undefined;
  private pinRefused = false;

  constructor(
    private readonly config: TokenConfig,
    private readonly load: Load = loadBinding,
  ) {}

  /** Runs `act` with a session of its own. Throws `keys.token-unavailable`, `keys.token-pin-refused`, `keys.too-open`. */
  async use<T>(act: (module: Pkcs11, session: Handle) => T | Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.once(act);
      } catch (error) {
        if (error instanceof PortolanError && !(error.retriable && tries < TRIES)) throw error;
        if (tries === TRIES) throw this.unavailable(error);
        await this.close();
        await pause(BETWEEN_TRIES_MS * tries);
      }
    }
  }

  /** Gives all sessions back. The next use opens the token anew. */
  async close(): Promise<void> {
    const opened = this.opened;
    this.opened = undefined;
    this.idle.splice(0);
    this.open = 0;
    for (const { fail } of this.waiting.splice(0)) fail(this.unavailable(undefined));
    const there = await opened?.catch(() => undefined);
    await Promise.race([Promise.allSettled([...this.running]), pause(IN_FLIGHT_MS, undefined, { ref: false })]);
    // Nothing may be taken from under a call that runs in the module; where a token hangs, its library stays loaded.
    if (there !== undefined && this.running.size === 0) letGo(there);
  }

  private async once<T>(act: (module: Pkcs11, session: Handle) => T | Promise<T>): Promise<T> {
    this.opened ??= this.begin();
    const opened = this.opened;
    const { module, slot } = await opened.catch((error: unknown) => {
      if (this.opened === opened) this.opened = undefined;
      throw error;
    });
    const session = await this.session(module, slot);
    const running = (async () => act(module, session))();
    this.running.add(running);
    try {
      const answer = await running;
      this.running.delete(running);
      this.giveBack(session, opened);
      return answer;
    } catch (error) {
      this.running.delete(running);
      this.discard(module, session, opened);
      throw error;
    }
  }

  private async begin(): Promise<Opened> {
    if (this.pinRefused) throw this.refused();
    const pin = await readPin(this.config.pinFile);
    const module = this.load(this.config.binding);
    let isOurs = false;
    try {
      module.load(this.config.module);
      // Another part of this process may use the library, too; whoever began ends it.
      isOurs = ignoring(ALREADY_INITIALIZED, () => module.C_Initialize({ flags: CK.osLocking }));
      const slot = module.C_GetSlotList(true).find((one) => module.C_GetTokenInfo(one).label.trim() === this.config.token);
      if (slot === undefined) throw new RangeError('no such token');
      // The login holds for all sessions of this process; this one stays open for it.
      const login = module.C_OpenSession(slot, CK.serialSession | CK.readWriteSession);
      ignoring(ALREADY_LOGGED_IN, () => module.C_Login(login, CK.user, pin));
      return { module, slot, isOurs };
    } catch (error) {
      letGo({ module, isOurs });
      if (PIN_REFUSED.has(returnValueOf(error) ?? -1)) {
        this.pinRefused = true;
        throw this.refused();
      }
      throw this.unavailable(error);
    }
  }

  private async session(module: Pkcs11, slot: Handle): Promise<Handle> {
    const free = this.idle.pop();
    if (free !== undefined) return free;
    if (this.open < (this.config.maxSessions ?? 4)) {
      const session = module.C_OpenSession(slot, CK.serialSession | CK.readWriteSession);
      this.open += 1;
      return session;
    }
    if (this.waiting.length >= (this.config.maxWaiting ?? 1_000)) throw this.unavailable(undefined);
    return new Promise((give, fail) => this.waiting.push({ give, fail }));
  }

  private giveBack(session: Handle, of: unknown): void {
    if (of !== this.opened) return;
    const next = this.waiting.shift();
    if (next === undefined) this.idle.push(session);
    else next.give(session);
  }

  /** A session after a failed call is in no known state. Whoever waits gets the room of it. */
  private discard(module: Pkcs11, session: Handle, of: unknown): void {
    if (of !== this.opened) return;
    quietly(() => module.C_CloseSession(session));
    this.open -= 1;
    const next = this.waiting.shift();
    next?.fail(this.unavailable(undefined));
  }

  private refused(): PortolanError {
    return new PortolanError('keys.token-pin-refused', `token ${this.config.token}`);
  }

  private unavailable(error: unknown): PortolanError {
    if (error instanceof PortolanError) return error;
    const value = returnValueOf(error);
    return new PortolanError(
      'keys.token-unavailable',
      `token ${this.config.token}`,
      value === undefined ? undefined : `0x${value.toString(16)}`,
    );
  }
}

/** The first line of a file that nobody else reads. */
async function readPin(path: string): Promise<string> {
  const about = await stat(path).catch(() => undefined);
  if (about === undefined) throw new PortolanError('keys.token-pin-refused', 'PIN file', 'it is not there');
  if (process.platform !== 'win32' && (about.mode & 0o007) !== 0) throw new PortolanError('keys.too-open', 'PIN file');
  const [pin = ''] = (await readFile(path, 'utf8')).split(/\r?\n/, 1);
  if (pin === '' || pin.length > MAX_PIN_CHARS) throw new PortolanError('keys.token-pin-refused', 'PIN file', 'its first line is no PIN');
  return pin;
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // What is being given up may be gone already.
  }
}

/** Whether `act` did something: false where the module says by this value that it was done before. */
function ignoring(value: number, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (returnValueOf(error) !== value) throw error;
    return false;
  }
}

function letGo({ module, isOurs }: Pick<Opened, 'module' | 'isOurs'>): void {
  if (isOurs) quietly(() => module.C_Finalize());
  quietly(() => module.close());
}
