import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJws } from '../checker/hashing.js';
import { FabricStack } from '../stack/fabric/index.js';
import { rows } from './backstage.js';
import type { SharedWorld } from './shared-world.js';

/** An act as it stands on the channel. */
export interface ChannelAct {
  readonly fn: string;
  readonly org: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export const runsOnFabric = ({ provisioned }: SharedWorld): boolean => provisioned.orderer === undefined;

/** All acts on the channel, in order, as one country's notary has them. */
export async function actsAt(world: SharedWorld, country: string): Promise<readonly ChannelAct[]> {
  if (runsOnFabric(world)) {
    const found = await rows<{ fn: string; org: string; args: string }>(
      world,
      country,
      'SELECT fn, org, args FROM notary.fabric_tx WHERE valid ORDER BY block, index',
    );
    return found.map(({ fn, org, args }) => ({ fn, org, args: JSON.parse(args) as ChannelAct['args'] }));
  }
  const found = await rows<{ jws: string }>(world, country, 'SELECT jws FROM notary.ledger_tx ORDER BY block, index');
  return found.map(({ jws }) => readJws<ChannelAct>(jws).payload);
}

/** Whether a transaction stands in a country's own copy. */
export async function standsAt(world: SharedWorld, country: string, id: string): Promise<boolean> {
  const table = runsOnFabric(world) ? 'fabric_tx' : 'ledger_tx';
  return (await rows(world, country, `SELECT 1 FROM notary.${table} WHERE id = $1`, [id])).length > 0;
}

/** Public text of the first record whose name begins so, in a country's own copy. */
export async function recordAt(world: SharedWorld, country: string, name: string): Promise<string | undefined> {
  const table = runsOnFabric(world) ? 'fabric_state' : 'ledger_state';
  const sql = `SELECT value FROM notary.${table} WHERE key LIKE $1`;
  const [found] = await rows<{ value: Buffer }>(world, country, sql, [`public:${name}%`]);
  return found?.value.toString('utf8');
}

/** The network under a world on real engines, found by its folder. */
export async function fabricOf({ provisioned: { folder } }: SharedWorld): Promise<FabricStack> {
  const found = await FabricStack.find(join(folder, 'fabric'));
  if (found === undefined) throw new Error('this world has no Fabric channel');
  return found;
}

/** What lies there of the channel and of what partners sent, with a country, as bytes. */
export interface Kept {
  readonly channel: Buffer;
  readonly inbox: Buffer;
}

/** Blocks of its peer and segments of its broker's topics; on the embedded column its copy of the ledger, and its inbox. */
export async function keptAt(world: SharedWorld, country: string): Promise<Kept> {
  if (!runsOnFabric(world)) return keptInTables(world, country);
  const stack = await fabricOf(world);
  const topics = join(world.provisioned.folder, 'kafka', country.toLowerCase(), 'data');
  return { channel: await bytesUnder(stack.blocksOf(country), /^blockfile_/), inbox: await bytesUnder(topics, /\.log$/) };
}

async function keptInTables(world: SharedWorld, country: string): Promise<Kept> {
  const envelopes = await rows<{ key: string; body: Buffer }>(world, country, 'SELECT key, body FROM exchange.incoming');
  return {
    channel: Buffer.from(JSON.stringify(await actsAt(world, country))),
    inbox: Buffer.concat(envelopes.flatMap(({ key, body }) => [Buffer.from(key), body])),
  };
}

async function bytesUnder(folder: string, name: RegExp): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && name.test(entry.name));
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name)))));
}
