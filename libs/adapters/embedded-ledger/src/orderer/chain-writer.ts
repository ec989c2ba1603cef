import { PortolanError, type Instant } from '@portolan/contracts';
import type { OrdererStore, SignedBlock, Signer } from '@portolan/domain';
import { headerOf, headerText, tipBefore, tipOf, type Tip } from '../chain/block.js';
import type { Genesis } from '../chain/genesis.js';
import { Signal } from '../chain/signal.js';
import type { ChainTools } from '../chain/tools.js';
import { openTransaction, typ } from '../chain/transaction.js';

/** Writes the chain: signs the header that continues it, and keeps the block before anybody hears of it. */
export class ChainWriter {
  /** Fires when a block was kept. */
  readonly grown = new Signal();
  private last: Tip;

  constructor(
    private readonly store: OrdererStore,
    private readonly signer: Signer,
    private readonly genesis: Genesis,
    private readonly tools: ChainTools,
  ) {
    this.last = tipBefore(genesis);
  }

  get tip(): Tip {
    return this.last;
  }

  /** Resumes where the store ends; begins with block 0 where it is empty. `orderer.genesis-mismatch` for another channel's chain. */
  async open(): Promise<void> {
    const [first] = await this.store.blocks(0, 1);
    if (first !== undefined && headerOf(first.header).previous !== this.genesis.hash) {
      throw new PortolanError('orderer.genesis-mismatch', 'orderer store');
    }
    await this.reload();
    if (this.last.number >= 0) return;
    const founding = this.genesis.transactions.map((jws) => ({
      id: openTransaction(jws, this.genesis.channel, this.tools).payload.id,
      jws,
    }));
    await this.append(founding, this.genesis.time);
  }

  /**
   * Appends one block dated `now`, or like its predecessor where a clock went back. False, and the tip read anew, where another
   * process has written meanwhile or one of the ids stands in the chain already.
   */
  async append(transactions: SignedBlock['transactions'], now: Instant): Promise<boolean> {
    const { number, time } = this.last;
    const jwss = transactions.map(({ jws }) => jws);
    const text = headerText(this.genesis.channel, this.last, jwss, now < time ? time : now, this.tools);
    const header = await this.signer.sign('ledger', typ('block-header'), text);
    const block = { number: number + 1, header, transactions };
    const kept = await this.store.append(block);
    if (!kept) {
      await this.reload();
      return false;
    }
    this.last = tipOf(block, this.tools);
    this.grown.fire();
    return true;
  }

  /** Reads the tip from the store: after a failed write it alone knows. */
  async reload(): Promise<void> {
    const [newest] = await this.store.blocks(await this.store.height(), 1);
    this.last = newest === undefined ? tipBefore(this.genesis) : tipOf(newest, this.tools);
    this.grown.fire();
  }
}
