import {
  PortolanError,
  type CompactJws,
  type Kid,
  type OrderedAttestation,
  type OrderedBlock,
  type OrgId,
  type Validators,
} from '@portolan/contracts';
import { instant, type Clock, type LedgerCopyStore, type OrdererStore, type Signer } from '@portolan/domain';
import { signerReads } from '@portolan/ledger-rules';
import { readGenesis, type Genesis } from '../chain/genesis.js';
import { limits } from '../chain/limits.js';
import type { OrdererLink } from '../chain/orderer-link.js';
import { repeat, Signal } from '../chain/signal.js';
import { nodeTools, type ChainTools } from '../chain/tools.js';
import { openTransaction, type OpenedTransaction } from '../chain/transaction.js';
import { openAttestation, verifyAttestation } from '../copy/attestation.js';
import { signatureMistake, withinWindow } from '../copy/execution.js';
import { LedgerCopy } from '../copy/ledger-copy.js';
import { Records } from '../copy/records.js';
import { ChainWriter } from './chain-writer.js';
import { Queue, type Waiting } from './queue.js';

export interface EmbeddedOrdererOptions {
  /** Exact text of the genesis document. */
  readonly genesis: string;
  readonly store: OrdererStore;
  /** The ordering organisation's own copy, by which it knows who is registered. */
  readonly copy: LedgerCopyStore;
  /** Signs headers with the `ledger` key that the genesis names. */
  readonly signer: Signer;
  readonly clock: Clock;
  readonly validators: Validators;
  /** From the first waiting transaction to the cut, milliseconds; 200 by default. */
  readonly cutAfterMs?: number;
  /** Told of failures that the orderer lives through; they name places only. */
  readonly onTrouble?: (error: unknown) => void;
}

/**
 * The one fixed orderer of the embedded ledger (design, section 6): no consensus. It puts signed transactions into blocks
 * of at most 500, or what came within 200 ms, signs the header and keeps the block before anybody gets it. After a crash it
 * goes on where its store ends; a transaction that was not kept by then was not acknowledged, and its owner sends it again.
 */
export class EmbeddedOrderer {
  private readonly queue: Queue;
  private readonly attested = new Signal();
  private readonly stop = new AbortController();
  private readonly records: Records;
  private loops: readonly Promise<void>[] = [];

  private constructor(
    private readonly options: EmbeddedOrdererOptions,
    private readonly genesis: Genesis,
    private readonly tools: ChainTools,
    private readonly chain: ChainWriter,
    private readonly copy: LedgerCopy,
  ) {
    this.queue = new Queue(options.cutAfterMs);
    this.records = new Records(copy.store, tools.sha256);
  }

  /** Begins or resumes the chain. `orderer.genesis-mismatch` where the stores hold another channel's. */
  static async start(options: EmbeddedOrdererOptions): Promise<EmbeddedOrderer> {
    const tools = nodeTools(options.validators);
    const genesis = readGenesis(options.genesis, tools);
    const chain = new ChainWriter(options.store, options.signer, genesis, tools);
    const copy = new LedgerCopy(options.copy, genesis, tools);
    await copy.open();
    await chain.open();
    const orderer = new EmbeddedOrderer(options, genesis, tools, chain, copy);
    orderer.run();
    return orderer;
  }

  /** The orderer in its own process, as `org` would reach it. */
  linkFor(org: OrgId): OrdererLink {
    return {
      submit: (jws) => this.submit(jws, org),
      attest: (attestations) => this.attest(attestations, org),
      blocks: (from, waitMs, until) => this.blocks(from, waitMs, until),
      attestations: (after, waitMs, until) => this.attestations(after, waitMs, until),
    };
  }

  /** The participant whose live registered TLS key this is. */
  async orgOfTlsKey(kid: Kid): Promise<OrgId | undefined> {
    return this.records.ownerOfTlsKey(kid, this.now());
  }

  /**
   * Takes a transaction that `from` hands in; without `from`, the orderer's operator does for its signer (a country that was just
   * admitted has no TLS key yet). Resolves once it stands in a block. See OrdererLink for what it throws.
   */
  async submit(jws: CompactJws, from?: OrgId): Promise<void> {
    if (jws.length > limits.transactionChars) throw new PortolanError('orderer.too-large', 'transaction');
    const opened = openTransaction(jws, this.genesis.channel, this.tools);
    if (from !== undefined && opened.payload.org !== from) throw new PortolanError('orderer.foreign-transaction', 'transaction org');
    const { id } = opened.payload;
    if (await this.isOrdered(id)) return;
    await this.refuseUnsigned(opened);
    // It may have been cut while its signature was checked; a second queueing would spoil the block that holds it again.
    if (await this.isOrdered(id)) return;
    if (this.stop.signal.aborted) throw stopped();
    await this.queue.add(id, jws);
  }

  /** Keeps attestations of `from` on blocks that were distributed. `orderer.attestation-invalid` for the first that is none. */
  async attest(attestations: readonly CompactJws[], from: OrgId): Promise<void> {
    for (const jws of attestations) await this.keepAttestation(jws, from);
    this.attested.fire();
  }

