import type { RecordSource, PersonId, StoredResource } from '@portolan/domain';
import { describe, expect, it } from 'vitest';

/** One country's records behind the port, whatever keeps them: Erika has a creatinine of 1.30 mg/dL by a laboratory that is named. */
export interface RecordSourceCase {
  readonly source: RecordSource;
  readonly erika: PersonId;
  readonly stranger: PersonId;
}

const parsed = ({ text }: StoredResource): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

/** What every adapter of the port RecordSource does. */
export function recordSourceContract(name: string, open: () => Promise<RecordSourceCase>): void {
  describe(`a record source: ${name}`, () => {
    it('gives the entries of the categories, her Patient, and who is named in them', async () => {
      const { source, erika } = await open();
      const found = await source.gather({ person: erika, categories: ['laboratory'] });
      expect(found.map(({ type }) => type).sort()).toEqual(['Observation', 'Observation', 'Organization', 'Patient']);
      const places = new Set(found.map(({ type, id }) => `${type}/${id}`));
      const [observation] = found.filter(({ type }) => type === 'Observation').map(parsed) as {
        subject: { reference: string };
        performer: { reference: string }[];
      }[];
      expect(places).toContain(observation?.subject.reference);
      expect(places).toContain(observation?.performer[0]?.reference);
    });

    it('names each as what it is, of this country, under the id that its text has', async () => {
      const { source, erika } = await open();
      for (const one of await source.gather({ person: erika, categories: ['laboratory'] })) {
        expect(parsed(one)).toMatchObject({ resourceType: one.type, id: one.id });
        expect(one.custodian).toBe('DE');
        expect(one.versionId).toMatch(/^[A-Za-z0-9.-]{1,64}$/);
      }
    });

    it('keeps every digit', async () => {
      const { source, erika } = await open();
      const texts = (await source.gather({ person: erika, categories: ['laboratory'] })).map(({ text }) => text).join('\n');
      expect(texts).toMatch(/"value":\s*1\.30\b/);
    });

    it('gives the same ids again', async () => {
      const { source, erika } = await open();
      const ids = async (): Promise<string[]> =>
        (await source.gather({ person: erika, categories: ['laboratory'] })).map(({ id }) => id).sort();
      expect(await ids()).toEqual(await ids());
    });

    it('has nothing of whom it does not know', async () => {
      const { source, stranger } = await open();
      expect(await source.gather({ person: stranger, categories: ['laboratory', 'summary'] })).toEqual([]);
    });
  });
}
