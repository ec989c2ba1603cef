import {
  canonicalJson,
  PortolanError,
  type CompactJws,
  type EmbeddedTrust,
  type OrderedAttestation,
  type OrgId,
  type Uuid,
  type Validators,
} from '@portolan/contracts';
import {
  instant,
  Ledger,
  type Clock,
  type CommittedBlock,
  type CommittedTx,
  type LedgerCopyStore,
  type Signer,
  type StoredAttestation,
} from '@portolan/domain';
import { readGenesis } from '../chain/genesis.js';
import { limits } from '../chain/limits.js';
import type { OrdererLink } from '../chain/orderer-link.js';
import { backoffMs, pause, repeat } from '../chain/signal.js';
import { nodeTools } from '../chain/tools.js';
import { typ } from '../chain/transaction.js';
import { divergencesOn, type Divergence } from '../copy/agreement.js';
import { agreeingDigest, attestationText, openAttestation, verifyAttestation } from '../copy/attestation.js';
import { LedgerCopy } from '../copy/ledger-copy.js';
import { Records } from '../copy/records.js';
import { committedBlock, committedTx } from './committed.js';
import { evidenceOf, type EmbeddedEvidence } from './evidence.js';
import { trustFileOf } from './trust-file.js';

export interface EmbeddedLedgerOptions {
  /** The country (or regulator) whose copy this is. */
  readonly org: OrgId;
  /** Exact text of the genesis document, from our own configuration. */
  readonly genesis: string;
  readonly store: LedgerCopyStore;
  readonly orderer: OrdererLink;
  /** Signs transactions and attestations with the notary's `ledger` key. */
  readonly signer: Signer;
  readonly clock: Clock;
  readonly validators: Validators;
  /** Attest the blocks executed here; false for an organisation that only reads, such as a regulator without a ledger key. */
  readonly attest?: boolean;
  /** Told of failures that the copy lives through; they name places only. */
  readonly onTrouble?: (error: unknown) => void;
  /** Told once of each statement that differs from our own copy: an alarm. `divergences` says whose fault it is. */
  readonly onDivergence?: (statement: { readonly org: OrgId; readonly block: number }) => void;
}

const submitAttempts = 5;
const attestAtOnce = 50;

/**
 * The embedded ledger as one country's notary has it: its own copy, fed by the orderer, believed by nothing but signatures and
 * its own execution. Reads go on while the orderer cannot be reached.
 */
export class EmbeddedLedger extends Ledger {
  private readonly stop = new AbortController();
  private readonly records: Records;
  private loops: readonly Promise<void>[] = [];
  private attestedUpTo = -1;
  private attestAtOnce = attestAtOnce;
  private contact: number;

  private constructor(
    private readonly options: EmbeddedLedgerOptions,
    private readonly copy: LedgerCopy,
  ) {
    super();
    this.records = new Records(copy.store, copy.tools.sha256);
    this.contact = options.clock.now();
  }

  /** Opens the copy and starts to follow the orderer. `orderer.genesis-mismatch` where the store holds another channel's chain. */
  static async open(options: EmbeddedLedgerOptions): Promise<EmbeddedLedger> {
    const tools = nodeTools(options.validators);
    const copy = new LedgerCopy(options.store, readGenesis(options.genesis, tools), tools);
    await copy.open();
    const ledger = new EmbeddedLedger(options, copy);
    ledger.attestedUpTo = await ledger.lastAttested();
    ledger.follow();
    return ledger;
  }

  async submit({ id, fn, args }: { id: Uuid; fn: string; args: unknown }): Promise<void> {
    const { org, signer, clock } = this.options;
    if ((await this.copy.store.find(id)) !== undefined) return;
    const { channel } = this.copy.genesis;
    const text = canonicalJson({ v: 1, channel, org, role: 'notary', id, time: instant(clock.now()), fn, args });
    await this.submitSigned(await signer.sign('ledger', typ('transaction'), text));
  }

