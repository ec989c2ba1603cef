import type { Uuid } from '@portolan/contracts';
import type { PersonId, Proposal, ProposalStore } from '@portolan/domain';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Plain, Sql } from '../connect/sql.js';
import { ProposalEntity } from './edge.entities.js';
import { ofSamePerson } from './same-person.js';

const place = (id: string): Place => ({ table: 'proposal', id });

export class PostgresProposalStore implements ProposalStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  /** Throws `store.conflict` for an id that is there already. */
  async put(proposal: Proposal): Promise<void> {
    const body = await this.bodies.sealJson(proposal.keyId, proposal.body, place(proposal.id));
    await this.sql.manager.insert(ProposalEntity, { ...proposal, body: Buffer.from(body) });
  }

  async get(id: Uuid): Promise<Proposal | undefined> {
    const row = await this.sql.manager.findOneBy(ProposalEntity, { id });
    return row === null ? undefined : this.opened(row);
  }

  /** Newest first. */
  async ofPerson(person: PersonId, limit: number): Promise<readonly Proposal[]> {
    const proposals: Proposal[] = [];
    for (const row of await this.sql.manager.find(ProposalEntity, {
      where: { person: ofSamePerson(person) },
      order: { at: 'DESC' },
      take: limit,
    })) {
      proposals.push(await this.opened(row));
    }
    return proposals;
  }

  async waitingFor(custodian: string, after: Uuid | undefined, limit: number): Promise<readonly Proposal[]> {
    const ids = await this.sql.rows<{ id: Uuid }>(
      `SELECT id FROM proposal WHERE custodian = $1 AND state = 'permitted'
       AND ($2::uuid IS NULL OR (at, id) > (SELECT p.at, p.id FROM proposal p WHERE p.id = $2)) ORDER BY at, id LIMIT $3`,
      [custodian, after ?? null, limit],
    );
    const proposals: Proposal[] = [];
    for (const { id } of ids) {
      const proposal = await this.get(id);
      if (proposal !== undefined) proposals.push(proposal);
    }
    return proposals;
  }

  async advance(id: Uuid, from: Proposal['state'], to: Proposal['state'], custodian?: string): Promise<boolean> {
    const next = custodian === undefined ? { state: to } : { state: to, custodian };
    return (await this.sql.manager.update(ProposalEntity, { id, state: from }, next)).affected === 1;
  }

  private async opened(row: Plain<ProposalEntity>): Promise<Proposal> {
    const { custodian: _custodian, ...proposal } = row;
    return { ...proposal, person: row.person as PersonId, body: await this.bodies.openJson(row.keyId, row.body, place(row.id)) };
  }
}
