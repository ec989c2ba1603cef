import { createHash, createHmac, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError } from '@portolan/contracts';
import { Client } from 'pg';
import { clientOptions, type DatabaseAddress } from '../connect/address.js';
import { exists, npmBinaries, runnableBy, type PostgresBinaries } from './postgres-binaries.js';
import { reachableBy, serverUser, type RunUser } from './run-user.js';
import { serverConfig } from './server-config.js';
import { freePort, runProgram, runningServer, type Outcome, type RunningServer } from './server-process.js';

export interface EmbeddedClusterConfig {
  /** Folder of this cluster alone; made where missing. Two processes never share one. */
  readonly dataFolder: string;
  /** Where binaries and data go when we are root and the server's user cannot reach npm's folder or `dataFolder`. */
  readonly reachableFolder?: string;
  readonly maxConnections?: number;
  /** False loses commits when the machine (not the process) dies: for tests. */
  readonly fsync?: boolean;
  /** Other binaries than npm's: an installed PostgreSQL ≥ 15. */
  readonly binaries?: PostgresBinaries;
}

/** The settled places of one cluster. */
interface Site {
  readonly user: RunUser | undefined;
  readonly bin: string;
  /** PGDATA. Its file `portolan.secret` (0600) holds the superuser's password. */
  readonly data: string;
}

const SUPERUSER = 'portolan';
const START_WITHIN_MS = 30_000;
/** Held by the one process that runs a cluster; the server lets go of it the moment that process dies. */
const OWNER_LOCK = 7_077_001;

/**
 * PostgreSQL from npm for demo and tests: one server on 127.0.0.1 with password authentication and its own data folder. The server
 * outlives a SIGKILL of this process; the next `start` takes it up again. Not for production, as the banner of the node says.
 */
export class EmbeddedCluster {
  private site: Site | undefined;
  private owner: Client | undefined;
  private superuser: DatabaseAddress | undefined;

  constructor(private readonly config: EmbeddedClusterConfig) {}

  /**
   * The superuser's address of database `postgres`, once the server answers: about a second the first time, a tenth of it later.
   * Throws `store.cluster-in-use` while another process runs this folder, `store.cluster-failed` after 30 s.
   */
  async start(): Promise<DatabaseAddress> {
    if (this.superuser !== undefined) return this.superuser;
    const site = (this.site = await this.settle());
    if (!(await exists(join(site.data, 'PG_VERSION')))) await this.initialise(site);
    const password = await readFile(join(site.data, 'portolan.secret'), 'utf8');
    const until = Date.now() + START_WITHIN_MS;
    for (;;) {
      const running = (await runningServer(site.data)) ?? (await this.launch(site));
      const address = { host: '127.0.0.1', port: running?.port ?? 0, database: 'postgres', user: SUPERUSER, password };
      if (running !== undefined && (await this.own(address))) return (this.superuser = address);
      if (Date.now() > until) throw new PortolanError('store.cluster-failed', site.data, await lastLine(site.data));
      await pause(100);
    }
  }

  /** Stops the server: at once for idle sessions, after 15 s also for busy ones. */
  async stop(): Promise<void> {
    const { site, owner } = this;
    this.superuser = this.owner = undefined;
    await owner?.end().catch(() => undefined);
    if (site === undefined || (await runningServer(site.data)) === undefined) return;
    const { code } = await this.control(site, ['stop', '-m', 'fast', '-t', '15']);
    if (code !== 0) await this.control(site, ['stop', '-m', 'immediate', '-t', '15']);
  }

  /** Lets go of the server and leaves it running, for the next `start` of this folder to take up. */
  async leave(): Promise<void> {
    const { owner } = this;
    this.superuser = this.owner = undefined;
    await owner?.end().catch(() => undefined);
  }

  /** The running server of a cluster's folder, whoever started it; nothing is started. */
  static async find(dataFolder: string): Promise<RunningServer | undefined> {
    const elsewhere = await readFile(join(dataFolder, 'location'), 'utf8').catch(() => undefined);
    return runningServer(join(elsewhere?.trim() ?? (await realpath(dataFolder).catch(() => dataFolder)), 'cluster'));
  }

  /** A password for a database user of this cluster, the same at each start: derived from the superuser's. */
  passwordOf(user: string): string {
    if (this.superuser === undefined) throw new PortolanError('store.cluster-failed', 'embedded database', 'not started');
    return createHmac('sha256', this.superuser.password).update(user).digest('base64url');
  }

