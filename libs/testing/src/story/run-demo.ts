import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { demoClinicians, mari } from '../world/demo-people.js';
import { EngineAbsent } from '../world/real-column.js';
import { World } from '../world/world.js';
import { addressesOf } from './addresses.js';
import { Narrator, StoryBroken } from './narrator.js';
import { Story, type StoryResult } from './story.js';

export interface DemoOptions {
  /** Ends by itself after the story. */
  readonly once: boolean;
  /** One JSON summary as the last line of standard output, for scripts. */
  readonly json: boolean;
  /** Where keys, databases and receipts lie; default `.portolan/demo` under the current folder. */
  readonly folder?: string;
  /** Begins with an empty world. */
  readonly fresh?: boolean;
  /** On the engines that authorities run, made on this machine. */
  readonly real?: boolean;
  /** Where PostgreSQL's data may go when its user cannot reach `folder`. */
  readonly reachableFolder?: string;
}

const BANNER = `Portolan: four countries on this machine, for trying out. Embedded PostgreSQL, embedded inboxes and an embedded ledger stand in for
the engines that authorities run; the persons do not exist.\n`;
const REAL_BANNER = `Portolan: four countries on this machine, each with its own PostgreSQL cluster, Kafka broker under mutual TLS, Fabric peer, orderer and
chaincode service, as authorities run them, but with all keys in one folder; the persons do not exist.\n`;

/** Boots four countries, plays the story, shows what came of it. Answers with the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const started = Date.now();
  const print = (text: string): void => void (options.json ? process.stderr : process.stdout).write(`${text}\n`);
  const secondsSoFar = (): number => Math.round((Date.now() - started) / 100) / 10;
  const narrator = new Narrator(print);
  let world: World | undefined;
  print(options.real === true ? REAL_BANNER : BANNER);
  try {
    world = await boot(options, print);
    const result = await new Story(world.provisioned, narrator).play();
    const seconds = secondsSoFar();
    tellResult(result, world, seconds, print);
    if (options.json) process.stdout.write(`${JSON.stringify(summary(world, result, seconds))}\n`);
    if (!options.once) await untilInterrupted(print);
    return 0;
  } catch (error) {
    process.stderr.write(`\nthe demo failed at ${narrator.current}: ${reasonOf(error)}\n`);
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, failedAt: narrator.current, seconds: secondsSoFar() })}\n`);
    return 1;
  } finally {
    await world?.stop();
  }
}

async function boot(options: DemoOptions, print: (text: string) => void): Promise<World> {
  const column = options.real === true ? 'real' : 'embedded';
  const folder = resolve(options.folder ?? join('.portolan', column === 'real' ? 'real' : 'demo'));
  if (options.fresh === true) await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o755 });
  return World.start({
    folder,
    column,
    ...(options.reachableFolder === undefined ? {} : { reachableFolder: options.reachableFolder }),
    progress: (what) => print(`  starting: ${what}`),
    sink: (line) => void process.stderr.write(`${line}\n`),
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof StoryBroken || error instanceof PortolanError || error instanceof EngineAbsent) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function summary(world: World, result: StoryResult, seconds: number): Record<string, unknown> {
  const { transfers, accesses, anchors, rejects, receipts, trust } = result;
  return {
    ok: true,
    countries: [...world.provisioned.countries.keys()],
    transfers: transfers.length,
    accesses,
    anchors,
    rejects,
    receipts,
    trust,
    seconds,
  };
}

function tellResult(result: StoryResult, world: World, seconds: number, print: (text: string) => void): void {
  const rows = result.transfers.map(({ id, from, to, outcome }) => [id, `${from} → ${to}`, outcome]);
  print(`\nTransfers`);
  for (const row of rows) print(`  ${row.join('   ')}`);
  print(
    `\n  transfers ${result.transfers.length}   accesses the person saw ${result.accesses}   steps anchored ${result.anchors}   rejects kept ${result.rejects}`,
  );
  print('\nWhat each party can see now');
  print(`  ${mari.name} (EE)            every access above, with who, why and on which permit; her permission is withdrawn`);
  print(`  ${demoClinicians['PT']?.name ?? ''} (PT)       nothing of hers any more: the views were destroyed and attested`);
  print(`  ${demoClinicians['BE']?.name ?? ''} (BE)       one summary from DE, as a view, until its permit ends`);
  print('  regulator             every step of all countries, and the proof of each; no person, no data category');
  print('\nTry it (the node keeps running; tokens hold five minutes)');
  for (const line of addressesOf(world, result.view)) print(`  ${line}`);
  print(`\nReceipts: ${result.receipts.join(' ')}\nTrust:    ${result.trust}\nDone in ${seconds} s`);
}

async function untilInterrupted(print: (text: string) => void): Promise<void> {
  print('\nRunning until Ctrl-C');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
