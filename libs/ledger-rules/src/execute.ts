import type { Instant, Validators } from '@portolan/contracts';
import type { Sha256 } from '@portolan/verify';
import { lawful } from './lawful.js';
import { keyText, refusal, type Caller, type Decision, type Refusal, type Rule, type StateKey, type Values } from './rule.js';
import { rules } from './rules.js';

/** An act as it stands in a transaction. */
export interface Act {
  readonly fn: string;
  readonly args: unknown;
  readonly caller: Caller;
  readonly time: Instant;
}

export interface ExecuteDeps {
  readonly validators: Validators;
  readonly sha256: Sha256;
  /** How far a transaction's time may be from its block's, as this channel's hosts agree; `clockSkew` where absent. */
  readonly clockWindowMs?: number;
}

/** An act whose form is right: what must be read, and what follows from it. */
export interface Prepared {
  readonly ok: true;
  /** Each key once. */
  readonly reads: readonly StateKey[];
  decide(values: Values): Decision;
}

/** Checks name, role, schema and length, and says what to read. Pure and synchronous. */
export function prepare(act: Act, deps: ExecuteDeps): Prepared | Refusal {
  const rule = Object.hasOwn(rules, act.fn) ? rules[act.fn] : undefined;
  return rule === undefined ? refusal('ledger.rule-unknown', 'fn') : prepareRule(rule, act, deps);
}

/** `prepare` for a rule that is known already. */
export function prepareRule<A>(rule: Rule<A>, act: Act, deps: ExecuteDeps): Prepared | Refusal {
  const wrong = formMistake(rule, act, deps);
  if (wrong !== undefined) return wrong;
  const args = act.args as A;
  const reads = distinct(rule.reads(args, act.caller, deps.validators));
  return {
    ok: true,
    reads,
    decide: (values) => lawful(rule.decide(args, { ...deps, values, caller: act.caller, time: act.time }), act.caller, reads, values),
  };
}

/** Prepares, reads through the host, decides. The host applies `writes` of an ok decision as a whole. */
export async function execute(act: Act, read: (keys: readonly StateKey[]) => Promise<Values>, deps: ExecuteDeps): Promise<Decision> {
  const prepared = prepare(act, deps);
  return prepared.ok ? prepared.decide(await read(prepared.reads)) : prepared;
}

function formMistake(
  rule: Pick<Rule<unknown>, 'name' | 'role' | 'schema' | 'maxChars'>,
  act: Act,
  { validators }: ExecuteDeps,
): Refusal | undefined {
  if (act.caller.role !== rule.role) return refusal('ledger.role-refused', rule.name);
  const mistake = validators.mistake(rule.schema, act.args);
  if (mistake !== undefined) return refusal('ledger.args-invalid', `${rule.name} ${mistake}`);
  if (JSON.stringify(act.args).length > rule.maxChars) return refusal('ledger.args-invalid', `${rule.name} longer than ${rule.maxChars}`);
  return undefined;
}

function distinct(keys: readonly StateKey[]): StateKey[] {
  return [...new Map(keys.map((key) => [keyText(key), key])).values()];
}