  /** PGDATA and the server's process number, for tests that kill it. */
  async process(): Promise<{ data: string; pid: number } | undefined> {
    const running = this.site && (await runningServer(this.site.data));
    return running && this.site && { data: this.site.data, pid: running.pid };
  }

  private async settle(): Promise<Site> {
    const user = await serverUser();
    const reachable = this.config.reachableFolder ?? '/var/lib/portolan-embedded';
    await mkdir(this.config.dataFolder, { recursive: true });
    const folder = await realpath(this.config.dataFolder);
    const binaries = await runnableBy(user, this.config.binaries ?? npmBinaries(), reachable);
    const data = user === undefined || (await reachableBy(user, folder)) ? folder : await elsewhere(folder, reachable);
    return { user, bin: join(binaries, 'bin'), data: join(data, 'cluster') };
  }

  /** Makes the data folder beside its place and then moves it there, so that a half-made one is never taken for a whole. */
  private async initialise(site: Site): Promise<void> {
    const fresh = `${site.data}.new-${process.pid}`;
    const secret = randomBytes(32).toString('base64url');
    const passwordFile = `${fresh}.password`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { mode: 0o700 });
    await writeFile(passwordFile, secret, { mode: 0o600 });
    if (site.user !== undefined) for (const path of [fresh, passwordFile]) await chown(path, site.user.uid, site.user.gid);
    try {
      const flags = [`--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C'];
      const sync = this.config.fsync === false ? ['--no-sync'] : [];
      const made = await runProgram(join(site.bin, 'initdb'), ['-D', fresh, ...flags, ...sync], { ...site, cwd: fresh, timeoutMs: 60_000 });
      if (made.code !== 0) throw new PortolanError('store.cluster-failed', fresh, made.output.trim().split('\n').at(-1));
      await this.keep(site, join(fresh, 'portolan.secret'), secret);
      await writeFile(join(fresh, 'postgresql.conf'), "include 'portolan.conf'\n", { flag: 'a' });
      await rename(fresh, site.data).catch(async (failure: unknown) => {
        // Another process was first: its folder is as good.
        if (!(await exists(join(site.data, 'PG_VERSION')))) throw failure;
      });
    } finally {
      await rm(passwordFile, { force: true });
      await rm(fresh, { recursive: true, force: true });
    }
  }

  /** Starts the server on the port it had before, or on another free one where that is taken. */
  private async launch(site: Site): Promise<RunningServer | undefined> {
    const before = /^port = (\d+)$/m.exec(await readFile(join(site.data, 'portolan.conf'), 'utf8').catch(() => ''))?.[1];
    for (const port of before === undefined ? [await freePort()] : [Number(before), await freePort()]) {
      await this.keep(site, join(site.data, 'portolan.conf'), serverConfig({ ...this.config, port }));
      const { code } = await this.control(site, ['start', '-l', join(site.data, 'server.log'), '-t', '20']);
      if (code === 0) break;
    }
    return runningServer(site.data);
  }

  /** False while the server starts up or shuts down. The owner's lock of a process just killed may take a moment to fall. */
  private async own(address: DatabaseAddress): Promise<boolean> {
    const client = new Client({ ...clientOptions(address), application_name: 'portolan-owner', keepAlive: true });
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch {
      return false;
    }
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [OWNER_LOCK]);
      if (rows[0]?.mine) {
        this.owner = client;
        return true;
      }
      await pause(100);
    }
    await client.end();
    throw new PortolanError('store.cluster-in-use', this.config.dataFolder);
  }

  private async keep(site: Site, path: string, content: string): Promise<void> {
    await writeFile(path, content, { mode: 0o600 });
    await chmod(path, 0o600);
    if (site.user !== undefined) await chown(path, site.user.uid, site.user.gid);
  }

  private async control(site: Site, args: readonly string[]): Promise<Outcome> {
    return runProgram(join(site.bin, 'pg_ctl'), [...args, '-w', '-D', site.data], { ...site, cwd: site.data, timeoutMs: 25_000 });
  }
}

/** The reachable stand-in of a data folder under a 0700 parent; the folder itself keeps a note that says where. */
async function elsewhere(folder: string, reachable: string): Promise<string> {
  const place = join(reachable, createHash('sha256').update(folder).digest('hex').slice(0, 16));
  await mkdir(place, { recursive: true, mode: 0o755 });
  await writeFile(join(folder, 'location'), `${place}\n`);
  return place;
}

async function lastLine(data: string): Promise<string | undefined> {
  const log = await readFile(join(data, 'server.log'), 'utf8').catch(() => '');
  return log.trim().split('\n').at(-1);
}
