import type { NodeConfig } from '@portolan/contracts';
import { roles, type DataKeys, type Role } from '@portolan/domain';
import { CountryFolders, databaseOf, MasterKeyDataKeys, openEdgeDatabase, openExchangeDatabase, openNotaryDatabase } from '@portolan/nest';
import { offsetFinding } from './clock.js';
import { good, looked, type Finding } from './finding.js';

type Config = Awaited<ReturnType<typeof databaseOf>>;

interface Opened {
  ping(): Promise<void>;
  now(): Promise<number>;
  close(): Promise<void>;
}

const open: Readonly<Record<Role, (config: Config, keys: DataKeys) => Promise<Opened>>> = {
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
        const answers = good(check, 'answers, all migrations ran');
        return role === 'notary' ? [answers, await clockOf(config, database)] : answers;
      } finally {
        await database.close();
      }
    });
  });
  return (await Promise.all(found)).flat();
}

/** Our clock judges permits and dates what goes to the channel, where peers refuse what is minutes off; the database's is another one. */
async function clockOf({ country }: NodeConfig, database: Opened): Promise<Finding> {
  const before = Date.now();
  const theirs = await database.now();
  const offset = (before + Date.now()) / 2 - theirs;
  const mend = 'Set the clock of this machine by NTP (or that of the database): the channel takes nothing that is dated minutes off';
  return offsetFinding(`${country} clock and database`, offset, 'database', mend);
}
