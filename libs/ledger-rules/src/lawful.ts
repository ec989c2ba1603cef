import { keyText, refusal, type Caller, type Decision, type StateKey, type Values } from './rule.js';

/** What holds for every rule: only the caller's own collection is written, only keys that were read, and each once. */
export function lawful(decision: Decision, caller: Caller, reads: readonly StateKey[], values: Values): Decision {
  if (!decision.ok) return decision;
  const known = new Set(reads.map(keyText));
  for (const { key, again } of decision.writes) {
    if (key.space === 'owned' && key.owner !== caller.org) return refusal('ledger.not-owner', keyText(key));
    if (!known.has(keyText(key))) throw new TypeError(`a rule writes ${keyText(key)} without having read it`);
    if (again !== true && values.has(keyText(key))) return refusal('ledger.already-written', keyText(key));
  }
  return decision;
}
