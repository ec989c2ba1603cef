import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from '../fault.js';

const MINUTE_MS = 60_000;

export const partition: Fault = {
  name: 'partition',
  what: 'EE and PT do not reach each other’s inboxes for a minute',
  how: 'the lines to both inboxes stand before the brokers’ doors and pass nothing for 60 s, without closing a connection; the channel is reached',
  strike: async ({ world, stream, struck, healed, note }) => {
    const { engines } = world.world;
    const lines = [engines.lineTo('EE'), engines.lineTo('PT')];
    for (const line of lines) line.cut();
    struck();
    await pause(2_000);
    const before = stream.asked.filter(({ outcome }) => outcome === 'released').length;
    await pause(MINUTE_MS - 2_000);
    const after = stream.asked.filter(({ outcome }) => outcome === 'released').length;
    note(`records that came while nothing passed, from its third second on: ${after - before}`);
    for (const line of lines) line.mend();
    healed();
  },
};
