import { PortolanError, type Instant, type OrderedBlock, type Sha256 as Sha256Hex } from '@portolan/contracts';
import type { ExecutedBlock, LedgerCopyStore } from '@portolan/domain';
import { checkBlock, headerOf, tipBefore, tipOf, type Tip } from '../chain/block.js';
import type { Genesis } from '../chain/genesis.js';
import { Signal } from '../chain/signal.js';
import type { ChainTools } from '../chain/tools.js';
import { executeBlock, noState } from './execution.js';

/** What our own copy says of one of its blocks. */
export interface BlockFacts {
  readonly number: number;
  readonly time: Instant;
  readonly headerHash: Sha256Hex;
  readonly resultsHash: Sha256Hex;
  readonly stateHash: Sha256Hex;
}

/** The facts of a stored block. */
export function factsOf(block: ExecutedBlock, tools: ChainTools): BlockFacts {
  const { hash, time, number } = tipOf(block, tools);
  return { number, time, headerHash: hash, resultsHash: block.resultsHash, stateHash: block.stateHash };
}

const factsRemembered = 2_000;

/** One organisation's copy: it takes in what continues its chain, executes it, and keeps block, outcome and state in one write. */
export class LedgerCopy {
  /** Fires when a block was appended by this process. */
  readonly grown = new Signal();
  private readonly remembered = new Map<number, BlockFacts>();
  private last: { readonly tip: Tip; readonly stateHash: string } | undefined;

  constructor(
    readonly store: LedgerCopyStore,
    readonly genesis: Genesis,
    readonly tools: ChainTools,
  ) {}

  /** Throws `orderer.genesis-mismatch` where the store holds another channel's chain. */
  async open(): Promise<void> {
    const [first] = await this.store.blocks(0, 1);
    if (first !== undefined && headerOf(first.header).previous !== this.genesis.hash) {
      throw new PortolanError('orderer.genesis-mismatch', 'ledger copy');
    }
    await this.reload();
  }

  /** Number that the next block must have. */
  async next(): Promise<number> {
    return (await this.store.height()) + 1;
  }

  /**
   * Takes in consecutive blocks from number `from`; `orderer.block-invalid` for the first that does not continue the chain, which
   * stays out. Leaves the rest where another process of the organisation was faster: it executed the same blocks alike.
   */
  async take(from: number, blocks: readonly OrderedBlock[]): Promise<void> {
    let number = from;
    for (const block of blocks) {
      if ((await this.next()) !== number || !(await this.takeOne(block, number))) return;
      number += 1;
    }
  }

  /** Facts of a block, without its transactions; undefined beyond the newest. */
  async facts(number: number): Promise<BlockFacts | undefined> {
    const known = this.remembered.get(number);
    if (known !== undefined) return known;
    const [block] = await this.store.blocks(number, 1);
    if (block === undefined) return undefined;
    const facts = factsOf(block, this.tools);
    this.remembered.set(number, facts);
    if (this.remembered.size > factsRemembered) this.remembered.delete(this.remembered.keys().next().value ?? number);
    return facts;
  }

  /** Waits until block `number` stands here, at most `ms`; whether it does. */
  async reached(number: number, ms: number, until?: AbortSignal): Promise<boolean> {
    const end = performance.now() + ms;
    for (;;) {
      if ((await this.store.height()) >= number) return true;
      const left = end - performance.now();
      if (left <= 0 || until?.aborted === true) return false;
      // Another process may share the store, and wakes nobody here.
      await this.grown.wait(Math.min(left, 200), until);
    }
  }

  private async takeOne(block: OrderedBlock, number: number): Promise<boolean> {
    const { tip, stateHash } = this.last?.tip.number === number - 1 ? this.last : await this.reload();
    const checked = await checkBlock(block, tip, this.genesis, this.tools);
    const { block: executed, writes } = await executeBlock(checked, stateHash, this.store, this.genesis, this.tools);
    const appended = await this.store.append(executed, writes);
    if (appended) this.last = { tip: checked.tip, stateHash: executed.stateHash };
    this.grown.fire();
    return appended;
  }

  private async reload(): Promise<{ readonly tip: Tip; readonly stateHash: string }> {
    const [newest] = await this.store.blocks(await this.store.height(), 1);
    this.last =
      newest === undefined
        ? { tip: tipBefore(this.genesis), stateHash: noState }
        : { tip: tipOf(newest, this.tools), stateHash: newest.stateHash };
    return this.last;
  }
}
