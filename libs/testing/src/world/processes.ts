import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A busy machine is no failure. */
const START_WITHIN_MS = 180_000;

/** One process of the world: a role of a country, or the orderer. It is started, killed and started again by tests. */
export class WorldProcess {
  private child: ChildProcess | undefined;
  private exited: Promise<unknown> = Promise.resolve();
  /** Options of Node for its next starts, beside none: a test's shifted clock. */
  nodeOptions: readonly string[] = [];

  constructor(
    readonly name: string,
    private readonly command: readonly string[],
    private readonly sink: (line: string) => void,
  ) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The signal that ended it, if one did. */
  get endedBy(): NodeJS.Signals | undefined {
    return this.child?.signalCode ?? undefined;
  }

  /** Starts it and waits until it says `ready` on its standard output. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [...this.nodeOptions, ...this.command], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.exited = once(child, 'exit');
    const { stdout, stderr } = child;
    stderr.on('data', (data: Buffer) => this.sink(data.toString()));
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${this.name} did not get ready`)), START_WITHIN_MS);
      stdout.on('data', (data: Buffer) => {
        const text = data.toString();
        this.sink(text);
        if (!text.includes('ready')) return;
        clearTimeout(late);
        resolve();
      });
      child.once('exit', (code) => {
        clearTimeout(late);
        reject(new Error(`${this.name} ended at its start with ${code ?? 'a signal'}`));
      });
    });
  }

  /** Waits until the process has ended by itself; tells the signal that ended it. */
  async ended(withinMs: number): Promise<boolean> {
    const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), withinMs).unref());
    return Promise.race([this.exited.then(() => true as const), late]);
  }

  /** SIGSTOP freezes it where it stands, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    this.child?.kill(signal);
    if (!(await this.ended(15_000))) {
      this.child?.kill('SIGKILL');
      await this.exited;
    }
  }
}
