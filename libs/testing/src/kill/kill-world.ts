import { appendFileSync } from 'node:fs';
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Policy } from '@portolan/contracts';
import type { Role } from '@portolan/domain';
import { adminQuery } from '@portolan/postgres';
import { check, unsettled, type CheckedWorld, type Violation } from '../checker/index.js';
import { CountryClient } from '../client/country-client.js';
import { eventually } from '../story/wait.js';
import { checkedWorld } from '../world/checked.js';
import { ana, demoClinicians, mari, type DemoPerson } from '../world/demo-people.js';
import type { WorldProcess } from '../world/processes.js';
import { repository, World, type WorldOptions } from '../world/world.js';
import { Clinician } from './clinician.js';

export type Side = 'EE' | 'PT';
export const other = (country: Side): Side => (country === 'EE' ? 'PT' : 'EE');

const PERSONS: Readonly<Record<Side, DemoPerson>> = { EE: mari, PT: ana };
/** Documents that file the persons' records: both have a summary; the EE laboratory reports come beside. */
const RECORDS: Readonly<Record<Side, readonly (readonly [string, string])[]>> = {
  EE: [
    ['cda/ee-mari-naidis-summary.xml', 'application/xml'],
    ['hl7v2/ee-oru-r01-chemistry.hl7', 'x-application/hl7-v2+er7'],
  ],
  PT: [['cda/pt-ana-exemplo-summary.xml', 'application/xml']],
};
/** Texts that went in: none of them may stand at a notary or on the ledger. */
const CANARIES = [mari, ana].flatMap(({ name, identifier, birthDate }) => [name, identifier.value, birthDate]);
const TAKE_OVER_AFTER_MS = 1_000;
const QUIET_WITHIN_MS = 90_000;

/** Two countries, a process a role, made for being killed. */
export class KillWorld {
  private readonly handles = new Map<Side, string>();
  private consent = '';

  private constructor(
    readonly world: World,
    private readonly countriesFolder: string,
    private readonly print: (line: string) => void,
  ) {}

  /** `folder` of an earlier one goes on where that was left. */
  static async start(print: (line: string) => void, folder?: string, more: Partial<WorldOptions> = {}): Promise<KillWorld> {
    const root = folder ?? (await KillWorld.prepareFolder());
    const countriesFolder = join(root, 'countries');
    const world = await World.start({ ...worldOptions(root), ...more, sink: (text) => appendFileSync(join(root, 'nodes.log'), text) });
    return new KillWorld(world, countriesFolder, print);
  }

  static async prepareFolder(): Promise<string> {
    const root = await mkdtemp(join(tmpdir(), 'portolan-kill-'));
    await chmod(root, 0o755);
    await cp(join(repository, 'libs/countries'), join(root, 'countries'), { recursive: true });
    return root;
  }

  /** Ends everything and removes the folder. */
  async stop(): Promise<void> {
    await this.world.stop();
    await rm(this.world.options.folder, { recursive: true, force: true });
  }

  /** Files the records, has EE's person permit, and lets each side find the other's person. */
  async prepare(): Promise<void> {
    for (const country of ['EE', 'PT'] as const) await this.file(country);
    await this.permit();
    await this.meet();
  }

  /** Each side finds the other's person by what she bears. */
  async meet(): Promise<void> {
    for (const country of ['EE', 'PT'] as const) {
      const { handle } = await this.clinician(country).match(PERSONS[other(country)]);
      if (handle === undefined) throw new Error(`${country} did not find the person abroad`);
      this.handles.set(country, handle);
    }
  }

  clinician(country: Side): Clinician {
    const who = demoClinicians[country];
    if (who === undefined) throw new Error(`no clinician in ${country}`);
    return new Clinician(this.client(country), who);
  }

  client(country: Side): CountryClient {
    return new CountryClient(this.world.country(country));
  }

  /** The handle under which `asker` knows the other country's person. */
  handle(asker: Side): string {
    const handle = this.handles.get(asker);
    if (handle === undefined) throw new Error(`${asker} has not found the person yet`);
    return handle;
  }

  personOf(country: Side): DemoPerson {
    return PERSONS[country];
  }

  process(country: Side, role: Role): WorldProcess {
    return this.world.process(country, role);
  }

  /** The next process of `country` that reaches this point for the n-th time ends itself. */
  async arm(country: Side, step: string, moment: 'before' | 'after', n = 1): Promise<void> {
    const { checkpointFile } = this.world.country(country).config;
    if (checkpointFile === undefined) throw new Error('this world has no checkpoints');
    await writeFile(checkpointFile, `${step} ${moment} ${n}`);
  }

