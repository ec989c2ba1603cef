import { Inject, Injectable } from '@nestjs/common';
import { errorRegistry, PortolanError, type ErrorCode } from '@portolan/contracts';
import { finalStates, type TransferState } from '@portolan/domain';
import type { DeadMessage } from '../../link/outbox-queries.js';
import { EdgeParts } from '../edge.parts.js';

/** One thing that doctor looks at: what it found, and what to do where something is wrong. Ids, codes and counts; nobody's data. */
export interface HealthCheck {
  readonly name: 'database' | 'rejects' | 'stays' | 'outbox' | 'dead-letters' | 'transfers' | 'ledger' | 'emergencies';
  readonly ok: boolean;
  readonly next?: string;
  readonly code?: ErrorCode;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface Health {
  readonly country: string;
  readonly mode: 'demo' | 'production';
  readonly ok: boolean;
  readonly checks: readonly HealthCheck[];
}

type Found = Omit<HealthCheck, 'name'>;

/** Rows looked at of each kind; more are there where a count reaches it. */
const LIMIT = 100;
/** Attempts after which a transfer that is not final is called stuck. */
const STUCK_ATTEMPTS = 5;

/** Roles whose outboxes are looked into beside our own. */
const OTHERS = ['exchange', 'notary'] as const;

/** What a partner sent and we could never use has a number and its sender; what a partner would never take, its id and its recipient. */
type DeadLetter =
  | { readonly seq: string; readonly from: string; readonly code: string; readonly at: string }
  | { readonly id: string; readonly to: string; readonly code: string };

const shownLetter = (letter: DeadLetter): object =>
  'seq' in letter
    ? { seq: letter.seq, from: letter.from, code: letter.code, at: letter.at }
    : { id: letter.id, to: letter.to, type: 'envelope', code: letter.code };

interface TransferRow {
  readonly transferId: string;
  readonly partner: string;
  readonly state: TransferState;
  readonly attempts: number;
}

/** What `portolan doctor` shows of a running node. */
@Injectable()
export class HealthService {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /** Never throws: what cannot be asked is itself a finding. */
  async look(): Promise<Health> {
    const { country, mode } = this.parts;
    const checks = await Promise.all([
      this.check('database', () => this.database()),
      this.check('rejects', () => this.rejects()),
      this.check('stays', () => this.stays()),
      this.check('outbox', () => this.outbox()),
      this.check('dead-letters', () => this.deadLetters()),
      this.check('transfers', () => this.transfers()),
      this.check('ledger', () => this.ledger()),
      this.check('emergencies', () => this.emergencies()),
    ]);
    return { country: country.code, mode, ok: checks.every(({ ok }) => ok), checks };
  }

  private async check(name: HealthCheck['name'], look: () => Promise<Found>): Promise<HealthCheck> {
    try {
      return { name, ...(await look()) };
    } catch (error) {
      const code: ErrorCode = error instanceof PortolanError ? error.code : 'http.failed';
      this.parts.logger.failure(`health check ${name} failed`, code, error);
      return { name, ok: false, code, next: errorRegistry[code].next };
    }
  }

  private async database(): Promise<Found> {
    const started = performance.now();
    await this.parts.uow.alone((tx) => tx.outbox.dead(1));
    return { ok: true, facts: { milliseconds: Math.round(performance.now() - started) } };
  }

  private async rejects(): Promise<Found> {
    const open = await this.parts.uow.alone((tx) => tx.rejects.list('open', LIMIT));
    const facts = { open: open.length, oldest: open[0]?.at, codes: countsOf(open.map(({ code }) => code)) };
    return open.length === 0
      ? { ok: true, facts }
      : { ok: false, facts, next: 'Repair and replay them, or discard them with a reason: portolan replay' };
  }

  /** Stays of others that stand under a person from whom their number was moved. */
  private async stays(): Promise<Found> {
    const asked = await this.parts.uow.alone((tx) => tx.stayMoves.asked(undefined, LIMIT));
    const facts = { open: asked.length, oldest: asked[0]?.at, why: countsOf(asked.map(({ why }) => why)) };
    return asked.length === 0
      ? { ok: true, facts }
      : { ok: false, facts, next: 'Find out whose each is, and move or keep it with a reason: portolan stays' };
  }

  private async outbox(): Promise<Found> {
    const { uow, link } = this.parts;
    const own = await uow.alone((tx) => tx.outbox.dead(LIMIT));
    const others = await Promise.all(OTHERS.map((role) => link.query<readonly DeadMessage[]>(role, 'outbox.dead', { limit: LIMIT })));
    const dead = [own, ...others].flat();
    const facts = { dead: dead.map(({ id, to, type, code }) => ({ id, to, type, code })) };
    return dead.length === 0
      ? { ok: true, facts }
      : { ok: false, facts, next: 'Mend what the code names, then portolan replay --dead-letters ID' };
  }

  private async deadLetters(): Promise<Found> {
    const letters = await this.parts.link.query<readonly DeadLetter[]>('exchange', 'dead-letters', { limit: LIMIT });
    const facts = { dead: letters.map(shownLetter) };
    return letters.length === 0
      ? { ok: true, facts }
      : { ok: false, facts, next: 'Mend what the code names, then portolan replay --dead-letters ID' };
  }

  private async transfers(): Promise<Found> {
    const rows = await this.parts.link.query<readonly TransferRow[]>('exchange', 'transfers', { limit: LIMIT });
    const waiting = rows.filter(({ state }) => !finalStates.has(state));
    const stuck = waiting
      .filter(({ attempts }) => attempts >= STUCK_ATTEMPTS)
      .map(({ transferId, partner, state, attempts }) => ({ transferId, partner, state, attempts }));
    const facts = { waiting: waiting.length, stuck };
    return stuck.length === 0
      ? { ok: true, facts }
      : { ok: false, facts, next: "Look for the code in the exchange's log; it is tried again by itself" };
  }

  private async ledger(): Promise<Found> {
    const state = await this.parts.link.query<Readonly<Record<string, unknown>>>('notary', 'ledger.state', {});
    const { divergences } = state;
    const differs = Array.isArray(divergences) && divergences.length > 0;
    return differs
      ? { ok: false, facts: state, next: 'A copy of the ledger differs: stop releases to the country that it names and call its authority' }
      : { ok: true, facts: state };
  }

  /** Steps signed while the channel was away that are still missing after a day, and reviews that are overdue. */
  private async emergencies(): Promise<Found> {
    const { link } = this.parts;
    const missing = await link.query<readonly unknown[]>('notary', 'late.missing', { limit: LIMIT });
    const due = await link.query<readonly { overdue: boolean }[]>('exchange', 'emergency.reviews-due', { limit: LIMIT });
    const overdue = due.filter((one) => one.overdue).length;
    const facts = { missing, reviewsDue: due.length, overdue };
    return missing.length === 0 && overdue === 0
      ? { ok: true, facts }
      : { ok: false, facts, next: 'Find out why late steps are not anchored; review the emergencies that are overdue ($review-emergency)' };
  }
}

function countsOf(codes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
