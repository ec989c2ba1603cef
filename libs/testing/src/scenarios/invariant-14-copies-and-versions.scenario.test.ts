import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isErrorCode, type NodeConfig } from '@portolan/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../story/wait.js';
import { freePorts } from '../world/ports.js';
import { WorldProcess } from '../world/processes.js';
import { repository } from '../world/world.js';
import { Asker, type Obtained } from './abroad.js';
import { rows } from './backstage.js';
import { Herself, newcomer, type Newcomer } from './cast.js';
import { Forger } from './forger.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

describe('any role runs in several copies, and another version is refused, not suffered', () => {
  let world: SharedWorld;
  const copies: WorldProcess[] = [];

  /** Who wrote EE's batches before there were copies. */
  let first: string | undefined;

  beforeAll(async () => {
    world = await sharedWorld();
    first = await batcherOf('EE');
    for (const country of ['EE', 'PT']) await startCopies(country);
  });
  afterAll(async () => {
    await Promise.all(copies.map((copy) => copy.stop()));
  });

  /** A second process of each role beside the first, on the same database and keys, at doors of its own. */
  async function startCopies(country: string): Promise<void> {
    const { config } = world.at(country);
    const [http, mllp, inbox, edge, exchange, notary] = (await freePorts(6)) as [number, number, number, number, number, number];
    const at = (door: { host: string }, port: number) => ({ ...door, port });
    const { demoOpenid: _one, ...shared } = config;
    // Copies share the partitions of a broker; an embedded door is one process's own.
    const doors = {
      http: at(config.http, http),
      mllp: at(config.mllp, mllp),
      inbox: 'kind' in config.inbox ? config.inbox : at(config.inbox, inbox),
    };
    const { transport } = config;
    for (const role of transport.kind === 'tcp' ? (['notary', 'exchange'] as const) : (['node'] as const)) {
      // A copy asks the first processes of the other roles; only its own door is another.
      const own = transport.kind === 'tcp' ? { ...transport, ...{ [role]: { edge, exchange, notary, node: 0 }[role] } } : transport;
      const copied: NodeConfig = { ...shared, ...doors, transport: own };
      const file = join(config.home, `second-${role}.json`);
      await writeFile(file, JSON.stringify(copied));
      const command =
        role === 'node'
          ? [join(repository, 'apps/cli/dist/main.js'), 'node', '--config', file]
          : [join(repository, `apps/${role}/dist/main.js`), '--config', file];
      const copy = new WorldProcess(`${country} second ${role}`, command, () => undefined);
      copies.push(copy);
      await copy.start();
    }
  }

  async function batcherOf(country: string): Promise<string | undefined> {
    return (await rows<{ holder: string }>(world, country, `SELECT holder FROM notary.lease WHERE name = 'batcher'`))[0]?.holder;
  }

  async function permitted(): Promise<Newcomer> {
    const person = await newcomer(world, 'EE');
    await new Herself(world, person).permits(['PT'], ['laboratory', 'summary']);
    return person;
  }
  const oncePerTransfer = async ({ transfer }: Pick<Obtained, 'transfer'>): Promise<void> => {
    await eventually('the transfer is closed at both', async () => {
      const states = ['EE', 'PT'].map((country) =>
        rows<{ state: string }>(world, country, 'SELECT state FROM exchange.transfer WHERE transfer_id = $1', [transfer]),
      );
      return (await Promise.all(states)).map(([one]) => one?.state).join() === 'closed,done';
    });
    const events = `SELECT type, count(*)::int AS n FROM exchange.audit_event WHERE transfer_id = $1 AND type IN ('record-released', 'record-opened', 'record-received-abroad') GROUP BY 1`;
    for (const country of ['EE', 'PT']) {
      for (const { type, n } of await rows<{ type: string; n: number }>(world, country, events, [transfer]))
        expect(n, `${country} ${type}`).toBe(1);
    }
    const steps = await rows<{ step: string }>(
      world,
      'BE',
      'SELECT step FROM notary.trail_step WHERE transfer_id = $1 ORDER BY block, position',
      [transfer],
    );
    expect(steps.map(({ step }) => step)).toEqual(['released', 'received']);
    expect(await rows(world, 'EE', 'SELECT 1 FROM exchange.permit WHERE transfer_id = $1', [transfer])).toHaveLength(1);
    expect(await rows(world, 'PT', 'SELECT 1 FROM edge.view WHERE transfer_id = $1', [transfer])).toHaveLength(1);
  };

  it('does each thing once though two copies reach for it', async () => {
    expect(copies.every(({ isRunning }) => isRunning)).toBe(true);
    const people = await Promise.all([permitted(), permitted(), permitted(), permitted()]);
    const asker = new Asker(world, 'PT', 'EE');
    const obtained = await Promise.all(people.map((person) => asker.obtain(person, ['laboratory', 'summary'])));
    for (const one of obtained) await oncePerTransfer(one);
    expect(copies.every(({ isRunning }) => isRunning)).toBe(true);
  });

  it('has one writer of batches, log and trail at a time, whose number only grows', async () => {
    for (const country of ['EE', 'PT']) {
      const leases = await rows<{ name: string; fencing: string }>(world, country, 'SELECT name, fencing FROM notary.lease');
      expect(leases.map(({ name }) => name).sort()).toEqual([...new Set(leases.map(({ name }) => name))].sort());
      expect(leases.length).toBeGreaterThanOrEqual(3);
      await pause(300);
      for (const { name, fencing } of await rows<{ name: string; fencing: string }>(
        world,
        country,
        'SELECT name, fencing FROM notary.lease',
      )) {
        expect(Number(fencing)).toBeGreaterThanOrEqual(Number(leases.find((one) => one.name === name)?.fencing));
      }
      const batches = await rows<{ n: number }>(
        world,
        country,
        `SELECT batch::int AS n FROM notary.trail_step WHERE org = $1 GROUP BY 1 ORDER BY 1`,
        [country],
      );
      expect(new Set(batches.map(({ n }) => n)).size).toBe(batches.length);
      const twice = 'SELECT event_id FROM notary.log_leaf GROUP BY 1 HAVING count(*) > 1';
      expect(await rows(world, country, twice)).toEqual([]);
    }
  });

  it('does nothing twice when a writer freezes beyond its leases, another takes over, and it wakes', { timeout: 300_000 }, async () => {
    const writer = copies.find(({ name }) => /^EE second (?:notary|node)$/.test(name));
    await eventually('the copy writes EE’s batches', async () => {
      if ((await batcherOf('EE')) !== first) return true;
      await rows(world, 'EE', `UPDATE notary.lease SET until = now() WHERE holder = $1`, [first]);
      await pause(200);
      return false;
    });
    const asker = new Asker(world, 'PT', 'EE');
    const handles = await Promise.all((await Promise.all([permitted(), permitted(), permitted()])).map((person) => asker.find(person)));
    const asked = await Promise.all(handles.map((handle) => asker.begin(handle ?? '', ['laboratory'])));
    writer?.signal('SIGSTOP');
    try {
      await eventually('another takes its leases over', async () => (await batcherOf('EE')) === first, 90_000);
      await oncePerTransfer(await asker.obtain(await permitted(), ['laboratory']));
    } finally {
      writer?.signal('SIGCONT');
    }
    for (const one of asked) {
      const answer = await one.look();
      expect(answer.status, answer.text.slice(0, 300)).toBe(200);
      await oncePerTransfer(one);
    }
    expect(writer?.isRunning).toBe(true);
  });

  it('goes on when a copy leaves', async () => {
    await Promise.all(copies.map((copy) => copy.stop()));
    expect(copies.some(({ isRunning }) => isRunning)).toBe(false);
    await oncePerTransfer(await new Asker(world, 'PT', 'EE').obtain(await permitted(), ['laboratory']));
  });

  it('sets an envelope of a version that it does not know aside, with a code, and goes on', async () => {
    const forger = new Forger(world, 'EE', 'PT');
    const transferId = randomUUID();
    const { hashes, parts } = await forger.seal('notice', transferId, '{"v":9}');
    const known = { ...forger.head('notice', transferId), n: 1, parts: hashes, sealed: parts[0] ?? '' };
    const strange = [{ v: 9, ...known }, { v: 2, ...known, somethingNew: true }, { ...known }, { v: 1, ...known }];
    const ids = await Promise.all(strange.map((envelope) => forger.send(envelope)));
    const set = (id: string) =>
      rows<{ state: string; code: string }>(world, 'PT', 'SELECT state, code FROM exchange.incoming WHERE id = $1', [id]);
    for (const id of ids) {
      await eventually('it is a dead letter', async () => (await set(id))[0]?.state === 'dead');
      expect(isErrorCode((await set(id))[0]?.code ?? '')).toBe(true);
    }
    await oncePerTransfer(await new Asker(world, 'PT', 'EE').obtain(await permitted(), ['laboratory']));
  });
});
