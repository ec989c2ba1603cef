import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CountryCode } from '@portolan/contracts';
import { EmbeddedCluster } from '@portolan/postgres';
import { provisionWorld } from '../world/provision-world.js';
import { engineFolders } from '../world/engine-folders.js';
import { RealColumn } from '../world/real-column.js';
import { repository } from '../world/repository.js';
import { FabricStack } from './fabric/index.js';
import { brokerStatus, stopBroker } from './kafka/kafka-broker.js';
import { markKept, unmarkKept } from './kept.js';

export interface StackOptions {
  /** Keys, databases, logs of all engines; made where missing, taken up where there. */
  readonly folder: string;
  /** Those that there are already stay; what is named beside them joins. */
  readonly countries: readonly CountryCode[];
  readonly reachableFolder?: string;
  readonly progress: (what: string) => void;
}

/** One engine of one organisation. */
export interface EngineStatus {
  readonly owner: string;
  readonly engine: 'PostgreSQL' | 'Kafka broker' | 'Fabric orderer' | 'Fabric peer' | 'chaincode';
  readonly up: boolean;
  readonly pid?: number;
  /** `host:port` that its users reach. */
  readonly address?: string;
  /** Resident memory in MiB, where the system tells it. */
  readonly memory?: number;
}

/** The countries whose engines a folder has, in the order of their coming. */
export async function countriesIn(folder: string): Promise<readonly CountryCode[]> {
  const fabric = await FabricStack.find(engineFolders(folder).fabric);
  if (fabric !== undefined) return fabric.organisations.filter(({ kind }) => kind === 'country').map(({ org }) => org);
  const clusters = await readdir(join(folder, 'postgres')).catch(() => []);
  return clusters.map((cc) => cc.toUpperCase()).sort();
}

/**
 * Starts the engines of each country and leaves them running when this process ends: keys, databases, brokers, the channel and its registry,
 * all but the nodes. What runs is taken up, what is down is started, a country that the channel does not know yet joins it.
 */
export async function startStack({ folder, countries, reachableFolder, progress }: StackOptions): Promise<readonly EngineStatus[]> {
  const known = await countriesIn(folder);
  const all = [...known, ...countries.filter((one) => !known.includes(one))];
  const common = { folder, countries: all, fsync: true, endsWithUs: false, progress };
  const column = await RealColumn.start({ ...common, ...(reachableFolder === undefined ? {} : { reachableFolder }) });
  try {
    progress('keys, certificates, databases and the channel');
    const countriesFolder = join(repository, 'libs/countries');
    await provisionWorld({ root: folder, countriesFolder, countries: all, apart: true, logLevel: 'info', checkpoints: false, column });
    await markKept(folder);
  } finally {
    await column.close();
  }
  return stackStatus(folder);
}

/** Every engine of the folder, running or not; empty where there is none. Nothing is started. */
export async function stackStatus(folder: string): Promise<readonly EngineStatus[]> {
  const found: Seen[] = [];
  const folders = engineFolders(folder);
  for (const owner of await countriesIn(folder)) {
    const server = await EmbeddedCluster.find(folders.cluster(owner));
    found.push({ owner, engine: 'PostgreSQL', pid: server?.pid, port: server?.port });
    const { pid, ports } = brokerStatus(folders.broker(owner));
    found.push({ owner, engine: 'Kafka broker', pid, port: ports?.country });
  }
  found.push(...(await fabricParts(folders.fabric)));
  return Promise.all(found.map(told));
}

interface Seen extends Pick<EngineStatus, 'owner' | 'engine'> {
  readonly pid: number | undefined;
  readonly port: number | undefined;
}

async function fabricParts(folder: string): Promise<readonly Seen[]> {
  const fabric = await FabricStack.find(folder);
  if (fabric === undefined) return [];
  return Promise.all(
    fabric.status().map(async ({ org: owner, part, pid }): Promise<Seen> => {
      if (part === 'chaincode') return { owner, engine: part, pid, port: undefined };
      const { [part]: address = '' } = await fabric.access(owner);
      return { owner, engine: `Fabric ${part}`, pid, port: Number(address.split(':')[1]) };
    }),
  );
}

async function told({ owner, engine, pid, port }: Seen): Promise<EngineStatus> {
  const memory = pid === undefined ? undefined : await memoryOf(pid);
  return {
    owner,
    engine,
    up: pid !== undefined,
    ...(pid !== undefined && { pid }),
    ...(port !== undefined && { address: `127.0.0.1:${port}` }),
    ...(memory !== undefined && { memory }),
  };
}

async function memoryOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1024);
}

/** Ends every engine of the folder in order: what asks before what answers. Answers how many ran. */
export async function stopStack(folder: string, progress: (what: string) => void): Promise<number> {
  const before = (await stackStatus(folder)).filter(({ up }) => up).length;
  const folders = engineFolders(folder);
  await unmarkKept(folder);
  const fabric = await FabricStack.find(folders.fabric);
  if (fabric !== undefined) {
    progress('Fabric channel');
    await fabric.stop();
  }
  for (const country of await countriesIn(folder)) {
    if (brokerStatus(folders.broker(country)).running) progress(`Kafka broker of ${country}`);
    await stopBroker(folders.broker(country));
    if ((await EmbeddedCluster.find(folders.cluster(country))) === undefined) continue;
    progress(`PostgreSQL of ${country}`);
    const cluster = new EmbeddedCluster({ dataFolder: folders.cluster(country) });
    await cluster.start();
    await cluster.stop();
  }
  return before;
}
