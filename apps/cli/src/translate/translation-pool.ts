import { Worker } from 'node:worker_threads';
import { PortolanError, type ErrorCode } from '@portolan/contracts';
import type { Finished, Work } from './translate-document.js';
import type { TranslateFlags } from './translator.js';

/** What a thread is told when it starts. */
export interface Given {
  readonly flags: TranslateFlags;
  readonly folder: string;
}

/** What goes to a thread, and what comes back. */
export interface Question {
  readonly id: number;
  readonly work: Work;
}
export type Reply = { readonly id: number } & ({ readonly finished: Finished } | { readonly failure: Failure });
interface Failure {
  readonly code: ErrorCode;
  readonly where: string;
  readonly detail: string | undefined;
}

// The compiled entry: from the sources, too, since a thread loads plain JavaScript.
const entry = new URL('../../dist/translate/translate-worker.js', import.meta.url);

/**
 * Threads that each translate one document after the other and write its results. A document whose thread ends fails by itself
 * (`cli.thread-ended`); another thread is started for the next one. How much waits is bounded by whoever asks.
 */
export class TranslationPool {
  private threads: Thread[] = [];

  constructor(
    private readonly jobs: number,
    private readonly given: Given,
  ) {}

  run(work: Work): Promise<Finished> {
    return this.least().take(work);
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.end()));
  }

  /** The thread with the least in hand; one more is started while there may be one and none is idle. */
  private least(): Thread {
    this.threads = this.threads.filter(({ hasEnded }) => !hasEnded);
    const [least] = this.threads.toSorted((one, other) => one.inHand - other.inHand);
    if (least !== undefined && (least.inHand === 0 || this.threads.length >= this.jobs)) return least;
    const started = new Thread(this.given);
    this.threads.push(started);
    return started;
  }
}

interface Pending {
  readonly resolve: (finished: Finished) => void;
  readonly reject: (error: unknown) => void;
}

class Thread {
  hasEnded = false;
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private asked = 0;

  constructor(given: Given) {
    // What the process itself was started with (conditions of imports, say) is for its own sources.
    this.worker = new Worker(entry, { execArgv: [], workerData: given });
    this.worker.on('message', (reply: Reply) => this.hear(reply));
    this.worker.on('error', () => this.lose());
    this.worker.on('exit', () => this.lose());
  }

  get inHand(): number {
    return this.pending.size;
  }

  take(work: Work): Promise<Finished> {
    return new Promise((resolve, reject) => {
      this.asked += 1;
      this.pending.set(this.asked, { resolve, reject });
      this.worker.postMessage({ id: this.asked, work } satisfies Question);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private hear(reply: Reply): void {
    const pending = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if ('finished' in reply) pending?.resolve(reply.finished);
    else pending?.reject(new PortolanError(reply.failure.code, reply.failure.where, reply.failure.detail));
  }

  private lose(): void {
    this.hasEnded = true;
    for (const { reject } of this.pending.values()) reject(new PortolanError('cli.thread-ended', 'translate'));
    this.pending.clear();
  }
}
