import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CountryCode } from '@portolan/contracts';
import { adminQuery } from '@portolan/postgres';
import { CountryClient } from '../client/country-client.js';
import type { SharedWorld } from '../scenarios/shared-world.js';
import { World } from '../world/world.js';

/** Three countries and the regulator: the fewest whose orderers stand one that lies (four of them). */
const COUNTRIES = ['EE', 'PT', 'BE'] as const;

/** As a node has it whose configuration says nothing; the worlds of tests have heads sooner. */
const HEAD_EVERY_MS = 2_000;

/** A world for one benchmark, seen from outside as scenarios see theirs, and from within where the time goes. */
export interface BenchWorld extends SharedWorld {
  readonly world: World;
  /** One statement over a country's database, as its administrator. */
  read<Row>(country: CountryCode, sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
}

export interface BenchWorldOptions {
  readonly say: (line: string) => void;
  /** On embedded engines, of two countries: a second to start instead of a minute, for showing that the benchmark runs. */
  readonly quick: boolean;
  readonly roles?: 'together' | 'apart';
  /** Most steps and permits of one transaction; as many as it holds where absent. */
  readonly mostTogether?: number;
}

/** Starts a world on real engines in a temporary folder, with every write flushed to the disk; does the work; ends and removes it. */
export async function inBenchWorld<T>(
  { say, quick, roles = 'together', mostTogether }: BenchWorldOptions,
  work: (world: BenchWorld) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-bench-'));
  await chmod(folder, 0o755);
  const lines: string[] = [];
  const engines = quick
    ? ({ column: 'embedded', countries: COUNTRIES.slice(0, 2) } as const)
    : ({ column: 'real', countries: COUNTRIES } as const);
  const notary = { headEveryMs: HEAD_EVERY_MS, ...(mostTogether === undefined ? {} : { mostTogether }) };
  try {
    const world = await World.start({
      ...engines,
      ...notary,
      folder,
      roles,
      progress: say,
      sink: (line) => void lines.push(line),
    });
    try {
      return await work(seen(world, folder, roles, lines));
    } finally {
      await world.stop();
    }
  } catch (error) {
    for (const line of lines.slice(-20)) say(line.trimEnd());
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function seen(world: World, folder: string, roles: 'together' | 'apart', lines: readonly string[]): BenchWorld {
  const clients = new Map([...world.provisioned.countries].map(([code, country]) => [code, new CountryClient(country)]));
  return {
    world,
    provisioned: { ...world.provisioned, folder },
    roles,
    at(country) {
      const client = clients.get(country);
      if (client === undefined) throw new Error(`no ${country} in this world`);
      return client;
    },
    logs: () => Promise.resolve(lines.join('\n')),
    read: (country, sql, parameters) =>
      adminQuery({ ...world.database(country), database: world.country(country).config.database.name }, sql, parameters),
  };
}
