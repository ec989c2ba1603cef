import { PortolanError, type Envelope, type ErrorCode, type ExchangeAnswer, type ExchangeNotice, parseBounded } from '@portolan/contracts';
import {
  DUE_NOW,
  ensureTransferId,
  instant,
  openContent,
  openLateStep,
  post,
  readEnvelope,
  signals,
  type AskerData,
  type ExchangePorts,
  type ExchangeTx,
  type IncomingEnvelope,
  type SealedParts,
  type Transfer,
  type TransferState,
  type Wakeups,
} from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import { applyNotice } from './notices.js';
import { TransferWrites } from './transfer-writes.js';

const BATCH = 16;
const MAX_NOTICE_CHARS = 400_000;
const MAX_FAULTS = 1_000;
/** A notice is taken so long after its signed time, and no longer; ids of notices are kept for longer than that. */
const NOTICE_VALID_MS = 30 * 86_400_000;
/** How far a partner's clock may be ahead of ours. */
const AHEAD_MS = 15 * 60_000;

/**
 * Reads our inbox: each envelope becomes a new transfer, moves one on, or is a notice about one. What cannot be used is a dead letter
 * with its original; what cannot be used yet (its predecessor is still being handled) is tried again.
 */
export class Arrivals {
  private readonly loop: Loop;
  private readonly writes: TransferWrites;

