import { PortolanError } from '@portolan/contracts';
import { RecordSource, type PersonId, type StoredResource } from '@portolan/domain';
import { describe, expect, it } from 'vitest';
import { CombinedRecordSource } from './combined-record-source.js';

const person = '00000000-0000-4000-8000-000000000001' as PersonId;
const named = (id: string): StoredResource => ({
  type: 'Observation',
  id,
  versionId: '1',
  lastUpdated: '2026-06-02T08:20:00.000Z',
  text: '{}',
  categories: ['laboratory'],
  custodian: 'DE',
});

class Source extends RecordSource {
  constructor(readonly gather: RecordSource['gather']) {
    super();
  }
}
const holding = (id: string): Source => new Source(async () => [named(id)]);
const failing = new Source(() => Promise.reject(new PortolanError('source.unreachable', 'records-de')));
const silent = new Source(() => new Promise(() => undefined));

function combined(services: readonly Source[]): { source: CombinedRecordSource; logged: string[] } {
  const logged: string[] = [];
  const logger = { failure: (_: string, code: string) => void logged.push(code) };
  return { source: new CombinedRecordSource(holding('store'), services, { now: () => Date.now() }, logger), logged };
}
const ids = (found: readonly StoredResource[]): string[] => found.map(({ id }) => id);

describe('what a country holds, stored and fetched', () => {
  it('is everything that all of them hold', async () => {
    const { source } = combined([holding('a'), holding('b')]);
    expect(ids(await source.gather({ person, categories: ['laboratory'] }))).toEqual(['store', 'a', 'b']);
  });

  it('with a deadline goes without a service that fails or is late, and says so', async () => {
    const { source, logged } = combined([failing, silent, holding('a')]);
    const begun = Date.now();
    const told: string[] = [];
    const wanted = { person, categories: ['laboratory'] as const, by: begun + 100, unheard: (code: string) => void told.push(code) };
    expect(ids(await source.gather(wanted))).toEqual(['store', 'a']);
    expect(told).toEqual(['source.unreachable', 'source.unreachable']);
    expect(Date.now() - begun).toBeLessThan(2_000);
    expect(logged).toEqual(['source.unreachable', 'source.unreachable']);
  });

  it('without one fails as the service does: a record with a hole would look whole', async () => {
    const { source } = combined([holding('a'), failing]);
    await expect(source.gather({ person, categories: ['laboratory'] })).rejects.toThrow('source.unreachable');
  });
});
