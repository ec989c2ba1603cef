import type { EdgeTx, PersonId, SearchValue } from '@portolan/domain';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Pipeline } from '../connect/pipeline.js';
import type { RoleDatabase } from '../connect/role-database.js';
import type { CountryDatabase } from '../provision/provision.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { ask, personId, uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import { openEdgeDatabase } from './open-edge-database.js';

const at = '2026-11-21T10:00:00.000Z';

describe('what is filed together', () => {
  let ee: CountryDatabase;
  let db: RoleDatabase<EdgeTx>;

  beforeAll(async () => {
    ee = await (await testCluster()).country('EE');
    db = await openEdgeDatabase({ address: ee.edge }, new AesDataKeys());
  });
  afterAll(async () => db.close());

  /** Puts these versions with their search rows, tells of them and notes an event of each, in one transaction; how many statements that was. */
  const file = async (person: PersonId, ids: readonly string[], content: string): Promise<number> => {
    const resources = ids.map((id) => ({ type: 'Observation', id }));
    const code: SearchValue = { kind: 'token', param: 'code', system: 'urn:test', code: content };
    const sent = vi.spyOn(Client.prototype, 'query');
    try {
      await db.uow.run(async (tx) => {
        const keyId = await tx.keys.forPerson(person);
        const about = { lastUpdated: at, person, keyId, categories: ['laboratory'], messageId: uuid(), deleted: false } as const;
        const puts = resources.map((one) => ({ ...one, ...about, sha256: content.repeat(64), text: JSON.stringify({ ...one, content }) }));
        await tx.resources.lock(puts);
        for (const put of puts) {
          await tx.resources.put(put, [code]);
          await tx.resources.setAge(put.type, put.id, { content: at, sent: at });
          const key = await tx.keys.create();
          await tx.outbox.add({ id: uuid(), to: 'exchange', type: 'resource.changed', key: uuid(), keyId: key, body: {} });
          await tx.audit.append({
            id: uuid(),
            at,
            type: 'test',
            outcome: 'success',
            person,
            transferId: undefined,
            keyId: key,
            body: '{}',
          });
        }
      });
      const queries = sent.mock.calls.map(([query]: readonly unknown[]) => query);
      return queries.reduce<number>((sum, query) => sum + (query instanceof Pipeline ? query.statements.length : 1), 0);
    } finally {
      sent.mockRestore();
    }
  };

  it('costs as many statements for forty resources as for one, and no more than twenty', async () => {
    const person = personId();
    await db.uow.run(({ keys }) => keys.forPerson(person));
    const one = await file(person, [uuid()], 'a');
    const many = Array.from({ length: 40 }, () => uuid());
    expect([await file(person, many, 'a'), one <= 20]).toEqual([one, true]);
    const found = await ask<{ n: string; versions: string; codes: string }>(
      ee.edge,
      `SELECT count(*) AS n, sum(version_id) AS versions, (SELECT string_agg(DISTINCT code, '') FROM edge.search_value WHERE resource_id = ANY ($1)) AS codes
       FROM edge.resource WHERE id = ANY ($1) AND content_at IS NOT NULL`,
      [many],
    );
    expect(found).toEqual([{ n: '40', versions: '40', codes: 'a' }]);
  });

  it('is what each of two versions in one transaction left last', async () => {
    const person = personId();
    const ids = [uuid(), uuid(), uuid()];
    await file(person, [ids[0]!, ids[1]!], 'a');
    await file(person, [ids[0]!, ids[2]!, ids[0]!], 'b');
    const rows = await ask<{ id: string; version: number; codes: string }>(
      ee.edge,
      `SELECT r.id, r.version_id AS version, (SELECT string_agg(code, '') FROM edge.search_value s WHERE s.resource_id = r.id) AS codes
       FROM edge.resource r WHERE r.id = ANY ($1)`,
      [ids],
    );
    expect(new Map(rows.map(({ id, version, codes }) => [id, [version, codes]]))).toEqual(
      new Map([
        [ids[0], [2, 'b']],
        [ids[1], [1, 'a']],
        [ids[2], [1, 'b']],
      ]),
    );
  });
});
