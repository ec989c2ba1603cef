import type { LeaseName, WakeupChannel } from '@portolan/domain';
import type { EntityManager } from 'typeorm';

/** What an entity holds, without its class. */
export type Plain<Entity> = { [Column in keyof Entity]: Entity[Column] };

/** `text` as a text column can hold it: PostgreSQL knows no U+0000. Exact texts are kept as bytes, this is for what is compared. */
export const storable = (text: string): string => text.replaceAll('\0', '');

/**
 * Plain parametrised SQL in the transaction of a manager, for what must be exact (SKIP LOCKED, compare-and-set, upserts). Tables are
 * found by the connection's search_path, which is its role's schema alone.
 */
export class Sql {
  /** Wake-up channels to notify when the transaction commits. */
  readonly touched = new Set<string>();
  /** Leases whose fencing number was checked and is locked in this transaction. */
  readonly fenced = new Map<LeaseName, number>();

  constructor(readonly manager: EntityManager) {}

  async rows<Row>(text: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.run(text, parameters)).records as Row[];
  }

  async first<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row | undefined> {
    return (await this.rows<Row>(text, parameters))[0];
  }

  /** How many rows the statement wrote. */
  async affected(text: string, parameters: readonly unknown[] = []): Promise<number> {
    return (await this.run(text, parameters)).affected ?? 0;
  }

  /** Wakes those who wait on `channel`, once this transaction commits. */
  wake(channel: WakeupChannel): void {
    this.touched.add(channel);
  }

  private async run(text: string, parameters: readonly unknown[]): Promise<{ records: unknown[]; affected?: number }> {
    const { queryRunner } = this.manager;
    if (queryRunner === undefined) throw new TypeError('a store lives in a transaction');
    return queryRunner.query(text, [...parameters], true);
  }
}
