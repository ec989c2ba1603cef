import { parseBounded, PortolanError, type Instant, type Uuid } from '@portolan/contracts';
import {
  clockSkew,
  findRecord,
  foundingFn,
  keysOf,
  keyText,
  prepare,
  prepareFounding,
  refusal,
  rules,
  signerOf,
  signerReads,
  type Act,
  type Claim,
  type ExecuteDeps,
  type Prepared,
  type Refusal,
} from '@portolan/ledger-rules';
import { Contract, type Context } from 'fabric-contract-api';
import { claimOf } from './caller.js';
import { Refused } from './refused.js';
import { markerOf, readAll, writeAll } from './state-access.js';

export interface ContractDeps extends ExecuteDeps {
  /** Milliseconds since the epoch at this endorser: the one thing that it judges by its own clock is whether to endorse at all. */
  readonly now: () => number;
}

/** A transaction of the contract: what it is called with, as texts, and what it answers with. */
type Transaction = (ctx: Context, ...args: string[]) => Promise<string>;

/** Longest JSON text of any act, and of an id; each rule has a shorter limit of its own. */
const argsChars = 3_000_000;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u;

/**
 * The rules of libs/ledger-rules as a Fabric contract: one transaction an act, with the arguments `id` (a UUID of the caller's,
 * the same one for the same act) and the exact JSON text of the act's arguments; and two queries. A class for the contract API
 * to instantiate, which knows a contract's transactions by its prototype.
 */
export function portolanContract(deps: ContractDeps): new () => Contract {
  class Portolan extends Contract {
    constructor() {
      super('portolan');
    }

    override unknownTransaction(): Promise<void> {
      return Promise.reject(new Refused('ledger.rule-unknown', 'fn'));
    }
  }
  for (const [name, run] of Object.entries(transactionsOf(deps))) {
    Object.defineProperty(Portolan.prototype, name, { value: guarded(name, run) });
  }
  return Portolan;
}

function transactionsOf(deps: ContractDeps): Record<string, Transaction> {
  const acts = [...Object.keys(rules), foundingFn].map((fn): [string, Transaction] => [fn, (ctx, ...args) => perform(ctx, fn, args, deps)]);
  return {
    ...Object.fromEntries(acts),
    'read-record': (ctx, ...args) => readRecord(ctx, args, deps),
    'transaction-known': (ctx, ...args) => transactionKnown(ctx, args),
  };
}

/** Whatever fails leaves as a refusal with a code. */
function guarded(fn: string, run: Transaction): Transaction {
  return async (ctx, ...args) => {
    try {
      return await run(ctx, ...args);
    } catch (error) {
      throw told(error, ctx, fn);
    }
  };
}

/**
 * One act: form, caller, id, rule, in this order; then all that the rule decided is written, with the marker of the act's id.
 * Answers with `{"verdicts":[…]}` for a batch and `{}` for everything else. What was refused writes nothing.
 */
async function perform(ctx: Context, fn: string, texts: readonly string[], deps: ContractDeps): Promise<string> {
  const { id, args } = callOf(fn, texts);
  const time = timeOf(ctx, deps);
  const claim = claimOf(ctx, time, deps);
  const prepared = prepareAct({ fn, args, caller: { org: claim.org, role: claim.role }, time }, claim, deps);
  const marker = markerOf(claim.org, id);
  const signer = fn === foundingFn ? [] : signerReads(claim.org, claim.kid);
  const values = await readAll(ctx.stub, distinct([marker, ...signer, ...(prepared.ok ? prepared.reads : [])]));
  if (fn !== foundingFn) demand(signerOf(claim, { values, sha256: deps.sha256 }));
  if (values.has(keyText(marker))) throw new Refused('orderer.transaction-duplicate', 'id');
  const decision = demand(prepared.ok ? prepared.decide(values) : prepared);
  // A receipt's verifier takes a head that wrote the head and nothing beside it, so a head's key has no policy of its own.
  const guard = fn === 'put-head' ? undefined : claim.org;
  await writeAll(ctx.stub, [...decision.writes, { key: marker, bytes: Buffer.from(fn) }], guard);
  return JSON.stringify(decision.verdicts === undefined ? {} : { verdicts: decision.verdicts });
}

function prepareAct(act: Act, claim: Claim, deps: ContractDeps): Prepared | Refusal {
  return act.fn === foundingFn ? prepareFounding(act, claim, deps) : prepare(act, deps);
}

/** Lengths are looked at before anything is parsed. */
function callOf(fn: string, texts: readonly string[]): { readonly id: Uuid; readonly args: unknown } {
  const [id, args] = texts;
  if (texts.length !== 2 || id === undefined || args === undefined) throw new Refused('ledger.args-invalid', `${fn} arguments`);
  if (!isUuid(id)) throw new Refused('ledger.args-invalid', `${fn} id`);
  return { id, args: parseBounded(args, Math.min(argsChars, rules[fn]?.maxChars ?? argsChars), 'ledger.args-invalid', fn) };
}

const isUuid = (text: string): text is Uuid => text.length === 36 && uuidPattern.test(text);

/**
 * The transaction's time, the same for every endorser. Rules compare with it and cannot tell when it was really sent, so an
 * endorser whose own clock is further away signs nothing: that a batch is dated otherwise than it was sent needs all of them.
 */
function timeOf(ctx: Context, { now }: ContractDeps): Instant {
  const { seconds, nanos } = ctx.stub.getTxTimestamp();
  const millis = seconds.toNumber() * 1000 + Math.floor(nanos / 1_000_000);
  if (!Number.isFinite(millis) || Math.abs(millis - now()) > clockSkew) throw new Refused('orderer.time-window', 'time');
  return new Date(millis).toISOString();
}

/** Query: the public bytes of a record as text, or nothing where it is absent or its owner does not stand for it. */
async function readRecord(ctx: Context, [owner = '', key = '']: readonly string[], { sha256 }: ContractDeps): Promise<string> {
  if (owner.length > 8 || key.length === 0 || key.length > 200) throw new Refused('ledger.args-invalid', 'read-record');
  const name = { owner, key };
  const [open] = keysOf(name);
  const values = await readAll(ctx.stub, keysOf(name));
  const value = values.get(keyText(open));
  const stands = findRecord(name, values, sha256).is === 'present';
  return stands && value !== undefined && 'bytes' in value ? Buffer.from(value.bytes).toString('utf8') : '';
}

/** Query: whether an act of this organisation with this id is committed here. */
async function transactionKnown(ctx: Context, [owner = '', id = '']: readonly string[]): Promise<string> {
  if (owner.length > 8 || !isUuid(id)) throw new Refused('ledger.args-invalid', 'transaction-known');
  const marker = markerOf(owner, id);
  return String((await readAll(ctx.stub, [marker])).has(keyText(marker)));
}

function demand<T extends { readonly ok: true }>(answer: T | Refusal): T {
  if (!answer.ok) throw Refused.by(answer);
  return answer;
}

function distinct<K extends Parameters<typeof keyText>[0]>(keys: readonly K[]): K[] {
  return [...new Map(keys.map((key) => [keyText(key), key])).values()];
}

/** What leaves the contract: a refusal with its code; of anything else only that it happened. Its place is logged, its message never. */
function told(error: unknown, ctx: Context, fn: string): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof PortolanError) return Refused.by(refusal(error.code, error.where));
  const places = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /u.test(line)) : [];
  ctx.logging.getLogger().error(`unexpected ${error instanceof Error ? error.name : typeof error} in ${fn}\n${places.join('\n')}`);
  return new Refused('runtime.unexpected', fn);
}
