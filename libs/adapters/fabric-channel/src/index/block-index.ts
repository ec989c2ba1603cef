import type { common } from '@hyperledger/fabric-protos';
import type { OrgId } from '@portolan/contracts';
import type { FabricIndexStore } from '@portolan/domain';
import { contentKey, keysOf } from '@portolan/ledger-rules';
import { sha256, sha256Of } from '../block/act.js';
import { indexKeys, readBlock, type Tip } from '../block/read-block.js';
import { ReadsOfATurn } from './reads-of-a-turn.js';
import { Signal } from './waiting.js';

/** How often is looked for blocks that another process of the notary may have taken in. */
const ELSEWHERE_MS = 500;

/** The notary's index: it takes in the blocks of its own peer in order, and answers from what they wrote. */
export class BlockIndex {
  /** Fires when this process has appended a block. */
  readonly grown = new Signal();
  /** Ends the stream of blocks that is being read, so that another is opened. */
  reopen: () => void = () => undefined;
  private tip: Tip | undefined;
  private readonly reads = new ReadsOfATurn((keys) => this.store.read(keys));

  constructor(
    readonly store: FabricIndexStore,
    private readonly chaincode: string,
  ) {}

  /** Number that the next block must have. */
  async next(): Promise<number> {
    return (await this.height()) + 1;
  }

  async height(): Promise<number> {
    return (await this.store.newest())?.number ?? -1;
  }

  /**
   * Takes in the next block; `orderer.block-invalid` where it does not continue the index. One that stands already is passed over: another
   * process of the notary was faster, and read the same.
   */
  async take(raw: common.Block): Promise<void> {
    const number = raw.getHeader()?.getNumber() ?? 0;
    if (this.tip?.number !== number - 1) this.tip = await this.store.newest();
    const next = (this.tip?.number ?? -1) + 1;
    if (number < next) return;
    // The store was emptied meanwhile: another stream begins at its end.
    if (number > next) this.reopen();
    else await this.append(raw);
  }

  private async append(raw: common.Block): Promise<void> {
    const { block, writes } = readBlock(raw, this.tip, this.chaincode);
    const appended = await this.store.append(block, writes);
    this.tip = appended ? block : undefined;
    this.grown.fire();
  }

  /** The store was emptied: blocks are wanted from the first again. */
  forget(): void {
    this.tip = undefined;
    this.reopen();
  }

  /** Waits until block `number` stands here, at most `ms`. */
  async reached(number: number, ms: number, until: AbortSignal): Promise<void> {
    const end = performance.now() + ms;
    for (;;) {
      const seen = this.grown.fired;
      if ((await this.height()) >= number || performance.now() >= end || until.aborted) return;
      // Another process may share the store, and wakes nobody here.
      await this.grown.wait(Math.min(end - performance.now(), ELSEWHERE_MS), until, seen);
    }
  }

  /** Public bytes of a record, given only where they are what the owner's entry holds. */
  async record(owner: OrgId, key: string): Promise<Uint8Array | undefined> {
    const [name] = keysOf({ owner, key });
    if (name.space !== 'public') return undefined;
    const owned = await this.reads.value(indexKeys.owned(owner, sha256Of(key)));
    if (owned === undefined) return undefined;
    const hash = Buffer.from(owned).toString('utf8');
    const open = await this.reads.value(indexKeys.open(contentKey(name.key, hash)));
    return open !== undefined && sha256(open).toString('hex') === hash ? open : undefined;
  }
}
