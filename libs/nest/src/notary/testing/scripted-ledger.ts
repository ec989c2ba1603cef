import { randomUUID } from 'node:crypto';
import { Validators, type Instant, type StepLeaf } from '@portolan/contracts';
import { Ledger, type CommittedBlock, type CommittedTx, type StepVerdict } from '@portolan/domain';
import { sha256 } from '@portolan/keys';
import { keysOf, keyText, prepare, rules, type Decision, type StateKey, type Value } from '@portolan/ledger-rules';
import { hexOf } from '@portolan/verify';

interface Waiting {
  readonly id: string;
  readonly org: string;
  readonly fn: string;
  readonly args: unknown;
  readonly time: Instant;
}

/**
 * One organisation's copy of a channel whose blocks the test cuts: the real rules over a map. What other organisations do is added by the
 * test, dated as it likes; `refuse` makes a transaction invalid as a whole, as a host would that finds its time too far off.
 */
export class ScriptedLedger extends Ledger {
  private readonly state = new Map<string, Uint8Array>();
  private readonly chain: CommittedBlock[] = [];
  private readonly queue: Waiting[] = [];
  private readonly validators = new Validators();
  private readonly known = new Set<string>();
  /** Asked before each outcome is told: where a test freezes the one who asks. */
  beforeOutcome: (() => Promise<void>) | undefined;
  now: Instant = '2026-11-21T12:00:00.000Z';

  constructor(private readonly org: string) {
    super();
  }

  override async submit({ id, fn, args }: { id: string; fn: string; args: unknown }): Promise<void> {
    this.add(this.org, fn, args, this.now, id);
  }

  /** Queues a transaction of any organisation. */
  add(org: string, fn: string, args: unknown, time: Instant = this.now, id: string = randomUUID()): void {
    if (this.known.has(id)) return;
    this.known.add(id);
    this.queue.push({ id, org, fn, args, time });
  }

  /** Transactions that wait for a block. */
  waiting(): number {
    return this.queue.length;
  }

  /** What is waiting becomes the next block, in its order. */
  cut(refuse?: 'orderer.time-window' | 'ledger.transaction-too-large'): CommittedBlock {
    const number = this.chain.length;
    const transactions = this.queue.splice(0).map((one, index) => this.executed(one, { block: number, index }, refuse));
    const block = { number, time: this.now, transactions };
    this.chain.push(block);
    return block;
  }

  override async outcome(id: string): Promise<CommittedTx | undefined> {
    const found = this.chain.flatMap(({ transactions }) => transactions).find((one) => one.id === id);
    if (found !== undefined) await this.beforeOutcome?.();
    return found;
  }

  override async record(owner: string, key: string): Promise<Uint8Array | undefined> {
    return this.state.get(keyText(keysOf({ owner, key })[0]));
  }

  override async height(): Promise<number> {
    return this.chain.length - 1;
  }

  override async blocks(from: number, limit: number): Promise<readonly CommittedBlock[]> {
    return this.chain.slice(from, from + limit);
  }

  override async beyond(height: number): Promise<void> {
    if (this.chain.length - 1 <= height) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  override lastContact(): number {
    return Date.parse(this.now);
  }

  override async evidence(): Promise<undefined> {
    return undefined;
  }

  override async close(): Promise<void> {
    this.queue.length = 0;
  }

  private executed({ id, org, fn, args, time }: Waiting, place: { block: number; index: number }, refuse: string | undefined): CommittedTx {
    const role = rules[fn]?.role ?? 'notary';
    const told = { id, org, role, fn, args, time, ...place };
    if (refuse !== undefined) return { ...told, valid: false, code: refuse };
    const decision = this.decided({ fn, args, caller: { org, role }, time });
    if (!decision.ok) return { ...told, valid: false, code: decision.code, where: decision.where };
    for (const { key, bytes } of decision.writes) this.state.set(keyText(key), bytes);
    const steps = (args as { steps?: readonly { leaf: string }[] }).steps ?? [];
    const verdicts = decision.verdicts?.map((verdict): StepVerdict => {
      const { transferId, step } = JSON.parse(steps[verdict.index]?.leaf ?? '{}') as StepLeaf;
      return verdict.ok
        ? { transferId, step, accepted: true, position: verdict.position }
        : { transferId, step, accepted: false, code: verdict.code };
    });
    return { ...told, valid: true, ...(verdicts === undefined ? {} : { verdicts }) };
  }

  private decided(act: Parameters<typeof prepare>[0]): Decision {
    const prepared = prepare(act, { validators: this.validators, sha256 });
    return prepared.ok ? prepared.decide(new Map(prepared.reads.flatMap((key) => this.shown(key)))) : prepared;
  }

  /** Bytes of a public key, the hash of an owned one. */
  private shown(key: StateKey): readonly (readonly [string, Value])[] {
    const bytes = this.state.get(keyText(key));
    if (bytes === undefined) return [];
    return [[keyText(key), key.space === 'public' ? { bytes } : { hash: hexOf(sha256(bytes)) }]];
  }
}
