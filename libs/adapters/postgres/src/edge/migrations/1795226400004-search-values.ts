import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The search index of resources. Collation "C" compares as the domain does. Long texts are indexed by their first 100 characters: an
 * index entry of PostgreSQL holds 2.7 kB at most.
 */
export class SearchValues1795226400004 implements MigrationInterface {
  readonly name = 'SearchValues1795226400004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE search_value (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        type text NOT NULL,
        resource_id text COLLATE "C" NOT NULL,
        kind text NOT NULL CHECK (kind IN ('token', 'date', 'string', 'reference', 'quantity', 'number', 'uri')),
        param text NOT NULL,
        system text COLLATE "C",
        code text COLLATE "C",
        start_at timestamptz(3),
        end_at timestamptz(3),
        text text COLLATE "C",
        normal text COLLATE "C",
        ref_type text COLLATE "C",
        ref_id text COLLATE "C",
        url text COLLATE "C",
        low double precision,
        high double precision,
        unit text COLLATE "C",
        uri text COLLATE "C",
        FOREIGN KEY (type, resource_id) REFERENCES resource
      )`);
    const indexes = {
      resource: '(type, resource_id, param)',
      token: `(type, param, left(code, 100), left(system, 100), resource_id) WHERE kind = 'token'`,
      date: `(type, param, start_at, end_at) WHERE kind = 'date'`,
      string: `(type, param, left(normal, 100)) WHERE kind = 'string'`,
      reference: `(type, param, ref_id, ref_type, resource_id) WHERE kind = 'reference'`,
      reference_url: `(type, param, left(url, 100)) WHERE kind = 'reference' AND url IS NOT NULL`,
      reference_identifier: `(type, param, left(code, 100), left(system, 100)) WHERE kind = 'reference' AND code IS NOT NULL`,
      quantity: `(type, param, low, high) WHERE kind IN ('quantity', 'number')`,
      uri: `(type, param, left(uri, 100)) WHERE kind = 'uri'`,
    };
    for (const [name, on] of Object.entries(indexes)) await runner.query(`CREATE INDEX search_value_${name} ON search_value ${on}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE search_value');
  }
}
