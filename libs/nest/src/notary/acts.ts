import { PortolanError, type PermitRecord, type Uuid } from '@portolan/contracts';
import {
  post,
  type ActRow,
  type CommittedTx,
  type Ledger,
  type NotaryTx,
  type Random,
  type UnitOfWork,
  type Wakeups,
} from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import { HOLD_BACK_MS, type RestingOn } from './resting-on.js';

/** Acts under way at once. */
const BATCH = 50;
/** Permits that go in one transaction at most (put-permits-args). */
const MOST_PERMITS = 200;
/** How long a submitted act's block is waited for at once: mostly it is in our copy already, or comes within milliseconds. */
const AT_ONCE_MS = 500;
/** How soon its outcome is looked for again after that. */
const LOOK_MS = 120;

export interface ActAnchorParts {
  readonly uow: UnitOfWork<NotaryTx>;
  readonly ledger: Ledger;
  readonly restingOn: RestingOn;
  readonly random: Random;
  readonly logger: NodeLogger;
  readonly wakeups: Wakeups;
  readonly takeOverAfterMs: number;
  /** Most permits of one transaction; with 1 each goes by itself, beside the others. What one transaction holds where absent. */
  readonly mostTogether?: number;
}

/**
 * Brings single acts (permits and their ends, consents, emergencies) to the channel. The outcome is asked for before anything is
 * submitted again: after a crash it is unknown (real-components, "Cost of things"). What rests on another record waits for it.
 */
export class ActAnchor {
  private readonly loop: Loop;
  private readonly underWay = new Set<Promise<void>>();
  /** Permits that came while others are on their way: they go together next. */
  private gathered: ActRow[] = [];
  private permitsUnderWay = false;

  constructor(private readonly parts: ActAnchorParts) {
    const { wakeups, logger } = parts;
    this.loop = new Loop({ name: 'acts', work: () => this.round(), idleMs: 250, wakeups, channel: 'acts', logger });
  }

  start(): void {
    this.loop.start();
  }

  /** Ends after the acts that are under way. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.underWay);
  }

  private get most(): number {
    return Math.min(MOST_PERMITS, this.parts.mostTogether ?? MOST_PERMITS);
  }

  private async round(): Promise<boolean> {
    if (this.underWay.size >= BATCH) await Promise.race(this.underWay);
    const room = BATCH - this.underWay.size + this.most - this.gathered.length;
    const taken = await this.parts.uow.alone((tx) => tx.acts.take(room, this.parts.takeOverAfterMs));
    const bundles = new Set(taken.flatMap(({ bundle }) => bundle ?? []));
    for (const bundle of bundles) this.begin('put-permits', this.advanceBundle(bundle));
    // What has waited here for longer than its lease is taken again: it waits on.
    const waiting = new Set(this.gathered.map(({ id }) => id));
    for (const act of taken.filter(({ bundle, id }) => bundle === undefined && !waiting.has(id))) {
      if (this.most > 1 && goesWithOthers(act)) this.gathered.push(act);
      else this.begin(act.fn, this.advance(act));
    }
    this.sendPermits();
    return taken.length > 0;
  }

  /** At once where none is under way; whatever comes meanwhile goes together next, as steps do. */
  private sendPermits(): void {
    if (this.permitsUnderWay || this.gathered.length === 0) return;
    const [first, ...others] = this.gathered.splice(0, this.most);
    if (first === undefined) return;
    this.permitsUnderWay = true;
    const work = others.length === 0 ? this.advance(first) : this.together([first, ...others]);
    const sent = work.finally(() => {
      this.permitsUnderWay = false;
      this.sendPermits();
    });
    this.begin('put-permits', sent);
  }

  private async together(acts: readonly ActRow[]): Promise<void> {
    const bundle = this.parts.random.uuid();
    const ids = acts.map(({ id }) => id);
    await this.parts.uow.alone((tx) => tx.acts.bundle(ids, bundle));
    await this.advanceBundle(bundle);
  }

  private async advanceBundle(bundle: Uuid): Promise<void> {
    const { ledger, uow } = this.parts;
    const all = await uow.alone((tx) => tx.acts.ofBundle(bundle));
    // Another copy of this role was quicker with every one of them.
    const acts = all.filter(({ state }) => state === 'pending' || state === 'submitted');
    if (acts.length === 0) return;
    await this.tried(acts, `${acts.length} permits`, async () => {
      let outcome = await ledger.outcome(bundle);
      if (outcome === undefined) {
        await ledger.submit({ id: bundle, fn: 'put-permits', args: { v: 1, permits: all.map(({ args }) => args) } });
        outcome = await this.outcomeSoon(bundle);
      }
      if (outcome === undefined) await this.postpone(acts, LOOK_MS, 'ledger.outcome-unknown');
      else if (outcome.valid) await this.settleAll(acts);
      else await this.separate(bundle, outcome.code);
    });
  }

