import { PortolanError } from '@portolan/contracts';
import type { Checkpoint, ExchangePorts, ExchangeTx, Row, Telemetry, Transfer, TransferState, UnitOfWork, Wakeups } from '@portolan/domain';
import { Loop, sleep } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import { TransferWrites } from './transfer-writes.js';

/** Steps under way at once. */
const BATCH = 16;
/** A round waits this long for its steps; what takes longer (a hospital that is slow to answer) goes on beside the next rounds. */
const HELD_MS = 250;
const STUCK_MS = 300_000;

/** What is waited for in the ordinary course of things is no failure to log, and somebody waits for it: it is looked for often. */
const AWAITED_PAUSE_MS = 1_000;
const AWAITED: ReadonlySet<string> = new Set(['receive.step-not-visible', 'request.emergency-not-visible']);

/**
 * Executes the rows of the pipeline: takes what is due, plans, writes once, and goes on from wherever a row was left. Steps of several transfers
 * that are decided while others are written are written together; where one of them cannot be, each is by itself.
 */
export class PipelineRunner {
  private readonly loop: Loop;
  private readonly underWay = new Set<Promise<void>>();
  private readonly byState: ReadonlyMap<string, Row<ExchangeTx, ExchangePorts, Transfer>>;
  private readonly writes: TransferWrites;

  constructor(
    rows: readonly Row<ExchangeTx, ExchangePorts, Transfer>[],
    private readonly ports: ExchangePorts,
    private readonly uow: UnitOfWork<ExchangeTx>,
    private readonly checkpoint: Checkpoint,
    private readonly telemetry: Telemetry,
    private readonly logger: NodeLogger,
    wakeups: Wakeups,
    private readonly takeOverAfterMs: number,
  ) {
    this.writes = new TransferWrites(uow, BATCH);
    this.byState = new Map(rows.map((row) => [row.from, row]));
    this.loop = new Loop({ name: 'pipeline', work: () => this.round(), idleMs: 250, wakeups, channel: 'transfers', logger });
  }

  start(): void {
    this.loop.start();
  }

  /** Ends after the steps that are under way. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.underWay);
  }

  private async round(): Promise<boolean> {
    const states = [...this.byState.keys()] as TransferState[];
    if (this.underWay.size >= BATCH) await Promise.race(this.underWay);
    const taken = await this.uow.alone((tx) => tx.transfers.take(states, BATCH - this.underWay.size, this.takeOverAfterMs));
    await this.held(taken.map((transfer) => this.begin(transfer as Transfer)));
    return taken.length > 0;
  }

  private begin(transfer: Transfer): Promise<void> {
    const step = this.advance(transfer)
      // The row stays as it was, and is taken again when its time with us is over.
      .catch((error: unknown) => {
        const code = error instanceof PortolanError ? error.code : 'runtime.unexpected';
        this.logger.failure('a step was not set back', code, error);
      })
      .finally(() => this.underWay.delete(step));
    this.underWay.add(step);
    return step;
  }

  private async held(steps: readonly Promise<void>[]): Promise<void> {
    const done = new AbortController();
    await Promise.race([Promise.all(steps), sleep(HELD_MS, done.signal)]);
    done.abort();
  }

  private async advance(transfer: Transfer): Promise<void> {
    const row = this.byState.get(transfer.state);
    if (row === undefined) return;
    const carrier = (transfer.data as { trace?: Record<string, string> }).trace;
    await this.telemetry.span(
      `pipeline ${row.step}`,
      { 'portolan.step': row.step, 'portolan.transfer': transfer.transferId },
      carrier,
      () => this.execute(row, transfer),
    );
  }

  private async execute(row: Row<ExchangeTx, ExchangePorts, Transfer>, transfer: Transfer): Promise<void> {
    try {
      const planned = await row.plan(transfer, this.ports);
      await this.writes.do(transfer.transferId, async (tx) => {
        await planned.write(tx);
        this.checkpoint.reach(row.step, 'before');
      });
      this.checkpoint.reach(row.step, 'after');
    } catch (error) {
      await this.setBack(row, transfer, error);
    }
  }

  /** Retriable: again after a growing pause. Final: the row's own ending, or a long pause and a line in doctor. */
  private async setBack(row: Row<ExchangeTx, ExchangePorts, Transfer>, transfer: Transfer, error: unknown): Promise<void> {
    const known =
      error instanceof PortolanError
        ? error
        : new PortolanError('transfer.step-failed', `pipeline/${row.step}`, undefined, { cause: error });
    const final = !known.retriable && error instanceof PortolanError;
    if (!AWAITED.has(known.code)) this.logger.failure(`step ${row.step} did not complete`, known.code, error);
    const { fail } = row;
    if (final && fail !== undefined) return this.uow.run((tx) => fail(tx, transfer, known, this.ports));
    const longest = AWAITED.has(known.code) ? AWAITED_PAUSE_MS : 30_000;
    const pause = final ? STUCK_MS : Math.min(longest, 100 * 2 ** Math.min(transfer.attempts, 8));
    await this.uow.run((tx) => tx.transfers.postpone(transfer.transferId, pause, known.code));
  }
}
