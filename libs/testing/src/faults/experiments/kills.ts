import { setTimeout as pause } from 'node:timers/promises';
import type { Role } from '@portolan/domain';
import type { PartName } from '../../stack/fabric/index.js';
import type { Fault, Scene } from '../fault.js';

/** How long what was killed stays away: a supervisor's time. */
const AWAY_MS = 5_000;

/** Ends something, leaves it away for a while, and starts it again. */
async function away({ struck, healed, note }: Scene, kill: () => Promise<void>, start: () => Promise<unknown>): Promise<void> {
  struck();
  await kill();
  await pause(AWAY_MS);
  const began = performance.now();
  await start();
  note(`started again within ${((performance.now() - began) / 1000).toFixed(1)} s`);
  healed();
}

const role = (name: Role): Fault => ({
  name: `kill-${name}`,
  what: `the ${name} of EE is killed`,
  how: `SIGKILL of EE's ${name} process; started again after 5 s`,
  strike: (scene) => {
    const process = scene.world.world.process('EE', name);
    return away(
      scene,
      () => process.stop('SIGKILL'),
      () => process.start(),
    );
  },
});

const part = (name: PartName, what: string): Fault => ({
  name: `kill-${name}`,
  what: `${what} of EE is killed`,
  how: `SIGKILL of EE's Fabric ${name}; started again after 5 s`,
  strike: (scene) => {
    const { fabric } = scene.world.world.engines;
    return away(
      scene,
      () => fabric.kill('EE', name),
      () => fabric.restart('EE', name),
    );
  },
});

const broker: Fault = {
  name: 'kill-broker',
  what: 'the broker of EE is killed, in which its inbox lies',
  how: "SIGKILL of EE's Kafka broker; started again after 5 s",
  strike: (scene) => {
    const kafka = scene.world.world.engines.broker('EE');
    return away(
      scene,
      () => kafka.kill(),
      () => kafka.start(),
    );
  },
};

const database: Fault = {
  name: 'kill-database',
  what: 'the database of EE is killed',
  how: "SIGKILL of EE's PostgreSQL server; started again after 5 s, from its write-ahead log",
  strike: (scene) => {
    const cluster = scene.world.world.engines.cluster('EE');
    return away(
      scene,
      async () => {
        const server = await cluster.process();
        if (server === undefined) throw new Error('no server runs');
        process.kill(server.pid, 'SIGKILL');
      },
      async () => {
        await cluster.stop();
        await cluster.start();
      },
    );
  },
};

export const kills: readonly Fault[] = [
  role('edge'),
  role('exchange'),
  role('notary'),
  broker,
  part('peer', 'the peer'),
  part('chaincode', 'the chaincode service'),
  part('orderer', 'the orderer'),
  database,
];

const GOES_ON_WITHIN_MS = 240_000;

/** Several, each when records come again after the one before, in one stream. */
export function inTurn(name: string, some: readonly Fault[]): Fault {
  return {
    name,
    what: `one after the other: ${some.map(({ what }) => what).join('; ')}`,
    how: some.map(({ name: one }) => one).join(', then '),
    strike: async (scene) => {
      for (const one of some) {
        await one.strike(scene);
        const began = performance.now();
        const came = await scene.stream.reached(scene.stream.asked.length + 2, GOES_ON_WITHIN_MS);
        const took = ((performance.now() - began) / 1000).toFixed(1);
        scene.note(
          `${one.name}: ${came ? `two more answers within ${took} s after it was back` : `no two answers within ${took} s after it was back`}`,
        );
      }
    },
  };
}

/** A short selection: one of each kind of process. */
export const fewKills = inTurn(
  'few-kills',
  ['kill-exchange', 'kill-broker', 'kill-peer', 'kill-orderer', 'kill-database'].flatMap((name) =>
    kills.filter((one) => one.name === name),
  ),
);
export const allKills = inTurn('all-kills', kills);
