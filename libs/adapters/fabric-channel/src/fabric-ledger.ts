import type { FabricTrust, OrgId, Uuid } from '@portolan/contracts';
import {
  Ledger,
  type Clock,
  type CommittedBlock,
  type CommittedTx,
  type FabricIndexStore,
  type FoundTx,
  type IndexedTx,
  type RefusedAct,
  type StepVerdict,
} from '@portolan/domain';
import { rules } from '@portolan/ledger-rules';
import { evidenceOf, type FabricEvidence } from './evidence.js';
import type { ChannelClient } from './client/channel-client.js';
import { limits } from './client/limits.js';
import { Submission } from './client/submission.js';
import { Contact } from './index/contact.js';
import { BlockIndex } from './index/block-index.js';
import { pause, repeat } from './index/waiting.js';
import { trustFileOf } from './trust-file.js';

export interface FabricLedgerOptions {
  /** The country (or regulator) whose notary this is: its MSP id on the channel. */
  readonly org: OrgId;
  readonly channel: string;
  /** Name of the chaincode definition; `portolan` unless said. */
  readonly chaincode?: string;
  /** How many countries the channel's policy has endorse beside the owner; what a trust file asks of a receipt. 1 unless said. */
  readonly otherEndorsers?: number;
  /**
   * The channel through our own peer: what that peer has committed is this notary's copy. Acts in the notary's identity, whose
   * certificate's key is the registered `ledger` key. Closed with the ledger.
   */
  readonly client: ChannelClient;
  readonly store: FabricIndexStore;
  readonly clock: Clock;
  /** Told of failures that the ledger lives through; they name places only. */
  readonly onTrouble?: (error: unknown) => void;
}

/**
 * A Fabric channel as one country's notary has it: acts go through its own peer, and what it believes is what that peer has
 * committed, kept in an index of its own that follows the peer's blocks. Reads go on while peer or orderers cannot be reached.
 */
export class FabricLedger extends Ledger {
  private readonly stop = new AbortController();
  private readonly index: BlockIndex;
  private readonly contact: Contact;
  private readonly submission: Submission;
  private loops: readonly Promise<void>[] = [];

  private constructor(private readonly options: FabricLedgerOptions) {
    super();
    const { store, clock, chaincode = 'portolan' } = options;
    this.index = new BlockIndex(store, chaincode);
    this.contact = new Contact(clock);
    this.submission = new Submission({ ...options, index: this.index, contact: this.contact, until: this.stop.signal });
  }

  /** Starts to follow our own peer, from the newest block of the index on. */
  static async open(options: FabricLedgerOptions): Promise<FabricLedger> {
    const ledger = new FabricLedger(options);
    ledger.follow();
    return ledger;
  }

  /**
   * Hands an act over and waits for its commit on our own peer. Resolves where it stands valid or is refused for good, which `outcome` tells;
   * throws `ledger.unreachable` where its outcome is unknown, the code of what is tried again later (`ledger.read-conflict`,
   * `ledger.endorsement-failed`, …), or the code for which the channel does not let us act (`ledger.key-not-valid`, `orderer.time-window`, …).
   */
  async submit(call: { id: Uuid; fn: string; args: unknown }): Promise<void> {
    await this.submission.bring(call);
  }

  /** The act of this organisation with this id: other organisations may use the same one. */
  async outcome(id: Uuid): Promise<CommittedTx | undefined> {
    const stands = (await this.options.store.find(id)).find(({ org, valid }) => valid && org === this.options.org);
    if (stands !== undefined) return committedTx(stands, stands.block);
    const refused = await this.options.store.refusal(id);
    return refused === undefined ? undefined : this.refusedTx(refused);
  }

  async record(owner: OrgId, key: string): Promise<Uint8Array | undefined> {
    return this.index.record(owner, key);
  }

  async height(): Promise<number> {
    return this.index.height();
  }

  async blocks(from: number, limit: number): Promise<readonly CommittedBlock[]> {
    const blocks = await this.options.store.blocks(from, limit);
    return blocks.map(({ number, time, transactions }) => ({
      number,
      time,
      transactions: transactions.map((tx) => committedTx(tx, number)),
    }));
  }

  async beyond(height: number, timeoutMs: number): Promise<void> {
    await this.index.reached(height + 1, timeoutMs, this.stop.signal);
  }

  lastContact(): number {
    return this.contact.last();
  }

  async evidence(txId: Uuid): Promise<FabricEvidence | undefined> {
    return evidenceOf(txId, this.options);
  }

  /** The pinned trust file as our own peer's blocks give it. */
  async trustFile(): Promise<FabricTrust> {
    const { channel, chaincode = 'portolan', otherEndorsers = 1, store } = this.options;
    return trustFileOf({ channel, chaincode, otherEndorsers, store, index: this.index });
  }

  /** Forgets the index and builds it again from block 0; acts that were refused stay refused. */
  async rebuild(): Promise<void> {
    await this.options.store.clear();
    this.index.forget();
  }

  /** How far our own peer is, and how far this index. */
  async state(): Promise<{ readonly height: number; readonly peer: number | undefined }> {
    const peer = await this.options.client.height().catch(() => undefined);
    return { height: await this.height(), peer: peer === undefined ? undefined : peer - 1 };
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.loops);
    this.options.client.close();
  }

  private follow(): void {
    const trouble = (error: unknown): void => this.options.onTrouble?.(error);
    this.loops = [() => this.takeBlocks(), () => this.askPeer()].map((work) => repeat(work, this.stop.signal, trouble));
  }

  /** One stream of blocks, until it breaks, has fallen behind or is to be opened anew. */
  private async takeBlocks(): Promise<void> {
    const from = await this.index.next();
    const stream = await this.options.client.blocks(from);
    const close = (): void => stream.close();
    this.stop.signal.addEventListener('abort', close);
    this.index.reopen = close;
    try {
      for await (const block of stream) {
        await this.index.take(block);
        this.contact.committed();
      }
    } finally {
      this.stop.signal.removeEventListener('abort', close);
      close();
    }
    await pause(50, this.stop.signal);
  }

  /** From our own peer's answer the notary knows that it still has the channel; a stream that has silently died shows, too. */
  private async askPeer(): Promise<void> {
    const [before, height] = [await this.index.height(), await this.options.client.height()];
    this.contact.answered();
    await pause(limits.contactMs, this.stop.signal);
    const behind = height - 1 > before && (await this.index.height()) === before;
    if (behind) this.index.reopen();
  }

  private refusedTx({ id, fn, args, code, where, time, height }: RefusedAct): CommittedTx {
    const role = rules[fn]?.role ?? 'governance';
    const parsed: unknown = JSON.parse(args);
    return { id, org: this.options.org, role, fn, args: parsed, time, valid: false, code, where, block: height, index: -1 };
  }
}

function committedTx({ id, org, role, fn, args, time, valid, code, verdicts, index }: IndexedTx | FoundTx, block: number): CommittedTx {
  const steps = verdicts === '' ? undefined : (JSON.parse(verdicts) as StepVerdict[]);
  return {
    id,
    org,
    role,
    fn,
    args: JSON.parse(args) as unknown,
    time,
    valid,
    ...(code === undefined ? {} : { code }),
    ...(steps === undefined ? {} : { verdicts: steps }),
    block,
    index,
  };
}
