import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortolanError, Validators } from '@portolan/contracts';
import type { CommittedTx, Ledger } from '@portolan/domain';
import { sha256 } from '@portolan/keys';
import { execute, keyText, rules, type StateKey, type Value, type Values } from '@portolan/ledger-rules';
import { hexOf } from '@portolan/verify';
import { FabricCountry } from '../contract/fabric-world.js';
import { fabricEngine, FabricStack } from '../stack/fabric/index.js';
import { EngineAbsent } from '../world/real-column.js';
import { repository } from '../world/repository.js';
import { cpuSeconds, type CpuSeconds } from './cpu.js';

const COUNTRIES = ['EE', 'PT', 'BE'] as const;
/** For one act to its commit on a machine that is full. */
const PATIENCE_MS = 60_000;
/** For the block of a submitted act to come. */
const SOON_MS = 2_000;

export interface Call {
  readonly id: string;
  readonly fn: string;
  readonly args: object;
}

/** A channel as EE's notary has it. */
export interface AnchorGround {
  readonly what: string;
  /** Brings an act to its commit; throws unless it is finally valid. Answers with what stands. */
  commit(call: Call): Promise<CommittedTx>;
  /** Number of EE's next batch. */
  next(): number;
  cpu(): Promise<CpuSeconds>;
  /** Bytes of one peer's blocks so far. */
  ledgerBytes(): Promise<number>;
}

/**
 * A channel of three countries and a regulator, four BFT orderers, whose policy wants the endorsement of all three: each judges each act. Acts go
 * through the notary's own adapter.
 */
export async function onFabric<T>(say: (line: string) => void, work: (ground: AnchorGround) => Promise<T>): Promise<T> {
  const engine = await fabricEngine(say);
  if ('absent' in engine) throw new EngineAbsent(engine.absent);
  const folder = await mkdtemp(join(tmpdir(), 'portolan-anchor-'));
  const stack = await FabricStack.start({
    folder: join(folder, 'network'),
    engine,
    channel: 'bench',
    organisations: [...COUNTRIES.map((org) => ({ org, kind: 'country' as const })), { org: 'REG', kind: 'regulator' }],
    chaincode: { name: 'portolan', version: '1', others: 2, command: [process.execPath, join(repository, 'apps/contract/dist/main.js')] },
    endsWithUs: true,
    say,
  });
  const countries: FabricCountry[] = [];
  try {
    for (const org of COUNTRIES) countries.push(await FabricCountry.of(org, stack));
    for (const country of countries) await country.found();
    const [ee] = countries;
    if (ee === undefined) throw new Error('no EE');
    return await work(groundOf(await ee.open(), folder));
  } finally {
    for (const country of countries) await country.close();
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function groundOf(ledger: Ledger, folder: string): AnchorGround {
  let batches = 0;
  return {
    what: '3 countries that all endorse, 4 BFT orderers',
    next: () => batches++,
    commit: (call) => committed(ledger, call),
    cpu: () => cpuSeconds(folder),
    ledgerBytes: () => blockBytes(join(folder, 'network')),
  };
}

/** As the notary does it: the outcome is looked for at each new block, and what may be tried again is. */
async function committed(ledger: Ledger, call: Call): Promise<CommittedTx> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const told = await submitted(ledger, call);
    const outcome = await outcomeSoon(ledger, call.id);
    if (outcome !== undefined) return valid(outcome);
    if (performance.now() > end) throw told ?? new Error(`${call.fn} has no outcome`);
  }
}

async function submitted(ledger: Ledger, call: Call): Promise<PortolanError | undefined> {
  try {
    await ledger.submit(call);
    return undefined;
  } catch (error) {
    if (error instanceof PortolanError && error.retriable) return error;
    throw error;
  }
}

async function outcomeSoon(ledger: Ledger, id: string): Promise<CommittedTx | undefined> {
  for (const end = performance.now() + SOON_MS; ;) {
    const height = await ledger.height();
    const outcome = await ledger.outcome(id);
    const left = end - performance.now();
    if (outcome !== undefined || left <= 0) return outcome;
    await ledger.beyond(height, left);
  }
}

function valid(outcome: CommittedTx): CommittedTx {
  const refused = outcome.verdicts?.find(({ accepted }) => !accepted);
  if (!outcome.valid || refused !== undefined) throw new Error(`${outcome.fn} was refused: ${String(outcome.code ?? refused?.code)}`);
  return outcome;
}

async function blockBytes(network: string): Promise<number> {
  const names = await readdir(network, { recursive: true });
  const sizes = await Promise.all(
    names.filter((name) => /(^|\/)ee\/.*peer.*\/blockfile_\d+$/i.test(name)).map(async (name) => (await stat(join(network, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The rules alone over a map: no ledger, for showing that the benchmark runs. */
export async function onRules<T>(work: (ground: AnchorGround) => Promise<T>): Promise<T> {
  const state = new Map<string, Uint8Array>();
  const deps = { validators: new Validators(), sha256 };
  const read = async (keys: readonly StateKey[]): Promise<Values> =>
    new Map(
      keys.flatMap((key): [string, Value][] => {
        const bytes = state.get(keyText(key));
        if (bytes === undefined) return [];
        return [[keyText(key), key.space === 'public' ? { bytes } : { hash: hexOf(sha256(bytes)) }]];
      }),
    );
  let batches = 0;
  let bytes = 0;
  const run = async (org: string, { id, fn, args }: Call): Promise<CommittedTx> => {
    const role = rules[fn]?.role ?? 'notary';
    const time = new Date().toISOString();
    const decision = await execute({ fn, args, caller: { org, role }, time }, read, deps);
    if (!decision.ok) throw new Error(`${fn} was refused: ${decision.code} at ${decision.where}`);
    for (const write of decision.writes) state.set(keyText(write.key), write.bytes);
    bytes += JSON.stringify(args).length;
    const verdicts = decision.verdicts?.map(({ ok, ...rest }) => ({ ...rest, accepted: ok }));
    return valid({
      id,
      org,
      role,
      fn,
      args,
      time,
      valid: true,
      block: 0,
      index: 0,
      ...(verdicts === undefined ? {} : { verdicts }),
    } as CommittedTx);
  };
  for (const org of COUNTRIES) await run(org, { id: '', fn: 'put-participant', args: { v: 1, org, kind: 'country' } });
  return work({
    what: 'the rules alone over a map',
    next: () => batches++,
    commit: (call) => run('EE', call),
    cpu: async () => ({ 'this process': process.cpuUsage().user / 1e6 }),
    ledgerBytes: async () => bytes,
  });
}
