import { Worker } from 'node:worker_threads';
import { PortolanError, type Kid, type PublicJwk } from '@portolan/contracts';
import { Sealer, type KeyVault, type OpenedPart, type PartHeader, type SenderKeys } from '@portolan/domain';
import { JoseSealer } from '../jose-sealer.js';
import { errorOf, failureOf, type Answer, type FromThread, type Job, type Question, type ToThread } from './protocol.js';

export interface SealingPoolOptions {
  /** How many threads; each is started when it is first needed, and takes about 15 MB. */
  readonly threads: number;
  /** How many parts a thread has in hand at once; what is more waits. 4 unless said. */
  readonly inHand?: number;
  /** Parts with less content are done where they are asked for: a thread would take longer to be told than it saves. 32,768 unless said. */
  readonly aloneBelowBytes?: number;
}

/** Whose keys a job needs. */
interface Keys {
  readonly vault: KeyVault;
  readonly senders: SenderKeys;
}

interface Pending extends Keys {
  readonly resolve: (result: Uint8Array | OpenedPart) => void;
  readonly reject: (error: unknown) => void;
}

// The compiled entry: from the sources, too, since a thread loads plain JavaScript.
const entry = new URL('../../dist/pool/seal-worker.js', import.meta.url);

/**
 * Threads in which parts are sealed and opened, several at once, so that a large record keeps neither the event loop nor the others waiting. What they do
 * is what JoseSealer does: it is the same class. Keys stay where they are and go over as handles that cannot be read out.
 */
export class SealingPool {
  private readonly threads: Thread[] = [];
  private readonly queue: (() => void)[] = [];
  private closed = false;

  constructor(private readonly options: SealingPoolOptions) {}

  /** A sealer whose work is done here, under the keys of `vault`. */
  sealer(vault: KeyVault): Sealer {
    return new PooledSealer(this, vault, this.options.aloneBelowBytes ?? 32_768);
  }

  /** Does one job on the thread with the least in hand. `seal.thread-ended` where the thread, or the pool, ended meanwhile. */
  async run(work: Job, keys: Keys): Promise<Uint8Array | OpenedPart> {
    const thread = await this.free();
    try {
      return await thread.take(work, keys);
    } finally {
      this.queue.shift()?.();
    }
  }

  /** Ends the threads; what they have in hand fails. */
  async close(): Promise<void> {
    this.closed = true;
    for (const wake of this.queue.splice(0)) wake();
    await Promise.all(this.threads.map((thread) => thread.end()));
  }

  private async free(): Promise<Thread> {
    for (;;) {
      if (this.closed) throw ended();
      const thread = this.least();
      if (thread !== undefined) return thread;
      await new Promise<void>((resolve) => this.queue.push(resolve));
    }
  }

  private least(): Thread | undefined {
    const { threads, inHand = 4 } = this.options;
    const living = this.threads.filter(({ hasEnded }) => !hasEnded);
    this.threads.splice(0, this.threads.length, ...living);
    const idle = living.find(({ inHand: some }) => some === 0);
    if (idle !== undefined) return idle;
    if (living.length < threads) {
      const started = new Thread();
      this.threads.push(started);
      return started;
    }
    const [least] = living.sort((one, other) => one.inHand - other.inHand);
    return least !== undefined && least.inHand < inHand ? least : undefined;
  }
}

class PooledSealer extends Sealer {
  private readonly alone: JoseSealer;

  constructor(
    private readonly pool: SealingPool,
    private readonly vault: KeyVault,
    private readonly aloneBelowBytes: number,
  ) {
    super();
    this.alone = new JoseSealer(vault);
  }

  override async seal(
    content: Uint8Array,
    header: PartHeader,
    recipient: { kid: Kid; publicJwk: PublicJwk },
    options: { padTo?: number } = {},
  ): Promise<Uint8Array> {
    if (content.length < this.aloneBelowBytes) return this.alone.seal(content, header, recipient, options);
    const keys = { vault: this.vault, senders: async () => undefined };
    const own = [await this.vault.current('sign')] as const;
    return (await this.pool.run({ do: 'seal', own, content, header, recipient, options }, keys)) as Uint8Array;
  }

  override async open(part: Uint8Array, expected: PartHeader, senders: SenderKeys): Promise<OpenedPart> {
    // base64url twice makes 16/9 of the content.
    if (part.length < (this.aloneBelowBytes * 16) / 9) return this.alone.open(part, expected, senders);
    const own = await this.vault.list('seal');
    return (await this.pool.run({ do: 'open', own, part, expected }, { vault: this.vault, senders })) as OpenedPart;
  }
}

/** One worker thread and what it has in hand. */
class Thread {
  hasEnded = false;
  // What the process itself was started with (conditions of imports, say) is for its own sources.
  private readonly worker = new Worker(entry, { execArgv: [] });
  private readonly pending = new Map<number, Pending>();
  private given = 0;

  constructor() {
    this.worker.on('message', (message: FromThread) => this.hear(message));
    this.worker.on('error', () => this.lose());
    this.worker.on('exit', () => this.lose());
    this.worker.unref();
  }

  get inHand(): number {
    return this.pending.size;
  }

  take(work: Job, keys: Keys): Promise<Uint8Array | OpenedPart> {
    return new Promise((resolve, reject) => {
      const job = (this.given += 1);
      this.pending.set(job, { ...keys, resolve, reject });
      this.worker.ref(); // while something is in hand the process goes on
      this.tell({ job, work });
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
    this.lose();
  }

  private tell(message: ToThread): void {
    this.worker.postMessage(message);
  }

  private hear(message: FromThread): void {
    const pending = this.pending.get(message.job);
    if (pending === undefined) return;
    if ('asks' in message) return void this.answer(message.question, message.asks, pending);
    this.pending.delete(message.job);
    if (this.pending.size === 0) this.worker.unref();
    if ('failure' in message) pending.reject(errorOf(message.failure));
    else pending.resolve(message.result);
  }

  private async answer(question: number, asks: Question, keys: Keys): Promise<void> {
    try {
      this.tell({ question, answer: await answerTo(asks, keys) });
    } catch (error) {
      this.tell({ question, failure: failureOf(error) });
    }
  }

  private lose(): void {
    this.hasEnded = true;
    for (const { reject } of this.pending.values()) reject(ended());
    this.pending.clear();
  }
}

function answerTo(asks: Question, { vault, senders }: Keys): Promise<Answer> {
  switch (asks.what) {
    case 'private-key':
      return vault.privateKey(asks.kid);
    case 'sender':
      return senders(asks.country, asks.kid);
  }
}

const ended = (): PortolanError => new PortolanError('seal.thread-ended', 'sealing thread');
