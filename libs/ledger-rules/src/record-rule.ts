import type { OrgId, SchemaName } from '@portolan/contracts';
import { recordsOf, type Records } from './records.js';
import { refusal, type Caller, type Refusal, type Rule, type Scene, type Write } from './rule.js';
import { keysOf, recordWrites, type RecordName } from './state.js';

/** The act of putting one record on the channel: whose it is, where it lies, what it rests on, and what refuses it. */
export interface RecordAct<A> {
  readonly name: string;
  readonly schema: SchemaName;
  readonly role: Caller['role'];
  readonly maxChars?: number;
  /** Who must be the caller; the caller itself where the record names nobody. */
  owner?(args: A): OrgId;
  target(args: A, owner: OrgId): RecordName;
  /** Records that `check` looks at. */
  restsOn?(args: A, owner: OrgId): RecordName[];
  check?(args: A, look: Look): Refusal | undefined;
  /** What is written, where it is not the arguments themselves. */
  record?(args: A, look: Look): object;
  /** Writes beside the record itself. */
  also?(args: A, look: Look): Write[];
}

/** What a check sees: the scene, and records by name. */
export type Look = Scene & Records;

const recordChars = 32_768;

/** A rule that writes the arguments as a record of the caller, once. */
export function recordRule<A extends object>(act: RecordAct<A>): Rule<A> {
  const rests = (args: A, owner: OrgId): RecordName[] => act.restsOn?.(args, owner) ?? [];
  return {
    name: act.name,
    schema: act.schema,
    role: act.role,
    maxChars: act.maxChars ?? recordChars,
    reads: (args, { org }) => [act.target(args, org), ...rests(args, org)].flatMap(keysOf),
    decide: (args, scene) => {
      const { org } = scene.caller;
      if ((act.owner?.(args) ?? org) !== org) return refusal('ledger.not-owner', act.name);
      const look = lookAt(scene);
      const wrong = look.forged(rests(args, org), act.name) ?? act.check?.(args, look);
      return wrong ?? { ok: true, writes: writesOf(act, args, look) };
    },
  };
}

function writesOf<A extends object>(act: RecordAct<A>, args: A, look: Look): Write[] {
  const record = act.record?.(args, look) ?? args;
  return [...recordWrites(act.target(args, look.caller.org), record, look.time), ...(act.also?.(args, look) ?? [])];
}

/** A scene whose records can be looked up by name. */
export function lookAt(scene: Scene): Look {
  return { ...scene, ...recordsOf(scene.values, scene.sha256) };
}