  /** Starts a process that was killed. A point armed meanwhile may strike before it is ready; that is for the caller to see. */
  async revive(process: WorldProcess): Promise<void> {
    try {
      await process.start();
    } catch (error) {
      if (process.endedBy !== 'SIGKILL') throw error;
    }
  }

  /** Rewrites a country's policy and starts its exchange anew, which reads it. */
  async changePolicy(country: Side, change: Partial<Policy>): Promise<void> {
    const file = join(this.countriesFolder, country.toLowerCase(), 'policy/policy.json');
    const policy = JSON.parse(await readFile(file, 'utf8')) as Policy;
    await writeFile(file, JSON.stringify({ ...policy, ...change }));
    const exchange = this.process(country, 'exchange');
    await exchange.stop();
    await exchange.start();
  }

  checked(): Promise<CheckedWorld> {
    return checkedWorld(this.world, CANARIES);
  }

  /** Waits until nothing is on its way any more. Whatever still moves after that is a finding of the checker. */
  async quiet(): Promise<void> {
    const world = await this.checked();
    const end = Date.now() + QUIET_WITHIN_MS;
    while ((await unsettled(world)).length > 0 && Date.now() < end) await pause(250);
  }

  async check(): Promise<readonly Violation[]> {
    await this.quiet();
    return check(await this.checked());
  }

  say(line: string): void {
    this.print(line);
  }

  /** She withdraws it; what was opened under it is on its way out then. */
  async withdraw(): Promise<void> {
    const client = this.client('EE');
    const token = await client.login(mari.id);
    const answer = await client.call(`/person/consents/${this.consent}/withdraw`, { method: 'POST', token, body: '{}' });
    if (answer.status !== 202) throw new Error(`the withdrawal was not taken: ${answer.status} ${answer.text.slice(0, 300)}`);
  }

  /** Looks into a country's database, as superuser, until a query that answers `{holds}` says so. */
  async until(country: Side, what: string, sql: string): Promise<void> {
    const address = { ...(await this.world.cluster.start()), database: this.world.country(country).config.database.name };
    await eventually(what, async () => (await adminQuery<{ holds: boolean }>(address, sql)).some(({ holds }) => holds));
  }

  private async file(country: Side): Promise<void> {
    const client = this.client(country);
    for (const [name, type] of RECORDS[country]) {
      const body = new Uint8Array(await readFile(join(repository, 'libs/formats/fixtures', name)));
      const answer = await client.call('/ingest', { token: await client.systemToken(), body, type });
      if (answer.status !== 200) throw new Error(`${name} was not filed: ${answer.status} ${answer.text.slice(0, 300)}`);
    }
  }

  /** EE's person permits PT her treatment; resolves when that stands. */
  async permit(): Promise<void> {
    const client = this.client('EE');
    const token = await client.login(mari.id);
    const until = new Date(Date.now() + 14 * 86_400_000).toISOString();
    const body = JSON.stringify({ recipients: ['PT'], purposes: ['TREAT'], categories: ['laboratory', 'summary', 'medication'], until });
    const answer = await client.call('/person/consents', { token, body });
    if (answer.status !== 202) throw new Error(`the permission was not taken: ${answer.status} ${answer.text.slice(0, 300)}`);
    const { consentId } = answer.json<{ consentId: string }>();
    await eventually('the permission stands', async () => {
      const grounds = await client.call('/person/grounds', { token });
      if (grounds.status !== 200) throw new Error(`her grounds were not told: ${grounds.status} ${grounds.text.slice(0, 300)}`);
      return grounds
        .json<{ consents: readonly { id: string; state: string }[] }>()
        .consents.some(({ id, state }) => id === consentId && state === 'live');
    });
    this.consent = consentId;
  }
}

/** What a world needs to be killed: its own processes, short take-over, checkpoints. */
export const worldOptions = (folder: string) =>
  ({
    folder,
    countries: ['EE', 'PT'],
    roles: 'apart',
    checkpoints: true,
    fsync: false,
    countriesFolder: join(folder, 'countries'),
    takeOverAfterMs: TAKE_OVER_AFTER_MS,
    // Transfers expire two of these after limit and grace: nobody waits four minutes in each test of that.
    clockWindowSeconds: 4,
  }) as const;
