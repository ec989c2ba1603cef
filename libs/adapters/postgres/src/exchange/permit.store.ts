import type { Uuid } from '@portolan/contracts';
import type { PermitRow, PermitStore, PersonId, TransferId } from '@portolan/domain';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';
import { ofSamePerson } from '../edge/same-person.js';
import { PermitEntity } from './exchange.entities.js';

const place = (id: string): Place => ({ table: 'permit', id });

export class PostgresPermitStore implements PermitStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  /** Throws `store.conflict` for an id that is there already. */
  async put(row: PermitRow): Promise<void> {
    if (row.opening === undefined) throw new TypeError('a permit is stored with its opening');
    const opening = await this.bodies.sealText(row.keyId, row.opening, place(row.id));
    const { id, transferId, person, recipient, purpose, until, state, keyId, consentId } = row;
    await this.sql.later(
      `INSERT INTO permit (id, transfer_id, person, recipient, purpose, until, state, key_id, opening, consent_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [id, transferId, person, recipient, purpose, until, state, keyId, opening, consentId ?? null],
    );
  }

  async get(id: Uuid): Promise<PermitRow | undefined> {
    const row = await this.sql.manager.findOneBy(PermitEntity, { id });
    return row === null ? undefined : this.opened(row);
  }

  async ofPerson(person: PersonId): Promise<readonly PermitRow[]> {
    const permits: PermitRow[] = [];
    for (const row of await this.sql.manager.find(PermitEntity, { where: { person: ofSamePerson(person) }, order: { until: 'ASC' } })) {
      permits.push(await this.opened(row));
    }
    return permits;
  }

  /** What has ended stays ended: a late confirmation that it was anchored does not bring it back. */
  async mark(id: Uuid, state: PermitRow['state']): Promise<void> {
    await this.sql.later(`UPDATE permit SET state = $2 WHERE id = $1 AND state <> 'ended'`, [id, state]);
  }

  private async opened({ opening, transferId, person, consentId, ...row }: PermitEntity): Promise<PermitRow> {
    return {
      ...row,
      transferId: transferId as TransferId,
      person: person as PersonId,
      consentId: consentId ?? undefined,
      opening: await this.bodies.openText(row.keyId, opening, place(row.id)),
    };
  }
}
