import { UnitOfWork, type RoleTx } from '@portolan/domain';

/** Transactions that a test has altered: slower ones, failing ones, watched ones. */
export class AlteredWork<Tx extends RoleTx> extends UnitOfWork<Tx> {
  constructor(private readonly altered: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>) {
    super();
  }

  override run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.altered(work);
  }
}
