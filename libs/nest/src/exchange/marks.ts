import { setImmediate as thisTurn } from 'node:timers/promises';
import type { CountryCode } from '@portolan/contracts';
import type { ExchangeTx, OutgoingFailure, UnitOfWork } from '@portolan/domain';
import { failureOf } from '../link/refusal.js';
import type { NodeLogger } from '../runtime/logger.js';

/** An envelope that did not leave, and why. */
export interface NotSent extends OutgoingFailure {
  readonly to: CountryCode;
  readonly error: unknown;
}

interface Gathered {
  readonly sent: string[];
  readonly failed: NotSent[];
  readonly written: PromiseWithResolvers<undefined>;
}

/**
 * What became of envelopes, written many at a time: whatever is told while one statement is under way goes into the next. Where it cannot be
 * written, the envelopes wait as if they had not left, and leave again after their lease: the receiver knows them by their ids.
 */
export class Marks {
  private gathered = gather();
  private turn = Promise.withResolvers<undefined>();
  private isWriting = false;

  constructor(
    private readonly uow: UnitOfWork<ExchangeTx>,
    private readonly logger: Pick<NodeLogger, 'failure'>,
  ) {}

  /** Resolves when it was written, or could not be. */
  sent(id: string): Promise<void> {
    this.gathered.sent.push(id);
    return this.write();
  }

  failed(failure: NotSent): Promise<void> {
    this.gathered.failed.push(failure);
    return this.write();
  }

  /** Resolves when the next statement was written, whatever it holds. */
  next(): Promise<unknown> {
    return this.turn.promise;
  }

  private write(): Promise<void> {
    const { promise } = this.gathered.written;
    if (!this.isWriting) void this.run();
    return promise;
  }

  private async run(): Promise<void> {
    this.isWriting = true;
    // What one answer of a broker settles is told within one turn.
    await thisTurn();
    while (this.gathered.sent.length + this.gathered.failed.length > 0) {
      const { sent, failed, written } = this.gathered;
      this.gathered = gather();
      await this.store(sent, failed);
      this.complain(failed);
      written.resolve(undefined);
      this.turn.resolve(undefined);
      this.turn = Promise.withResolvers<undefined>();
    }
    this.isWriting = false;
  }

  private async store(sent: readonly string[], failed: readonly NotSent[]): Promise<void> {
    try {
      await this.uow.run(async ({ outgoing }) => {
        if (sent.length > 0) await outgoing.sent(sent);
        if (failed.length > 0) await outgoing.failed(failed.map(({ id, delayMs, code, refused }) => ({ id, delayMs, code, refused })));
      });
    } catch (error) {
      const { code } = failureOf(error, 'runtime.unexpected');
      this.logger.failure(`what became of ${sent.length + failed.length} envelopes could not be written`, code, error);
    }
  }

  /** Once a partner and reason: where it cannot be reached, none of its envelopes leaves. */
  private complain(failed: readonly NotSent[]): void {
    const told = Map.groupBy(failed, ({ to, code }) => `${to} ${code}`);
    for (const alike of told.values()) {
      const [{ to, code, error } = { to: '', code: '', error: undefined }] = alike;
      this.logger.failure(`${alike.length === 1 ? 'an envelope' : `${alike.length} envelopes`} to ${to} did not leave`, code, error);
    }
  }
}

const gather = (): Gathered => ({ sent: [], failed: [], written: Promise.withResolvers<undefined>() });
