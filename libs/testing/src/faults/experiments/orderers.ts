import { setTimeout as pause } from 'node:timers/promises';
import type { Fault, Scene } from '../fault.js';
import { EmergencyCase } from './emergency-case.js';

/** Long enough for both notaries to notice that the channel takes nothing. */
const SILENT_MS = 40_000;

/** How many `released` steps stand on the channel, late ones apart. */
async function releases({ world }: Scene): Promise<{ released: number; late: number }> {
  const [row] = await world.rows<{ released: number; late: number }>(
    'BE',
    `SELECT count(*) FILTER (WHERE late IS NULL)::int AS released, count(*) FILTER (WHERE late IS NOT NULL)::int AS late
     FROM notary.trail_step WHERE step = 'released'`,
  );
  return row ?? { released: 0, late: 0 };
}

/** Two of four orderers: one more than the channel bears. */
export const twoOrderersDown: Fault = {
  name: 'two-orderers-down',
  what: 'two of the four orderers are down: the channel takes nothing',
  how: "SIGKILL of BE's and the regulator's orderers; both started again after about a minute; meanwhile a clinician of PT declares an emergency",
  strike: async (scene) => {
    const { world, note, struck, healed } = scene;
    const { fabric } = world.world.engines;
    const emergency = await EmergencyCase.prepare(world);
    await Promise.all([fabric.kill('BE', 'orderer'), fabric.kill('REG', 'orderer')]);
    struck();
    await pause(5_000);
    const [before, sentBefore] = [await releases(scene), await sentRecords(scene)];
    await pause(SILENT_MS);
    note(`a question without an emergency, asked while the channel was away: ${await emergency.ordinary()}`);
    note(`the declared emergency: ${await emergency.urgent()}`);
    const [after, sentAfter] = [await releases(scene), await sentRecords(scene)];
    note(`steps that reached the channel from 5 s after the fault on: ${after.released + after.late - before.released - before.late}`);
    note(`records that left in that time: ${sentAfter - sentBefore}`);
    await Promise.all([fabric.restart('BE', 'orderer'), fabric.restart('REG', 'orderer')]);
    healed();
    note(`the emergency’s steps stand as late ones ${await emergency.anchored()}`);
  },
};

/** Records of either country that its exchange has handed to the other's inbox. */
async function sentRecords({ world }: Scene): Promise<number> {
  const sql = `SELECT count(*)::int AS n FROM exchange.outgoing WHERE state = 'sent' AND position('"kind":"record"' in encode(body, 'escape')) > 0`;
  const counts = await Promise.all((['EE', 'PT'] as const).map((country) => world.rows<{ n: number }>(country, sql)));
  return counts.reduce((sum, [row]) => sum + (row?.n ?? 0), 0);
}