  /** One that the channel refuses takes the others with it: each then goes by itself, and has an outcome of its own. */
  private async separate(bundle: Uuid, code: string | undefined): Promise<void> {
    this.parts.logger.failure('the channel refused permits that went together; each goes by itself', code ?? 'ledger.outcome-unknown');
    await this.parts.uow.alone((tx) => tx.acts.separate(bundle));
  }

  private async settleAll(acts: readonly ActRow[]): Promise<void> {
    await this.parts.uow.run(async (tx) => {
      for (const act of acts) await this.settled(tx, act, true, undefined);
    });
  }

  /** What takes long goes on beside the next rounds: an act that comes now does not wait for the blocks of earlier ones. */
  private begin(fn: string, work: Promise<void>): void {
    const step = work
      // The row stays as it was, and is taken again when its time with us is over.
      .catch((error: unknown) => {
        const code = error instanceof PortolanError ? error.code : 'runtime.unexpected';
        this.parts.logger.failure(`act ${fn} was not set back`, code, error);
      })
      .finally(() => this.underWay.delete(step));
    this.underWay.add(step);
  }

  private async advance(act: ActRow): Promise<void> {
    const { ledger, restingOn } = this.parts;
    await this.tried([act], `act ${act.fn}`, async () => {
      const outcome = await ledger.outcome(act.id);
      if (outcome !== undefined) await this.settle(act, outcome);
      else if (await restingOn.actMayGo(act)) await this.submit(act);
      else await this.postpone([act], HOLD_BACK_MS, 'ledger.ground-not-visible');
    });
  }

  /** What could not be done now is done later, and later again. */
  private async tried(acts: readonly ActRow[], what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const code = error instanceof PortolanError ? error.code : 'ledger.outcome-unknown';
      this.parts.logger.failure(`${what} did not reach the channel`, code, error);
      await this.postpone(acts, Math.min(10_000, 200 * 2 ** Math.min(acts[0]?.attempts ?? 0, 6)), code);
    }
  }

  private async submit(act: ActRow): Promise<void> {
    await this.parts.ledger.submit({ id: act.id, fn: act.fn, args: act.args });
    const outcome = await this.outcomeSoon(act.id);
    if (outcome !== undefined) return this.settle(act, outcome);
    await this.parts.uow.run((tx) => tx.acts.submitted(act.id));
    await this.postpone([act], LOOK_MS * Math.min(20, 1 + act.attempts), 'ledger.outcome-unknown');
  }

  /** Looked for at each new block. The height is read first: a block that comes between the two looks is not waited for. */
  private async outcomeSoon(id: Uuid): Promise<CommittedTx | undefined> {
    const { ledger } = this.parts;
    const end = performance.now() + AT_ONCE_MS;
    for (;;) {
      const height = await ledger.height();
      const outcome = await ledger.outcome(id);
      const left = end - performance.now();
      if (outcome !== undefined || left <= 0) return outcome;
      await ledger.beyond(height, left);
    }
  }

  private async postpone(acts: readonly ActRow[], delayMs: number, code: string): Promise<void> {
    await this.parts.uow.run(async (tx) => {
      for (const { id } of acts) await tx.acts.postpone(id, delayMs, code);
    });
  }

  private async settle(act: ActRow, outcome: CommittedTx): Promise<void> {
    const valid = outcome.valid || isThereAlready(act, outcome);
    const code = valid ? undefined : outcome.code;
    await this.parts.uow.run((tx) => this.settled(tx, act, valid, code));
    if (!valid) this.parts.logger.failure(`the channel refused ${act.fn}`, code ?? 'ledger.outcome-unknown');
  }

  private async settled(tx: NotaryTx, act: ActRow, valid: boolean, code: string | undefined): Promise<void> {
    const state = valid ? 'committed' : 'invalid';
    await tx.acts.settle(act.id, state, code);
    const keyId = await tx.keys.create();
    const body = { actId: act.id, state, ...(code === undefined ? {} : { code }) } as const;
    await post(tx, { id: this.parts.random.uuid(), type: 'act.settled', key: act.id, keyId, body });
  }
}

/**
 * Only its custodian writes a permit, under an id that it drew for this one act: one that is there already came with others, from a copy of this
 * role that was slower or quicker than we knew.
 */
const isThereAlready = ({ fn }: ActRow, { code }: CommittedTx): boolean => fn === 'put-permit' && code === 'ledger.already-written';

/**
 * A permit that nobody has tried yet: with others it costs a twentieth of a transaction of its own. A late one waits for its emergency, and what
 * was tried by itself has its outcome under its own id.
 */
const goesWithOthers = ({ fn, args, attempts }: ActRow): boolean =>
  fn === 'put-permit' && attempts === 1 && (args as PermitRecord).late === undefined;
