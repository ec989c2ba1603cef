import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Entries of the person index that a source joined are one person to whoever reads; each keeps its rows, so that it can be undone. */
export class PersonMerges1795226400036 implements MigrationInterface {
  readonly name = 'PersonMerges1795226400036';

  async up(runner: QueryRunner): Promise<void> {
    // Always the entry that stands for the person, never one that was itself merged: readers look once.
    await runner.query('ALTER TABLE person ADD COLUMN merged_into uuid');
    await runner.query('CREATE INDEX person_merged_into ON person (merged_into) WHERE merged_into IS NOT NULL');
    await runner.query(`
      CREATE TABLE person_merge (
        id uuid PRIMARY KEY,
        prior uuid NOT NULL,
        survivor uuid NOT NULL,
        message_id uuid NOT NULL REFERENCES message,
        at timestamptz(3) NOT NULL,
        undone_at timestamptz(3)
      )`);
    await runner.query('CREATE INDEX person_merge_survivor ON person_merge (survivor) WHERE undone_at IS NULL');
    await runner.query('CREATE INDEX person_merge_newest ON person_merge (at DESC, id)');
    await runner.query(`
      CREATE FUNCTION same_person(entry uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
        SELECT array_agg(found.id) FROM (
          SELECT entry AS id
          UNION SELECT coalesce(p.merged_into, p.id) FROM edge.person p WHERE p.id = entry
          UNION SELECT m.id FROM edge.person p JOIN edge.person m ON m.merged_into = coalesce(p.merged_into, p.id) WHERE p.id = entry
        ) AS found
      $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION same_person(uuid)');
    await runner.query('DROP TABLE person_merge');
    await runner.query('ALTER TABLE person DROP COLUMN merged_into');
  }
}