  async blocks(from: number, waitMs: number, until?: AbortSignal): Promise<readonly OrderedBlock[]> {
    return firstOf(this.chain.grown, waitMs, until, async () => {
      const found = await this.options.store.blocks(from, limits.answerBlocks);
      return bounded(found.map(({ header, transactions }) => ({ header, transactions: transactions.map(({ jws }) => jws) })));
    });
  }

  async attestations(after: number, waitMs: number, until?: AbortSignal): Promise<readonly OrderedAttestation[]> {
    return firstOf(this.attested, waitMs, until, async () => {
      const found = await this.options.store.attestationsAfter(after, limits.answerAttestations);
      return found.map(({ seq, jws }) => ({ seq, jws }));
    });
  }

  /** Hands back what waits, and stops. */
  async close(): Promise<void> {
    this.stop.abort();
    this.queue.clear(stopped());
    await Promise.all(this.loops);
  }

  private run(): void {
    const report = (error: unknown): void => this.options.onTrouble?.(error);
    this.loops = [() => this.cutNext(), () => this.follow()].map((work) => repeat(work, this.stop.signal, report));
  }

  /** The own copy follows the own chain as every other copy follows the orderer. */
  private async follow(): Promise<void> {
    const from = await this.copy.next();
    await this.copy.take(from, await this.blocks(from, limits.waitMs, this.stop.signal));
  }

  private async cutNext(): Promise<void> {
    const due = this.queue.size === 0 ? limits.waitMs : this.queue.dueIn();
    if (due > 0) await this.queue.grown.wait(due, this.stop.signal);
    else await this.cut(this.queue.next());
  }

  private async cut(entries: readonly Waiting[]): Promise<void> {
    try {
      const kept = await this.chain.append(
        entries.map(({ id, jws }) => ({ id, jws })),
        this.now(),
      );
      this.queue.settle(entries, kept ? undefined : new PortolanError('orderer.chain-forked', `block ${this.chain.tip.number}`));
    } catch (error) {
      // Whether the block was kept is unknown now: the senders ask again, and the store knows.
      this.queue.settle(entries, new PortolanError('ledger.unreachable', 'orderer store', undefined, { cause: error }));
      await this.chain.reload();
      throw error;
    }
  }

  /** What no live registered key signed, or is dated far off, never gets into a block. */
  private async refuseUnsigned(opened: OpenedTransaction): Promise<void> {
    const { org, time } = opened.payload;
    if (!withinWindow(time, this.now(), this.genesis.clockWindowMs)) throw new PortolanError('orderer.time-window', 'transaction time');
    // A key registered or ended in the newest block counts already.
    if (!(await this.copy.reached(this.chain.tip.number, 5_000))) throw new PortolanError('orderer.busy', 'own copy');
    const mistake = await signatureMistake(opened, await this.records.values(signerReads(org, opened.kid)), this.tools);
    if (mistake !== undefined) throw new PortolanError(mistake.code, mistake.where);
  }

  private async keepAttestation(jws: CompactJws, from: OrgId): Promise<void> {
    const opened = openAttestation(jws, this.genesis.channel, this.tools);
    const { block, org } = opened.stored;
    if (org !== from) throw new PortolanError('orderer.foreign-transaction', 'attestation org');
    if (block > this.chain.tip.number) throw new PortolanError('orderer.attestation-invalid', `attestation block ${block}`);
    if (!(await this.copy.reached(block, 5_000))) throw new PortolanError('orderer.busy', 'own copy');
    await verifyAttestation(opened, this.copy);
    if ((await this.options.store.countAttestations(block, org)) >= limits.statementsPerBlock) {
      throw new PortolanError('orderer.attestation-invalid', `attestation block ${block} statements`);
    }
    await this.options.store.addAttestation(opened.stored);
  }

  private async isOrdered(id: string): Promise<boolean> {
    return (await this.options.store.ordered([id])).length > 0;
  }

  private now(): string {
    return instant(this.options.clock.now());
  }
}

/** What `look` finds, at once or when `signal` fires, within `waitMs`; empty otherwise. */
async function firstOf<T>(
  signal: Signal,
  waitMs: number,
  until: AbortSignal | undefined,
  look: () => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const end = performance.now() + Math.min(waitMs, limits.waitMs);
  for (;;) {
    // Listens before it looks, so that what comes in between wakes it.
    const heard = new AbortController();
    const woken = signal.wait(end - performance.now(), until === undefined ? heard.signal : AbortSignal.any([until, heard.signal]));
    const found = await look();
    if (found.length > 0 || performance.now() >= end || until?.aborted === true) {
      heard.abort();
      return found;
    }
    await woken;
  }
}

/** The beginning of `blocks` that fits one answer; at least the first. */
function bounded(blocks: readonly OrderedBlock[]): readonly OrderedBlock[] {
  let chars = 0;
  return blocks.filter(({ header, transactions }, i) => {
    chars += header.length + transactions.reduce((sum, jws) => sum + jws.length, 0);
    return i === 0 || chars <= limits.answerChars;
  });
}

const stopped = (): PortolanError => new PortolanError('ledger.unreachable', 'orderer is stopping');
