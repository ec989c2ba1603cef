import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedCluster } from '@portolan/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fabricPlants, blockFile, type FabricPlant } from '../checker/fabric/fabric-plants.js';
import { readPeerBlocks } from '../checker/fabric/peer-blocks.js';
import { checkLedger, type CheckedWorld, type Violation } from '../checker/index.js';
import { plantIn } from '../checker/plants.js';
import { fabricEngine } from '../stack/fabric/index.js';
import { kafkaEngine } from '../stack/kafka/engine.js';
import { fewKills } from './experiments/kills.js';
import type { FaultReport } from './fault.js';
import { FaultWorld } from './fault-world.js';
import { runFault } from './run-fault.js';

const engines = await Promise.all([kafkaEngine(), fabricEngine()]);
const absent = engines.flatMap((engine) => ('absent' in engine ? [engine.absent] : [])).join('; ');
const inCi = process.env['CI'] === 'true';
const TRANSFERS = 60;
const PLANTED = 'planted';
const print = (line: string): void => void process.stderr.write(`${line}\n`);
const told = ({ invariant, where, what }: Violation): string => `${invariant} ${where} ${what}`;

/** A short selection; the whole list: `npm run faults -- --list`. */
describe.skipIf(absent !== '' && !inCi)(
  `real engines that are killed in the middle of transfers${absent === '' ? '' : ` (skipped: ${absent})`}`,
  () => {
    let world: FaultWorld | undefined;
    let checked: CheckedWorld;
    let report: FaultReport;
    const clusters: EmbeddedCluster[] = [];

    beforeAll(async () => {
      if (absent !== '') throw new Error(absent);
      const started = (world = await FaultWorld.start({ lanes: 4, say: print }));
      report = await runFault(started, fewKills, TRANSFERS);
      checked = await started.checked();
      await started.world.stop();
      // The databases come back alone, for what is planted in them.
      const countries = checked.countries.map(async (country) => {
        const cluster = new EmbeddedCluster({ dataFolder: join(started.folder, 'postgres', country.code.toLowerCase()), fsync: false });
        clusters.push(cluster);
        return { ...country, admin: await cluster.start() };
      });
      checked = { ...checked, countries: await Promise.all(countries) };
    }, 900_000);

    afterAll(async () => {
      for (const cluster of clusters) await cluster.stop();
      if (world !== undefined) await rm(world.folder, { recursive: true, force: true });
    });

    it('lose nothing, do nothing twice, and every invariant holds: the checker says so', () => {
      expect(report.violations).toEqual([]);
      expect(report.transfers).toBeGreaterThanOrEqual(TRANSFERS);
      expect(report.seen.filter((line) => line.includes('no two answers'))).toEqual([]);
    });

    it('answer everybody who asked', () => expect(report.outcomes).toEqual({ released: report.transfers }));

    it('leave a channel in which nothing is wrong', async () => {
      expect(await checkLedger(checked)).toEqual([]);
    });

    it.each(fabricPlants)('leave a checker that can fail: it names $name', async (plant) => {
      const found = (await checkLedger(await planted(plant))).map(told);
      expect(found).toContainEqual(expect.stringMatching(plant.found));
    });

    /** The world with EE's database, or peers' block files, replaced by copies in which something is wrong. */
    async function planted({ sql, blocks }: FabricPlant): Promise<CheckedWorld> {
      const { ledger, countries } = checked;
      if (ledger.kind !== 'fabric') throw new Error('this world has another ledger');
      if (sql !== undefined) {
        await plantIn(
          countries.find(({ code }) => code === 'EE')!,
          PLANTED,
          sql,
        );
        return { ...checked, countries: countries.map((country) => (country.code === 'EE' ? { ...country, database: PLANTED } : country)) };
      }
      const of = Object.entries(ledger.blocksOf).map(async ([code, folder]) => {
        const copy = join(world?.folder ?? '', PLANTED, code);
        await rm(copy, { recursive: true, force: true });
        await mkdir(copy, { recursive: true });
        if (blocks !== undefined && (blocks.of ?? code) === code) {
          await writeFile(join(copy, 'blockfile_000000'), blockFile(blocks.change(await readPeerBlocks(folder))));
        } else
          for (const name of await readdir(folder)) if (name.startsWith('blockfile_')) await copyFile(join(folder, name), join(copy, name));
        return [code, copy] as const;
      });
      return { ...checked, ledger: { ...ledger, blocksOf: Object.fromEntries(await Promise.all(of)) } };
    }
  },
);
