import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PortolanError } from '@portolan/contracts';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientOptions, type DatabaseAddress } from '../connect/address.js';
import { EmbeddedCluster } from './embedded-cluster.js';
import { serverConfig } from './server-config.js';

const support = join(dirname(fileURLToPath(import.meta.url)), '..', 'test-support');

async function ask<T extends object>(address: DatabaseAddress, sql: string): Promise<T[]> {
  const client = new Client(clientOptions(address));
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('EmbeddedCluster', () => {
  let folder: string;
  const clusters: EmbeddedCluster[] = [];
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-cluster-'));
    await chmod(folder, 0o755);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const cluster of clusters.splice(0)) await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function cluster(dataFolder = join(folder, 'data')): EmbeddedCluster {
    const made = new EmbeddedCluster({ dataFolder, fsync: false, reachableFolder: join(folder, 'reachable') });
    clusters.push(made);
    return made;
  }

  /** A bare Node process that runs the cluster until it is killed. */
  async function child(): Promise<{ process: ChildProcess; port: number; pid: number }> {
    const process_ = spawn(process.execPath, [join(support, 'run-source.mjs'), join(support, 'cluster-child.ts'), join(folder, 'data')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(process_);
    const [line] = (await once(process_.stdout, 'data')) as [Buffer];
    return { process: process_, ...(JSON.parse(line.toString()) as { port: number; pid: number }) };
  }

  async function kill(process_: ChildProcess): Promise<void> {
    process_.kill('SIGKILL');
    await once(process_, 'exit');
  }

  it('starts, asks for the password, listens on loopback alone, and keeps port and data over a restart', async () => {
    const first = cluster();
    const address = await first.start();
    await ask(address, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await expect(ask({ ...address, password: 'wrong' }, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(await ask(address, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const { data } = (await first.process())!;
    expect((await stat(join(data, 'portolan.secret'))).mode & 0o777).toBe(0o600);
    await first.stop();
    await expect(ask(address, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const again = await cluster().start();
    expect(again).toEqual(address);
    expect(await ask(again, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('takes up the server that a killed process left behind', async () => {
    const left = await child();
    await kill(left.process);
    const mine = cluster();
    const address = await mine.start();
    expect(address.port).toBe(left.port);
    expect((await mine.process())!.pid).toBe(left.pid);
    expect(await ask(address, 'SELECT FROM kept')).toHaveLength(1);
    await mine.stop();
    await expect(ask(address, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('starts anew where process and server were both killed, with everything committed before', async () => {
    const left = await child();
    process.kill(left.pid, 'SIGKILL');
    await kill(left.process);
    const mine = cluster();
    const address = await mine.start();
    expect((await mine.process())!.pid).not.toBe(left.pid);
    expect(await ask(address, 'SELECT FROM kept')).toHaveLength(1);
  });

  it('starts on another port where its own is taken', async () => {
    const first = cluster();
    const { port } = await first.start();
    await first.stop();
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    const again = await cluster().start();
    squatter.close();
    expect(again.port).not.toBe(port);
    expect(await ask(again, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('takes no notice of a process number in postmaster.pid that is another process’ now', async () => {
    const first = cluster();
    const { port } = await first.start();
    const { data } = (await first.process())!;
    await first.stop();
    await writeFile(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n0\n${port}\n`);
    expect(await ask(await cluster().start(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('refuses a folder that another process runs, and lets clusters of two folders run at once', async () => {
    const left = await child();
    await expect(cluster().start()).rejects.toMatchObject({ code: 'store.cluster-in-use' } satisfies Partial<PortolanError>);
    const other = await cluster(join(folder, 'other')).start();
    expect(other.port).not.toBe(left.port);
    expect(await ask(other, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('starts in a folder under a 0700 parent', async () => {
    const hidden = join(folder, 'hidden');
    await mkdir(hidden, { mode: 0o700 });
    const address = await cluster(join(hidden, 'data')).start();
    expect(await ask(address, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('writes no value of a failed statement into its log', async () => {
    const mine = cluster();
    const address = await mine.start();
    await ask(address, 'CREATE TABLE t (v text PRIMARY KEY)');
    await ask(address, "INSERT INTO t VALUES ('canary-7f3a')");
    await expect(ask(address, "INSERT INTO t VALUES ('canary-7f3a')")).rejects.toMatchObject({ code: '23505' });
    await expect(ask(address, "SELECT 'canary-7f3a'::uuid")).rejects.toMatchObject({ code: '22P02' });
    const { data } = (await mine.process())!;
    await mine.stop();
    expect(await readFile(join(data, 'server.log'), 'utf8')).toContain('database system is shut down');
    expect(await readFile(join(data, 'server.log'), 'utf8')).not.toContain('canary');
  });
});

describe('serverConfig', () => {
  it('bounds connections and keeps commits durable unless told otherwise', () => {
    expect(serverConfig({ port: 5 })).toContain('max_connections = 100\n');
    expect(serverConfig({ port: 5 })).toContain('fsync = on\n');
    expect(serverConfig({ port: 5, fsync: false, maxConnections: 7 })).toMatch(/max_connections = 7\n[^]*fsync = off\n/);
  });
});
