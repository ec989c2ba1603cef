import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PersonId, RecordReader, ResourceVersion } from '@portolan/domain';
import { StoreRecordSource } from '@portolan/nest';
import { repository } from '../world/repository.js';
import { recordSourceContract } from './record-source.contract.js';

const folder = join(repository, 'libs/testing/demo/fhir-service/de');
const erika = '00000000-0000-4000-8000-000000000001' as PersonId;

/** The same resources as the hospital of the demonstration has, as a node's own store would give them. */
async function reader(): Promise<RecordReader> {
  const names = ['patient-erika', 'organization-labor', 'observation-kreatinin', 'observation-kalium'];
  const kept = await Promise.all(
    names.map(async (name): Promise<ResourceVersion> => {
      const text = await readFile(join(folder, `${name}.json`), 'utf8');
      const { resourceType: type, id } = JSON.parse(text) as { resourceType: string; id: string };
      return {
        type,
        id,
        versionId: 1,
        lastUpdated: '2026-06-02T08:20:00.000Z',
        text,
        categories: [],
        deleted: false,
      } as unknown as ResourceVersion;
    }),
  );
  const own = kept.filter(({ type }) => type !== 'Organization');
  return {
    person: async () => undefined,
    personsByTraits: async () => [],
    resources: async (person: PersonId) => (person === erika ? own : []),
    shared: async (wanted: readonly { type: string; id: string }[]) =>
      kept.filter((one) => wanted.some(({ type, id }) => one.type === type && one.id === id)),
  };
}

recordSourceContract("the node's own store", async () => ({
  source: new StoreRecordSource(await reader(), 'DE'),
  erika,
  stranger: '00000000-0000-4000-8000-000000000002' as PersonId,
}));
