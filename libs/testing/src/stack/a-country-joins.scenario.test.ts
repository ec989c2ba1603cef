import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CountryClient } from '../client/country-client.js';
import { Asker } from '../scenarios/abroad.js';
import { Herself, newcomer, type Newcomer } from '../scenarios/cast.js';
import type { SharedWorld } from '../scenarios/shared-world.js';
import { WorldProcess } from '../world/processes.js';
import { readWorld } from '../world/provision-world.js';
import { engineFolders } from '../world/engine-folders.js';
import { repository } from '../world/repository.js';
import { fabricEngine, FabricStack } from './fabric/index.js';
import { startOf } from './own-process.js';
import { kafkaEngine } from './kafka/engine.js';
import type { EngineStatus } from './stack.js';

const cli = join(repository, 'apps/cli/dist/main.js');
const engines = [await fabricEngine(), await kafkaEngine()];
const absent = engines.flatMap((engine) => ('absent' in engine ? [engine.absent] : [])).join('; ');
const inCi = process.env['CI'] === 'true';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly told: string;
}

/** As an operator runs it. `killedAt`: SIGKILL as soon as standard error has these words. */
function portolan(args: readonly string[], killedAt?: string): Promise<Ended> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, told] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (killedAt !== undefined && told.includes(killedAt)) child.kill('SIGKILL');
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, told })));
}

describe.skipIf(absent !== '' && !inCi)(`an operator's own engines${absent === '' ? '' : ` (skipped: ${absent})`}`, () => {
  let folder: string;
  const nodes: WorldProcess[] = [];
  /** What the nodes said last, information left out. */
  const told: string[] = [];
  let person: Newcomer;
  const stack = (...args: string[]): Promise<Ended> => portolan(['stack', '--folder', folder, ...args]);
  const status = async (): Promise<{ code: number | null; engines: readonly EngineStatus[] }> => {
    const { code, out } = await stack('--status', '--json');
    return { code, ...(JSON.parse(out) as { engines: readonly EngineStatus[] }) };
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-stack-'));
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await stack('--stop');
    await rm(folder, { recursive: true, force: true });
  });

  async function startNode(country: string): Promise<void> {
    const file = join(folder, country.toLowerCase(), 'node.json');
    const node = new WorldProcess(country, [cli, 'node', '--config', file], (line) => {
      if (!line.includes('"level":"info"')) told.push(line);
      if (told.length > 40) told.shift();
    });
    nodes.push(node);
    await node.start();
  }

  /** A machine that does much else answers late, and a late answer is the negative one: she is asked for again. */
  async function obtained(from: string): Promise<void> {
    const asker = new Asker(await world(), from, 'EE');
    for (let attempt = 1; ; attempt += 1) {
      try {
        await asker.obtain(person, ['laboratory']);
        return;
      } catch (error) {
        if (attempt === 5) throw error;
      }
    }
  }

  async function world(): Promise<SharedWorld> {
    const provisioned = await readWorld(folder);
    const at = (country: string): CountryClient => {
      const found = provisioned.countries.get(country);
      if (found === undefined) throw new Error(`no ${country} in this world`);
      return new CountryClient(found);
    };
    return { provisioned, roles: 'apart', at, logs: () => Promise.resolve('') };
  }

  it('says where there are none', async () => {
    expect((await stack('--status')).code).toBe(3);
    expect(await portolan(['join', 'DE', '--folder', folder])).toMatchObject({ code: 3 });
  });

  it('start with one command, and a second start of the same folder is refused meanwhile', async () => {
    const first = stack();
    await pause(4_000);
    const second = await stack();
    expect(second).toMatchObject({ code: 1 });
    expect(second.told).toContain('store.cluster-in-use');
    expect((await first).told).toMatch(/PostgreSQL of EE[^]*Kafka broker of BE[^]*registry: BE/);
    expect((await first).code).toBe(0);
    const { code, engines: up } = await status();
    expect(code).toBe(0);
    // Three countries with five each, and the regulator's orderer: four orderers, as BFT asks.
    expect(up).toHaveLength(16);
    expect(up.filter(({ engine }) => engine === 'Fabric orderer')).toHaveLength(4);
  });

  it('tell what is down, and start that alone', async () => {
    const before = (await status()).engines;
    process.kill(before.find(({ owner, engine }) => owner === 'PT' && engine === 'Kafka broker')?.pid ?? 0, 'SIGKILL');
    expect((await status()).code).toBe(1);
    expect((await stack()).code).toBe(0);
    const after = (await status()).engines;
    const pids = (some: readonly EngineStatus[]): unknown[] => some.filter(({ owner }) => owner !== 'PT').map(({ pid }) => pid);
    expect(pids(after)).toEqual(pids(before));
    expect(after.map(({ address }) => address)).toEqual(before.map(({ address }) => address));
  });

  describe('with nodes on them', () => {
    let going = true;
    let crossed = 0;
    let traffic: Promise<void>;

    it('let records cross', async () => {
      for (const country of ['EE', 'PT']) await startNode(country);
      person = await newcomer(await world(), 'EE');
      await new Herself(await world(), person).permits(['PT'], ['laboratory']);
      await obtained('PT');
    });

    it('take in another country while they do, also where its joining is cut off and begun again', async () => {
      traffic = (async () => {
        for (; going; crossed += 1) await obtained('PT');
      })();
      traffic.catch(() => undefined);
      const cut = await portolan(['join', 'DE', '--folder', folder], 'signed the entry of DE');
      expect(cut.code).toBe(null);
      const joined = await portolan(['join', 'DE', '--folder', folder]);
      expect(joined, joined.told).toMatchObject({ code: 0 });
      await startNode('DE');
      // EE's node has learnt of DE by itself.
      await new Herself(await world(), person).permits(['DE'], ['laboratory']);
      await obtained('DE');
      going = false;
      await traffic;
      expect(crossed).toBeGreaterThan(3);
      // A vote as soon as it has joined: one that refuses what is proposed is not missed until another one fails, and then the channel rests.
      const said = await readFile(join(engineFolders(folder).fabric, 'de/orderer/orderer.log'), 'utf8');
      expect(said).not.toContain('invalid decisions in view');
    });

    it('have five orderers that agree, of which one may fail', async () => {
      const fabric = await FabricStack.find(engineFolders(folder).fabric);
      await fabric?.kill('BE', 'orderer');
      try {
        await obtained('PT');
      } catch (error) {
        // Which orderers and peers stand still, and what the nodes ran into: without it nobody can tell why.
        throw new Error(`${JSON.stringify(await fabric?.levels())}\n${told.join('\n')}`, { cause: error });
      }
    });
  });

  it('end with one command, and nothing is left', async () => {
    for (const node of nodes.splice(0)) await node.stop();
    const pids = (await status()).engines.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    expect(pids).toHaveLength(20);
    expect((await stack('--stop')).code).toBe(0);
    expect(pids.filter((pid) => startOf(pid) !== undefined)).toEqual([]);
    expect((await stack('--stop')).out).toContain('no engine');
  });
});
