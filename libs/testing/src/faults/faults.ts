import type { Violation } from '../checker/index.js';
import { clock } from './experiments/clock.js';
import { fullDisk } from './experiments/disk.js';
import { envelopes } from './experiments/envelopes.js';
import { allKills, fewKills, kills } from './experiments/kills.js';
import { lyingPeer } from './experiments/liar.js';
import { twoOrderersDown } from './experiments/orderers.js';
import { partition } from './experiments/partition.js';
import type { Fault, FaultReport } from './fault.js';
import { FaultWorld } from './fault-world.js';
import { runFault } from './run-fault.js';

/** Every fault that is tried in the middle of a stream of transfers on real engines. */
export const faults: readonly Fault[] = [...kills, fewKills, allKills, twoOrderersDown, partition, clock, envelopes, fullDisk, lyingPeer];

export interface FaultOptions {
  /** Transfers in each stream. */
  readonly transfers: number;
  /** Questions under way at a time, each way. */
  readonly lanes: number;
  /** Keeps the world's folder, for a look. */
  readonly keepsFolder?: boolean;
  readonly say: (line: string) => void;
  /** Told each report as soon as it is there. */
  readonly report: (report: FaultReport) => void;
}

/** Tries faults one after the other in one world. Throws where the world does not come up (`EngineAbsent` where an engine cannot be made). */
export async function tryFaults(wanted: readonly Fault[], { transfers, lanes, keepsFolder, say, report }: FaultOptions): Promise<void> {
  const world = await FaultWorld.start({ lanes, say });
  const known: Violation[] = [];
  try {
    for (const fault of wanted) {
      say(`${fault.name}: ${fault.what}`);
      const came = await runFault(world, fault, transfers, known);
      // What one fault broke is not told again of the next.
      known.push(...came.violations);
      report(came);
    }
  } finally {
    await world.stop(keepsFolder);
  }
}
