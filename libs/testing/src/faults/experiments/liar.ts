import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { repository } from '../../world/world.js';
import type { Fault } from '../fault.js';

const LASTS_MS = 45_000;
const LIAR = join(repository, 'libs/testing/src/faults/lying-chaincode.mjs');

export const lyingPeer: Fault = {
  name: 'lying-peer',
  what: 'BE’s peer lies: it endorses every act and every proof unjudged, with words that nobody said',
  how: 'BE runs another chaincode beside its peer for 45 s, then the agreed one again; EE and PT may choose it for the second endorsement',
  strike: async ({ world, struck, healed, note }) => {
    const { fabric } = world.world.engines;
    await fabric.replaceChaincode('BE', [process.execPath, LIAR]);
    struck();
    await pause(LASTS_MS);
    const forged = await world.rows<{ key: string }>(
      'EE',
      `SELECT key FROM notary.fabric_state WHERE position('forged' in encode(value, 'escape')) > 0 AND key LIKE 'public:%'`,
    );
    note(`values of the liar that stand on the channel: ${forged.length}`);
    await fabric.replaceChaincode('BE', undefined);
    healed();
  },
};
