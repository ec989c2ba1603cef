import type { PortolanError } from '@portolan/contracts';
import type { Role } from '../kernel/role.js';
import type { RoleTx } from '../store/role-tx.port.js';

/** Which side of a transfer a row serves. */
export type Side = 'asker' | 'custodian';

/**
 * One row of the pipeline: gather what is needed through ports, decide by a pure synchronous function, write the decision in one
 * transaction together with the outbox and the next state. Everything between two rows may be killed at any line.
 */
export interface RowDefinition<Tx extends RoleTx, Ports, Subject, Facts, Decision extends { to: string }> {
  /** The flow's verb, unique in the table; the kill test enumerates these. */
  readonly step: string;
  readonly role: Role;
  readonly side: Side | 'both';
  /** State that makes the row run, or the message or call that does. */
  readonly from: string;
  /** Every state that `decide` can choose. */
  readonly to: readonly string[];
  /** Asks ports; may wait, decides nothing. A retriable PortolanError leaves the row where it is, to be tried again. */
  gather(subject: Subject, ports: Ports): Promise<Facts>;
  decide(facts: Facts): Decision;
  /** Writes with the given transaction; throws to undo everything. */
  write(tx: Tx, subject: Subject, decision: Decision, ports: Ports): Promise<void>;
  /** What is written where gathering fails for good (an error that is not retriable); without it the row waits and shows in doctor. */
  fail?(tx: Tx, subject: Subject, error: PortolanError, ports: Ports): Promise<void>;
}

/** A row whose facts and decision are its own affair: what the runner sees. */
export interface Row<Tx extends RoleTx, Ports, Subject> {
  readonly step: string;
  readonly role: Role;
  readonly side: Side | 'both';
  readonly from: string;
  readonly to: readonly string[];
  /** Gathers and decides; what comes back is ready to be written. */
  plan(subject: Subject, ports: Ports): Promise<PlannedWrite<Tx>>;
  readonly fail: ((tx: Tx, subject: Subject, error: PortolanError, ports: Ports) => Promise<void>) | undefined;
}

export interface PlannedWrite<Tx extends RoleTx> {
  readonly to: string;
  write(tx: Tx): Promise<void>;
}

/** Closes over the types of facts and decision, so that rows of one role fit one table. */
export function row<Tx extends RoleTx, Ports, Subject, Facts, Decision extends { to: string }>(
  definition: RowDefinition<Tx, Ports, Subject, Facts, Decision>,
): Row<Tx, Ports, Subject> {
  const { step, role, side, from, to } = definition;
  return {
    step,
    role,
    side,
    from,
    to,
    fail: definition.fail?.bind(definition),
    async plan(subject, ports): Promise<PlannedWrite<Tx>> {
      const decision = definition.decide(await definition.gather(subject, ports));
      return { to: decision.to, write: (tx) => definition.write(tx, subject, decision, ports) };
    },
  };
}

/** Called by the runner just before a row's commit and just after it: where the kill test strikes. */
export abstract class Checkpoint {
  abstract reach(step: string, moment: 'before' | 'after'): void;
}
