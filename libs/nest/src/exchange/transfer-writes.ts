import type { ExchangeTx, TransferId, UnitOfWork } from '@portolan/domain';
import { TogetherOrAlone } from '../link/together.js';

/** What is written of one transfer. */
interface TransferWrite {
  readonly transferId: TransferId;
  readonly write: (tx: ExchangeTx) => Promise<void>;
}

/** What comes of several transfers while others are written is written together, over rows that are locked at once. */
export class TransferWrites {
  private readonly together: TogetherOrAlone<TransferWrite>;

  constructor(
    private readonly uow: UnitOfWork<ExchangeTx>,
    most: number,
  ) {
    this.together = new TogetherOrAlone<TransferWrite>((writes) => this.all(writes), most);
  }

  /** Resolves when it was committed; rejects with what was thrown for this transfer alone. */
  do(transferId: TransferId, write: TransferWrite['write']): Promise<void> {
    return this.together.do({ transferId, write });
  }

  private async all(writes: readonly TransferWrite[]): Promise<void> {
    await this.uow.run(async (tx) => {
      await tx.transfers.hold(writes.map(({ transferId }) => transferId));
      for (const { write } of writes) await write(tx);
    });
  }
}
