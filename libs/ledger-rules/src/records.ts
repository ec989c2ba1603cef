import type { Sha256 } from '@portolan/verify';
import { refusal, type Refusal, type Values } from './rule.js';
import { findRecord, type Entry, type Found, type RecordName } from './state.js';

/** Records by name. A forged one is never given out, so a rule asks for forgeries among what it rests on first. */
export interface Records {
  entry<R>(name: RecordName): Entry<R> | undefined;
  has(name: RecordName): boolean;
  /** The refusal for the first of these whose public bytes its owner does not stand for. */
  forged(among: readonly RecordName[], where: string): Refusal | undefined;
}

/** Looks records up among what the host has read; each is hashed and parsed once. */
export function recordsOf(values: Values, sha256: Sha256): Records {
  const known = new Map<string, Found<unknown>>();
  const find = (name: RecordName): Found<unknown> => {
    const id = `${name.owner}/${name.key}`;
    const found = known.get(id) ?? findRecord(name, values, sha256);
    known.set(id, found);
    return found;
  };
  const entry = <R>(name: RecordName): Entry<R> | undefined => {
    const found = find(name);
    return found.is === 'present' ? (found.entry as Entry<R>) : undefined;
  };
  return {
    entry,
    has: (name) => entry(name) !== undefined,
    forged: (among, where) => {
      const name = among.find((one) => find(one).is === 'forged');
      return name === undefined ? undefined : refusal('ledger.record-forged', `${where} ${name.owner}/${name.key}`);
    },
  };
}
