import { appendFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { adminQuery } from '@portolan/postgres';
import { check, unsettled, type CheckedWorld, type Violation } from '../checker/index.js';
import { CountryClient } from '../client/country-client.js';
import { clinicianOf, Herself, newcomer, type Newcomer } from '../scenarios/cast.js';
import type { SharedWorld } from '../scenarios/shared-world.js';
import { checkedWorld } from '../world/checked.js';
import { World } from '../world/world.js';
import { Clinic } from './clinic.js';
import { Stream, type Lane } from './stream.js';

export type Side = 'EE' | 'PT';
export const SIDES = ['EE', 'PT'] as const;
export const otherSide = (side: Side): Side => (side === 'EE' ? 'PT' : 'EE');

/** What goes with every person that a hospital sends: her record's category, as her country files it. */
const CATEGORY = 'laboratory';
const QUIET_WITHIN_MS = 240_000;

export interface FaultWorldOptions {
  /** Persons, and questions under way at a time, each way. */
  readonly lanes: number;
  readonly say: (line: string) => void;
}

/** Three countries on real engines, a process a role: EE and PT ask each other, BE endorses and looks on. */
export class FaultWorld {
  private lanes: readonly Lane[] = [];
  private readonly persons: Newcomer[] = [];
  /** Envelopes that an experiment wrote as an attacker. */
  readonly forged = new Map<string, 'dead' | 'settled'>();

  private constructor(
    readonly world: World,
    readonly folder: string,
    readonly say: (line: string) => void,
  ) {}

  /** Boots the world, files the persons' records, has them permit, and lets each side find the other's. */
  static async start({ lanes, say }: FaultWorldOptions): Promise<FaultWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'portolan-faults-'));
    await chmod(folder, 0o755);
    const world = await World.start({
      folder,
      column: 'real',
      countries: ['EE', 'PT', 'BE'],
      roles: 'apart',
      takeOverAfterMs: 1_000,
      headEveryMs: 2_000,
      cuttable: true,
      sink: (text) => appendFileSync(join(folder, 'nodes.log'), text.endsWith('\n') ? text : `${text}\n`),
      progress: say,
    });
    const made = new FaultWorld(world, folder, say);
    try {
      await made.people(lanes);
      return made;
    } catch (error) {
      await made.stop();
      throw error;
    }
  }

  /** Ends everything; removes the folder unless it is wanted for a look. */
  async stop(keepsFolder = false): Promise<void> {
    await this.world.stop();
    if (!keepsFolder) await rm(this.folder, { recursive: true, force: true });
  }

  /** As the scenarios see a world. */
  get shared(): SharedWorld {
    const { provisioned } = this.world;
    const clients = new Map<string, CountryClient>();
    return {
      provisioned,
      roles: 'apart',
      at: (country) => {
        const client = clients.get(country) ?? this.client(country);
        clients.set(country, client);
        return client;
      },
      logs: () => Promise.resolve(''),
    };
  }

  client(country: string): CountryClient {
    return new CountryClient(this.world.country(country));
  }

  stream(transfers: number): Stream {
    return new Stream(this.lanes, transfers);
  }

  /** Rows of a country's database, as superuser. */
  async rows<Row>(country: string, sql: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    const { admin } = this.world.engines.database(country);
    return adminQuery<Row>({ ...admin, database: this.world.country(country).config.database.name }, sql, parameters);
  }

  async checked(): Promise<CheckedWorld> {
    const canaries = this.persons.flatMap(({ family, identifier, birthDate, mark }) => [family, identifier.value, birthDate, mark]);
    return { ...(await checkedWorld(this.world, canaries)), forged: this.forged };
  }

  /** Waits until nothing is on its way any more; how long that took, in milliseconds. What still moves then is a finding of the checker. */
  async quiet(): Promise<number> {
    const began = performance.now();
    const world = await this.checked();
    while ((await unsettled(world)).length > 0 && performance.now() - began < QUIET_WITHIN_MS) await pause(500);
    return performance.now() - began;
  }

  async check(): Promise<readonly Violation[]> {
    return check(await this.checked());
  }

  private async people(lanes: number): Promise<void> {
    this.say(`${lanes} persons in each country, and a clinician for each`);
    const { shared } = this;
    const made: Lane[] = [];
    // One at a time each way: nothing is measured yet, and machines may be small.
    const filing = SIDES.map(async (custodian) => {
      for (let n = 0; n < lanes; n += 1) made.push(await persist(() => this.lane(shared, custodian)));
    });
    await Promise.all(filing);
    this.lanes = made;
  }

  private async lane(shared: SharedWorld, custodian: Side): Promise<Lane> {
    const person = await newcomer(shared, custodian);
    this.persons.push(person);
    const asker = otherSide(custodian);
    await new Herself(shared, person).permits([asker], [CATEGORY]);
    const clinic = new Clinic(this.client(asker), clinicianOf(asker));
    const handle = await clinic.find(person);
    return { way: `${asker} asks ${custodian}`, ask: () => clinic.record(handle, CATEGORY) };
  }
}

/** A busy machine may refuse at first; another person then comes instead. */
async function persist<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      if (tried >= 4) throw error;
      await pause(2_000);
    }
  }
}
