import type { NodeConfig } from '@portolan/contracts';
import { roles, type DataKeys, type Role } from '@portolan/domain';
import { CountryFolders, databaseOf, MasterKeyDataKeys, openEdgeDatabase, openExchangeDatabase, openNotaryDatabase } from '@portolan/nest';
import { good, looked, type Finding } from './finding.js';

type Config = Awaited<ReturnType<typeof databaseOf>>;

const open: Readonly<Record<Role, (config: Config, keys: DataKeys) => Promise<{ ping(): Promise<void>; close(): Promise<void> }>>> = {
  edge: openEdgeDatabase,
  exchange: openExchangeDatabase,
  notary: openNotaryDatabase,
};

/** Each role reaches its schema with its own password, and its tables are as new as this program. */
export async function databaseFindings(config: NodeConfig): Promise<readonly Finding[]> {
  const folders = new CountryFolders(config.home);
  const { host, port, name } = config.database;
  const mend = `Start the database ${name} at ${host}:${port} and run the missing migrations as its owner; in a demonstration portolan demo does both`;
  const found = roles.map((role) => {
    const check = `${config.country} database ${role}`;
    return looked(check, mend, async () => {
      const keys = await MasterKeyDataKeys.open(folders.master(role));
      const database = await open[role]({ ...(await databaseOf(config, role)), poolSize: 1, applicationName: 'portolan-doctor' }, keys);
      try {
        await database.ping();
        return good(check, 'answers, all migrations ran');
      } finally {
        await database.close();
      }
    });
  });
  return (await Promise.all(found)).flat();
}
