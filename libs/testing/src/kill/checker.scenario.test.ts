import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedCluster } from '@portolan/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, type CheckedWorld, type Violation } from '../checker/index.js';
import { plantIn, plants, type Plant } from '../checker/plants.js';
import { KillWorld } from './kill-world.js';

const PLANTED = 'planted';
const told = ({ invariant, where, what }: Violation): string => `${invariant} ${where} ${what}`;

let folder: string;
let cluster: EmbeddedCluster;
let world: CheckedWorld;

/** A world in which everything happened once: records released, refused, read no more; then its processes are stopped. */
beforeAll(async () => {
  folder = await KillWorld.prepareFolder();
  const lived = await KillWorld.start(() => undefined, folder);
  try {
    await lived.prepare();
    const [ee, pt] = [lived.clinician('EE'), lived.clinician('PT')];
    expect(await pt.record(lived.handle('PT'), ['summary'])).toBe('released');
    await lived.withdraw();
    await lived.until('PT', 'the view is destroyed', `SELECT count(*) = 0 AS holds FROM edge.view WHERE state <> 'destroyed'`);
    expect(await pt.record(lived.handle('PT'), ['summary'])).toBe('none');
    await lived.permit();
    expect(await pt.record(lived.handle('PT'), ['laboratory'])).toBe('released');
    expect(await ee.record(lived.handle('EE'), ['summary'])).toBe('released');
    await lived.quiet();
    world = await lived.checked();
  } finally {
    await lived.world.stop();
  }
  cluster = new EmbeddedCluster({ dataFolder: join(folder, 'postgres'), fsync: false });
  const admin = await cluster.start();
  const { ledger, countries } = world;
  if (ledger.kind !== 'embedded') throw new Error('this world has another ledger');
  const orderer = { ...ledger.orderer, admin };
  world = { ...world, countries: countries.map((country) => ({ ...country, admin })), ledger: { ...ledger, orderer } };
});
afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A checker that cannot fail is worth nothing: each kind of violation is put into a real database, and must be named. */
describe('the checker', () => {
  it('finds nothing in a world where nothing is wrong', async () => {
    expect(await check(world)).toEqual([]);
  });

  it.each(plants)('names $name ($at)', async (plant) => {
    const found = (await check(await planted(plant))).map(told);
    expect(found).toContainEqual(expect.stringMatching(plant.found));
  });
});

/** The world with one database replaced by a copy in which something is wrong. */
async function planted({ at, sql }: Plant): Promise<CheckedWorld> {
  const { ledger } = world;
  if (ledger.kind !== 'embedded') throw new Error('this world has another ledger');
  if (at === ledger.orderer.org) {
    await plantIn(ledger.orderer, PLANTED, sql);
    return { ...world, ledger: { ...ledger, orderer: { ...ledger.orderer, database: PLANTED } } };
  }
  await plantIn(
    world.countries.find(({ code }) => code === at)!,
    PLANTED,
    sql,
  );
  return { ...world, countries: world.countries.map((country) => (country.code === at ? { ...country, database: PLANTED } : country)) };
}
