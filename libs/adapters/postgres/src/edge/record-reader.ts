import type { DataCategory, SearchTraits } from '@portolan/contracts';
import { RecordReader, type DataKeys, type Person, type PersonId, type ResourceVersion } from '@portolan/domain';
import { Bodies } from '../bodies/bodies.js';
import { storeFailure } from '../connect/failure.js';
import { roleDataSource, type RoleDatabaseConfig } from '../connect/role-data-source.js';
import { Transactions } from '../connect/unit-of-work.js';
import { personById, personsByTraits } from './person-queries.js';
import { resourcesOfPerson, sharedResources } from './resource-queries.js';

/** The exchange's sight of the edge's record tables: by grant it may SELECT them, and nothing else of the edge. */
class PostgresRecordReader extends RecordReader {
  constructor(
    private readonly transactions: Transactions,
    private readonly keys: DataKeys,
    /** Whom the exchange had erased when it started: on a restored database the edge may not have erased them again yet. */
    private readonly erased: ReadonlySet<PersonId>,
  ) {
    super();
  }

  override async personsByTraits(traits: SearchTraits): Promise<readonly Person[]> {
    const found = await this.transactions.alone(async (sql) => personsByTraits(sql, traits));
    return found.filter(({ id }) => !this.erased.has(id));
  }

  override async person(id: PersonId): Promise<Person | undefined> {
    if (this.erased.has(id)) return undefined;
    return this.transactions.alone(async (sql) => personById(sql, id));
  }

  override async resources(person: PersonId, categories: readonly DataCategory[], limit: number): Promise<readonly ResourceVersion[]> {
    if (this.erased.has(person)) return [];
    return this.transactions.alone(async (sql) => resourcesOfPerson(sql, new Bodies(sql, this.keys, 'edge'), person, categories, limit));
  }

  override async shared(wanted: readonly { type: string; id: string }[]): Promise<readonly ResourceVersion[]> {
    return this.transactions.alone(async (sql) => sharedResources(sql, new Bodies(sql, this.keys, 'edge'), wanted));
  }
}

/** `config` is the exchange's own: its database user reads, on two connections beside the role's. Throws `store.unavailable`. */
export async function openRecordReader(
  config: RoleDatabaseConfig,
  keys: DataKeys,
): Promise<{ readonly reader: RecordReader; close(): Promise<void> }> {
  const named = { poolSize: 2, ...config, applicationName: `${config.applicationName ?? 'portolan-exchange'}-records` };
  const source = roleDataSource(named, { schema: 'exchange', entities: [], migrations: [] });
  try {
    await source.initialize();
  } catch (failure) {
    throw storeFailure(failure, 'record tables');
  }
  const erased = new Set(await config.erasures?.all());
  const reader = new PostgresRecordReader(new Transactions(source, 'exchange'), keys, erased);
  return { reader, close: async () => source.destroy() };
}