  constructor(
    private readonly ports: ExchangePorts,
    private readonly logger: NodeLogger,
    wakeups: Wakeups,
    private readonly takeOverAfterMs: number,
  ) {
    this.writes = new TransferWrites(ports.uow, BATCH);
    this.loop = new Loop({ name: 'arrivals', work: () => this.round(), idleMs: 250, wakeups, channel: 'incoming', logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async round(): Promise<boolean> {
    const taken = await this.ports.uow.alone((tx) => tx.incoming.take(BATCH, this.takeOverAfterMs));
    // Of each key there is one: none of them waits for another.
    await Promise.all(taken.map((envelope) => this.handle(envelope)));
    return taken.length > 0;
  }

  private async handle(incoming: IncomingEnvelope & { attempts: number }): Promise<void> {
    try {
      const { country, validators, sha256 } = this.ports;
      const envelope = readEnvelope(incoming.body, incoming.from, country.code, validators, sha256);
      await this.take(envelope, incoming.seq);
    } catch (error) {
      await this.setAside(incoming, error);
    }
  }

  private take(envelope: Envelope, seq: string): Promise<void> {
    switch (envelope.kind) {
      case 'request':
        return this.begin(envelope, seq);
      case 'answer':
        return this.answered(envelope, seq);
      case 'record':
        return this.record(envelope, seq);
      case 'counter-receipt':
        return this.receipt(envelope, seq);
      case 'notice':
        return this.notice(envelope, seq);
    }
  }

  private written({ transferId }: Envelope, write: (tx: ExchangeTx) => Promise<void>): Promise<void> {
    return this.writes.do(ensureTransferId(transferId), write);
  }

  private async begin(envelope: Envelope, seq: string): Promise<void> {
    const now = this.ports.clock.now();
    await this.written(envelope, async (tx) => {
      const transfer: Transfer = {
        transferId: ensureTransferId(envelope.transferId),
        side: 'custodian',
        kind: 'record',
        partner: envelope.from,
        state: 'requested',
        permitId: undefined,
        person: undefined,
        keyId: await tx.keys.create(),
        data: {
          request: onePart(envelope),
          receivedAt: instant(now),
          ...(envelope.trace === undefined ? {} : { trace: { traceparent: envelope.trace } }),
        },
        limit: instant(now + 900_000),
        dueAt: DUE_NOW,
        attempts: 0,
        createdAt: instant(now),
      };
      await tx.transfers.create(transfer);
      await tx.incoming.done(seq);
    });
  }

  private async answered(envelope: Envelope, seq: string): Promise<void> {
    const { content } = await this.open(envelope);
    const where = 'exchange/answer';
    const answer = this.ports.validators.check<ExchangeAnswer>(
      'exchange-answer',
      parseBounded(content, 10_000, 'exchange.envelope-invalid', where),
      'exchange.envelope-invalid',
      where,
    );
    if (answer.transferId !== envelope.transferId) throw new PortolanError('seal.header-mismatch', where);
    const signal = answer.outcome === 'none' ? signals.answeredNone : signals.answeredMatch;
    await this.move(envelope, seq, signal, {}, async (tx, transfer) => {
      const { transferId, keyId } = transfer;
      await post(tx, {
        id: this.ports.random.uuid(),
        type: 'transfer.outcome',
        key: transferId,
        keyId,
        body: { transferId, outcome: answer.outcome },
      });
    });
  }

  private async record(envelope: Envelope, seq: string): Promise<void> {
    const { n, parts } = envelope;
    const release = await this.releaseOf(envelope);
    const arriving = { [`part.${n}`]: envelope.sealed, hashes: parts, ...release };
    await this.written(envelope, async (tx) => {
      const before = await this.transferOf(tx, envelope, 'asker');
      if (before.state !== 'asked') return tx.incoming.done(seq);
      const held = { ...before.data, ...arriving } as Record<string, unknown>;
      const sealed = parts.map((_hash, index) => held[`part.${index + 1}`]);
      if (sealed.some((part) => typeof part !== 'string'))
        await tx.transfers.advance(before.transferId, 'asked', 'asked', { data: arriving });
      else
        await tx.transfers.advance(before.transferId, 'asked', 'arrived', {
          data: { arrived: { hashes: parts, parts: sealed }, ...release, ...cleared(parts.length) },
          dueAt: DUE_NOW,
        });
      await tx.incoming.done(seq);
    });
  }

  /** Where the release stands; or the sender's word for a late one, which must be its own before anything of it is kept. */
  private async releaseOf(envelope: Envelope): Promise<Pick<AskerData, 'released' | 'lateRelease'>> {
    const { step, late } = envelope;
    if (step !== undefined) return { released: step };
    if (late === undefined) throw new PortolanError('exchange.envelope-invalid', 'exchange/record', 'no step');
    return { lateRelease: await openLateStep(late, envelope, this.ports) };
  }

  /** While an expiry is under way the receiver's word is kept beside it: whichever end comes first on the channel counts. */
  private async receipt(envelope: Envelope, seq: string): Promise<void> {
    const data = { receipt: onePart(envelope) };
    await this.move(envelope, seq, signals.receiptArrived, data, undefined, async (tx, { transferId }) => {
      await tx.transfers.advance(transferId, 'expiring', 'expiring', { data });
    });
  }

  private async notice(envelope: Envelope, seq: string): Promise<void> {
    const { content } = await this.open(envelope);
    const where = 'exchange/notice';
    const notice = this.ports.validators.check<ExchangeNotice>(
      'exchange-notice',
      parseBounded(content, MAX_NOTICE_CHARS, 'exchange.envelope-invalid', where),
      'exchange.envelope-invalid',
      where,
    );
    if (notice.transferId !== envelope.transferId || notice.from !== envelope.from || notice.to !== envelope.to)
      throw new PortolanError('seal.header-mismatch', where);
    const age = this.ports.clock.now() - Date.parse(notice.time);
    if (!(age <= NOTICE_VALID_MS && age >= -AHEAD_MS)) throw new PortolanError('exchange.notice-stale', where);
    await this.written(envelope, async (tx) => {
      const found = await tx.transfers.get(ensureTransferId(envelope.transferId));
      if (found?.partner !== envelope.from) throw new PortolanError('exchange.transfer-unknown', where);
      if (await tx.inbox.first(notice.id)) await applyNotice(tx, found as Transfer, notice, this.ports);
      await tx.incoming.done(seq);
    });
  }

  /** Moves a waiting transfer; where it stands elsewhere already, the envelope was a repetition. */
  private async move(
    envelope: Envelope,
    seq: string,
    signal: { readonly from: TransferState; readonly to: TransferState },
    data: Record<string, unknown>,
    also?: (tx: ExchangeTx, transfer: Transfer) => Promise<void>,
    otherwise?: (tx: ExchangeTx, transfer: Transfer) => Promise<void>,
  ): Promise<void> {
    await this.written(envelope, async (tx) => {
      const transfer = await this.transferOf(tx, envelope, signal === signals.receiptArrived ? 'custodian' : 'asker');
      const moved = await tx.transfers.advance(transfer.transferId, signal.from, signal.to, { data, dueAt: DUE_NOW });
      await (moved ? also : otherwise)?.(tx, transfer);
      await tx.incoming.done(seq);
    });
  }

  private async transferOf(tx: ExchangeTx, envelope: Envelope, side: Transfer['side']): Promise<Transfer> {
    const transfer = await tx.transfers.get(ensureTransferId(envelope.transferId));
    if (transfer?.partner !== envelope.from || transfer.side !== side)
      throw new PortolanError('exchange.transfer-unknown', `exchange/${envelope.kind}`);
    return transfer as Transfer;
  }

  private open(envelope: Envelope): Promise<{ content: string }> {
    const { kind, transferId, from, to } = envelope;
    return openContent(this.ports.sealer, onePart(envelope), { kind, transferId, from, to }, (country, kid) =>
      this.ports.channel.senderKey(country, kid),
    );
  }

  private async setAside(incoming: IncomingEnvelope & { attempts: number }, error: unknown): Promise<void> {
    const code: ErrorCode = error instanceof PortolanError ? error.code : 'transfer.step-failed';
    // A fault of ours is tried for some hours, in case it passes; then it must not hold up what comes behind it.
    const again = error instanceof PortolanError ? error.retriable : incoming.attempts < MAX_FAULTS;
    this.logger.failure(`envelope from ${incoming.from} was not taken`, code, error);
    const pause = Math.min(30_000, 200 * 2 ** Math.min(incoming.attempts, 8));
    await this.ports.uow.run((tx) => (again ? tx.incoming.retry(incoming.seq, pause, code) : tx.incoming.dead(incoming.seq, code)));
  }
}

function onePart(envelope: Envelope): SealedParts {
  if (envelope.parts.length !== 1) throw new PortolanError('exchange.envelope-invalid', `exchange/${envelope.kind}`, 'more than one part');
  return { hashes: envelope.parts, parts: [envelope.sealed] };
}

/** The single parts' members, once they are joined. */
const cleared = (count: number): Record<string, null> =>
  Object.fromEntries(Array.from({ length: count }, (_unused, index) => [`part.${index + 1}`, null]));
