import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Audit events of one kind are listed without reading the others. */
export class AuditKinds1795226400034 implements MigrationInterface {
  readonly name = 'AuditKinds1795226400034';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX audit_event_type ON audit_event (type, seq)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX audit_event_type');
  }
}
