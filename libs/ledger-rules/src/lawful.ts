import { textOf } from '@portolan/verify';
import { keyText, refusal, type Caller, type Decision, type Refusal, type StateKey, type Values } from './rule.js';

/**
 * What holds for every rule: only the caller's own collection is written, only keys that were read, nothing publicly that is not the owner's
 * word too, and each once. Whether something stands says the owner's entry: a public key that others took does not keep the owner from writing.
 */
export function lawful(decision: Decision, caller: Caller, reads: readonly StateKey[], values: Values): Decision {
  if (!decision.ok) return decision;
  const known = new Set(reads.map(keyText));
  const spoken = new Set(decision.writes.filter(({ key }) => key.space === 'owned').map(({ bytes }) => textOf(bytes)));
  for (const { key, bytes, again } of decision.writes) {
    if (!known.has(keyText(key))) throw new TypeError(`a rule writes ${keyText(key)} without having read it`);
    if (key.space === 'public' && !spoken.has(textOf(bytes))) throw new TypeError(`a rule writes ${keyText(key)} without its owner's word`);
    const wrong = key.space === 'owned' ? ownMistake(key, again === true, caller, values) : undefined;
    if (wrong !== undefined) return wrong;
  }
  return decision;
}

function ownMistake(key: StateKey & { space: 'owned' }, isWrittenAgain: boolean, { org }: Caller, values: Values): Refusal | undefined {
  if (key.owner !== org) return refusal('ledger.not-owner', keyText(key));
  return !isWrittenAgain && values.has(keyText(key)) ? refusal('ledger.already-written', keyText(key)) : undefined;
}