  /**
   * Hands in a transaction that was signed elsewhere: an act of the governance identity. Throws `ledger.unreachable` after bounded
   * retries (retriable; the outcome is unknown), or the code for which the orderer refuses it.
   */
  async submitSigned(jws: CompactJws): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.options.orderer.submit(jws);
        this.contact = this.options.clock.now();
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        if (attempt + 1 >= submitAttempts || this.stop.signal.aborted) throw unreachable(error);
        await pause(backoffMs(attempt), this.stop.signal);
      }
    }
  }

  async outcome(id: Uuid): Promise<CommittedTx | undefined> {
    const place = await this.copy.store.find(id);
    if (place === undefined) return undefined;
    const [block] = await this.copy.store.blocks(place.block, 1);
    return block === undefined ? undefined : committedTx(block, place.index);
  }

  async record(owner: OrgId, key: string): Promise<Uint8Array | undefined> {
    return this.records.bytes({ owner, key });
  }

  async height(): Promise<number> {
    return this.copy.store.height();
  }

  async blocks(from: number, limit: number): Promise<readonly CommittedBlock[]> {
    return (await this.copy.store.blocks(from, limit)).map(committedBlock);
  }

  async beyond(height: number, timeoutMs: number): Promise<void> {
    await this.copy.reached(height + 1, timeoutMs, this.stop.signal);
  }

  lastContact(): number {
    return this.contact;
  }

  async evidence(txId: Uuid): Promise<EmbeddedEvidence | undefined> {
    return evidenceOf(txId, this.copy);
  }

  /** The pinned trust file as our own copy gives it. */
  async trustFile(): Promise<EmbeddedTrust> {
    return trustFileOf(this.copy);
  }

  /** Organisations whose copies stand apart, each with the first block where it does. Reads the whole chain. */
  async divergences(): Promise<readonly Divergence[]> {
    return divergencesOn(this.copy, this.options.org);
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.loops);
  }

  private follow(): void {
    const works = [() => this.pull(), () => this.gather(), ...(this.options.attest === false ? [] : [() => this.attestNext()])];
    this.loops = works.map((work) => repeat(work, this.stop.signal, (error) => this.options.onTrouble?.(error)));
  }

  private async pull(): Promise<void> {
    const from = await this.copy.next();
    const blocks = await this.options.orderer.blocks(from, limits.contactMs, this.stop.signal);
    this.contact = this.options.clock.now();
    if (blocks.length === 0) await this.breathe();
    else await this.copy.take(from, blocks);
  }

  /** An orderer that answers at once with nothing must not make us spin. */
  private breathe(): Promise<void> {
    return pause(20, this.stop.signal);
  }

  /** Signs what was executed, in order, as soon as it stands on the copy. */
  private async attestNext(): Promise<void> {
    const from = this.attestedUpTo + 1;
    if (!(await this.copy.reached(from, limits.waitMs, this.stop.signal))) return;
    const { org, signer, orderer } = this.options;
    const texts: string[] = [];
    for (let number = from; texts.length < this.attestAtOnce; number += 1) {
      const facts = await this.copy.facts(number);
      if (facts === undefined) break;
      texts.push(attestationText(org, this.copy.genesis.channel, facts));
    }
    const signed = await Promise.all(texts.map((text) => signer.sign('ledger', typ('attestation'), text)));
    await orderer.attest(signed).then(
      () => (this.attestAtOnce = attestAtOnce),
      (error: unknown) => this.passOver(error, signed.length),
    );
    this.attestedUpTo += signed.length;
  }

  /** A block from before our present key cannot be attested any more: alone it is passed over, among others they go one by one. */
  private passOver(error: unknown, count: number): void {
    if (!(error instanceof PortolanError) || error.code !== 'orderer.attestation-invalid') throw error;
    if (count > 1) {
      this.attestAtOnce = 1;
      throw error;
    }
    this.options.onTrouble?.(error);
  }

  /** Collects everybody's attestations, verified; those of blocks that the copy lacks yet wait for it. */
  private async gather(): Promise<void> {
    const cursor = await this.copy.store.attestationCursor();
    const came = await this.options.orderer.attestations(cursor, limits.waitMs, this.stop.signal);
    if (came.length === 0) return this.breathe();
    let read = cursor;
    const kept: StoredAttestation[] = [];
    for (const one of came) {
      const attestation = await this.verified(one);
      if (attestation === 'ahead') break;
      if (attestation !== undefined) kept.push(attestation);
      read = one.seq;
    }
    if (read > cursor) await this.copy.store.keepAttestations(kept, read);
    for (const one of kept) await this.compare(one);
  }

  private async verified({ jws }: OrderedAttestation): Promise<StoredAttestation | 'ahead' | undefined> {
    try {
      const opened = openAttestation(jws, this.copy.genesis.channel, this.copy.tools);
      if (!(await this.copy.reached(opened.stored.block, 5_000, this.stop.signal))) return 'ahead';
      await verifyAttestation(opened, this.copy);
      return opened.stored;
    } catch (error) {
      // Only the orderer could have let it in: it proves nothing and is passed over.
      if (!(error instanceof PortolanError)) throw error;
      this.options.onTrouble?.(error);
      return undefined;
    }
  }

  private async compare({ org, block, digest }: StoredAttestation): Promise<void> {
    const ours = await this.copy.facts(block);
    if (ours === undefined) return;
    if (agreeingDigest(org, this.copy.genesis.channel, ours, this.copy.tools) !== digest) this.options.onDivergence?.({ org, block });
  }

  /** The newest block for which our own attestation came back from the orderer: they are handed in in order. */
  private async lastAttested(): Promise<number> {
    const pageSize = 100;
    for (let to = await this.copy.store.height(); to >= 0; to -= pageSize) {
      const kept = await this.copy.store.attestations(Math.max(0, to - pageSize + 1), to);
      const own = kept.filter(({ org }) => org === this.options.org).map(({ block }) => block);
      if (own.length > 0) return Math.max(...own);
    }
    return -1;
  }
}

const passing = ['ledger.unreachable', 'orderer.busy', 'orderer.chain-forked', 'orderer.answer-malformed'];
const isPassing = (error: unknown): error is PortolanError => error instanceof PortolanError && passing.includes(error.code);
const unreachable = (error: PortolanError): PortolanError =>
  error.code === 'ledger.unreachable' ? error : new PortolanError('ledger.unreachable', error.where, error.code, { cause: error });
