import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { end, hasEnded, isRunning, signalOwn, startOf, type OwnProcess } from '../own-process.js';
import { isFree } from '../../world/ports.js';
import { settings } from './settings.js';

/** How one process of an organisation is run. */
export interface PartConfig {
  /** For messages: `peer EE`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Remembers the process; it and the log lie in folders of this part alone. */
  readonly noteFile: string;
  readonly logFile: string;
  /** Loopback ports it listens on: nobody else may, when it starts. */
  readonly ports: readonly number[];
  /** Whether it serves. Asked again and again while it starts. */
  readonly isReady: () => Promise<boolean>;
}

interface Note {
  readonly process: OwnProcess;
  /** Hash of what it was started with. */
  readonly settings: string;
}

/**
 * One long-running process. It outlives its starter; the next one takes it up where it runs with these settings, and replaces it where it
 * does not. A process is known by its id and its start, so a foreign one that was given the same id is never touched.
 */
export class Part {
  constructor(private readonly config: PartConfig) {}

  get name(): string {
    return this.config.name;
  }

  get logFile(): string {
    return this.config.logFile;
  }

  /** Its id while it runs. */
  get pid(): number | undefined {
    const own = this.note()?.process;
    return own !== undefined && isRunning(own) ? own.pid : undefined;
  }

  /** Answers whether it was started anew. Throws with the log's last lines where it is not ready in time. */
  async start(): Promise<'started' | 'taken up'> {
    const before = this.note();
    if (before !== undefined && isRunning(before.process)) {
      if (before.settings === this.settingsHash && (await this.isReadyWithin(5_000))) return 'taken up';
      await end(before.process, settings.stopWithinMs);
    }
    await this.demandPorts();
    const logged = this.launch();
    await this.ready(logged);
    return 'started';
  }

  async stop(): Promise<void> {
    const own = this.note()?.process;
    if (own !== undefined) await end(own, settings.stopWithinMs);
  }

  /** SIGKILL, as a crash of the process would be; for fault tests. */
  async kill(): Promise<void> {
    this.killNow();
    const own = this.note()?.process;
    if (own !== undefined) await hasEnded(own, 10_000);
  }

  killNow(): void {
    const own = this.note()?.process;
    if (own !== undefined) signalOwn(own, 'SIGKILL');
  }

  /** Stops it where it stands, or lets it go on: for tests of a process that hangs. */
  freeze(isFrozen: boolean): void {
    const own = this.note()?.process;
    if (own !== undefined) signalOwn(own, isFrozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async lastLogLines(since = 0): Promise<string> {
    const file = await open(this.config.logFile, 'r');
    try {
      const { size } = await file.stat();
      const from = Math.max(since, size - 16_384);
      const bytes = Buffer.alloc(Math.max(0, size - from));
      await file.read(bytes, 0, bytes.length, from);
      return bytes.toString('utf8').trim().split('\n').slice(-15).join('\n');
    } finally {
      await file.close();
    }
  }

  private get settingsHash(): string {
    const { command, args, environment, cwd } = this.config;
    return createHash('sha256')
      .update(JSON.stringify([command, args, environment, cwd]))
      .digest('hex');
  }

  private note(): Note | undefined {
    try {
      return JSON.parse(readFileSync(this.config.noteFile, 'utf8')) as Note;
    } catch {
      return undefined;
    }
  }

  /** Ports stand in the channel's configuration, so others cannot be taken. One that was just left may need a moment. */
  private async demandPorts(): Promise<void> {
    const until = performance.now() + 5_000;
    for (const port of this.config.ports) {
      while (!(await isFree(port))) {
        if (performance.now() > until)
          throw new Error(
            `${this.name} cannot start: another process listens on its port ${port}\n  next: end that process, or remove the network's folder and found a new one`,
          );
        await pause(100);
      }
    }
  }

  /** @returns the log's size before */
  private launch(): number {
    const { command, args, environment, cwd, noteFile, logFile } = this.config;
    for (const file of [noteFile, logFile]) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (existsSync(logFile) && statSync(logFile).size > settings.logMostBytes) rmSync(logFile);
    const logged = existsSync(logFile) ? statSync(logFile).size : 0;
    const log = openSync(logFile, 'a', 0o600);
    const child = spawn(command, [...args], { detached: true, cwd, env: { ...environment }, stdio: ['ignore', log, log] });
    closeSync(log);
    // Told by the wait for readiness: nothing runs.
    child.once('error', () => undefined);
    const pid = child.pid ?? 0;
    const note: Note = { process: { pid, started: startOf(pid) ?? '' }, settings: this.settingsHash };
    // In the same turn as the start: whoever is killed in between would leave a process that nobody knows.
    writeFileSync(`${noteFile}.new`, JSON.stringify(note), { mode: 0o600 });
    renameSync(`${noteFile}.new`, noteFile);
    child.unref();
    return logged;
  }

  private async ready(logged: number): Promise<void> {
    const until = performance.now() + settings.readyWithinMs;
    while (!(await this.config.isReady())) {
      const what = this.pid === undefined ? 'ended while it started' : performance.now() > until ? 'was not ready in time' : undefined;
      if (what !== undefined) {
        await this.stop();
        throw new Error(`${this.name} ${what}; its log (${this.logFile}) ends with:\n${await this.lastLogLines(logged)}`);
      }
      await pause(50);
    }
  }

  private async isReadyWithin(ms: number): Promise<boolean> {
    const until = performance.now() + ms;
    do {
      if (await this.config.isReady()) return true;
      await pause(50);
    } while (performance.now() < until);
    return false;
  }
}
