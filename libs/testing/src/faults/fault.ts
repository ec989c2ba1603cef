import type { Violation } from '../checker/index.js';
import type { FaultWorld } from './fault-world.js';
import type { Standstill } from './timeline.js';
import type { Stream } from './stream.js';

/** What an experiment works on: a world, and the transfers that run in it meanwhile. */
export interface Scene {
  readonly world: FaultWorld;
  readonly stream: Stream;
  /** The fault is there from now on. The first call counts. */
  readonly struck: () => void;
  /** The fault is over. The last call counts. */
  readonly healed: () => void;
  /** Something that was seen, for the report. */
  readonly note: (what: string) => void;
}

/** One fault, and how it is made. */
export interface Fault {
  readonly name: string;
  /** One line: what breaks. */
  readonly what: string;
  /** How it is made on this machine. */
  readonly how: string;
  /** Makes the fault and ends it again; the stream goes on meanwhile. */
  readonly strike: (scene: Scene) => Promise<void>;
}

/** What came of one experiment. */
export interface FaultReport {
  readonly name: string;
  readonly what: string;
  readonly how: string;
  readonly transfers: number;
  /** How many of them came to what; `failed` is a question that nobody answered. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Transfers a second over the whole stream, fault included. */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How long the fault lasted, seconds. */
  readonly lasted: number;
  /** Of each way, and of both together. */
  readonly standstill: Readonly<Record<string, Standstill>>;
  /** Seconds from the last answer until nothing was on its way any more. */
  readonly settledAfter: number;
  readonly seen: readonly string[];
  readonly violations: readonly Violation[];
}
