import { spawn } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CountryCode } from '@portolan/contracts';
import { EmbeddedCluster } from '../cluster/embedded-cluster.js';
import type { DatabaseAddress } from '../connect/address.js';
import { migrateCountry } from '../provision/migrate-database.js';
import { provisionDatabase, type CountryDatabase } from '../provision/provision.js';

/** A cluster for tests: shared by the process, gone with it. */
export interface TestCluster {
  readonly admin: DatabaseAddress;
  readonly cluster: EmbeddedCluster;
  /** A country's database with its tables; the same one whenever asked again. */
  country(code: CountryCode): Promise<CountryDatabase>;
}

const SHARED = Symbol.for('portolan.test-cluster');

/**
 * The process' test cluster, started on first call: a data folder of its own under the system's temporary folder. When the process
 * ends, in whatever way, a waiting shell stops the server and removes the folder.
 */
export async function testCluster(): Promise<TestCluster> {
  // Test files of one process share it; module state would not do, since a runner may load this module once a file.
  const shared = globalThis as { [SHARED]?: Promise<TestCluster> };
  return (shared[SHARED] ??= start());
}

async function start(): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-test-'));
  await chmod(folder, 0o755);
  const cluster = new EmbeddedCluster({ dataFolder: folder, fsync: false });
  const admin = await cluster.start();
  const { data } = (await cluster.process()) ?? { data: folder };
  removeAfterUs(data, folder);
  const countries = new Map<CountryCode, Promise<CountryDatabase>>();
  return {
    admin,
    cluster,
    async country(code) {
      const made = countries.get(code) ?? make(cluster, admin, code);
      countries.set(code, made);
      return made;
    },
  };
}

async function make(cluster: EmbeddedCluster, admin: DatabaseAddress, code: CountryCode): Promise<CountryDatabase> {
  const database = await provisionDatabase(admin, code, (user) => cluster.passwordOf(user));
  await migrateCountry(database);
  return database;
}

/** The shell's standard input ends when this process does, also by SIGKILL. SIGQUIT stops the server at once. */
function removeAfterUs(data: string, folder: string): void {
  const script = 'cat > /dev/null; pid=$(head -n 1 "$1/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid"; sleep 0.5; rm -rf "$1" "$2"';
  const shell = spawn('/bin/sh', ['-c', script, 'sh', data, folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
}
