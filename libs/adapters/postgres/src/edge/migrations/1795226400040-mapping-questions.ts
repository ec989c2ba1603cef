import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Codes for whose counterpart a person is asked, what she answered, and the messages to translate again then. No row names a person. */
export class MappingQuestions1795226400040 implements MigrationInterface {
  readonly name = 'MappingQuestions1795226400040';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE mapping_question (
        map text NOT NULL,
        system text NOT NULL,
        code text NOT NULL,
        rule text NOT NULL,
        seen bigint NOT NULL,
        first_seen timestamptz(3) NOT NULL,
        last_seen timestamptz(3) NOT NULL,
        answer text,
        answered_at timestamptz(3),
        PRIMARY KEY (map, system, code)
      )`);
    await runner.query('CREATE INDEX mapping_question_open ON mapping_question (first_seen, map, system, code) WHERE answered_at IS NULL');
    await runner.query('CREATE INDEX mapping_question_answered ON mapping_question (answered_at) WHERE answered_at IS NOT NULL');
    await runner.query(`
      CREATE TABLE mapping_question_message (
        map text NOT NULL,
        system text NOT NULL,
        code text NOT NULL,
        message_id uuid NOT NULL REFERENCES message,
        PRIMARY KEY (map, system, code, message_id),
        FOREIGN KEY (map, system, code) REFERENCES mapping_question
      )`);
    await runner.query('CREATE INDEX mapping_question_message_id ON mapping_question_message (message_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE mapping_question_message');
    await runner.query('DROP TABLE mapping_question');
  }
}
