import { canonicalJson, PortolanError, type Actor, type CountryCode, type Instant, type Uuid } from '@portolan/contracts';
import {
  actingIn,
  declarable,
  instant,
  post,
  recordAct,
  spendStatement,
  type Act,
  type ActingProfessional,
  type CallEvidence,
  type EmergencyRow,
  type ExchangePorts,
  type ExchangeTx,
  type KeyId,
  type RoleMessages,
} from '@portolan/domain';
import { base64url, commit, utf8 } from '@portolan/verify';

const ROUND = 100;

/** An emergency that has ended and whose review this country owes. */
export interface OwedReview {
  readonly emergencyId: Uuid;
  readonly country: CountryCode;
  readonly declared: Instant;
  readonly until: Instant;
  readonly reviewDue: Instant;
  readonly overdue: boolean;
}

/** The emergencies that this country declares: each ends by its limit at the latest, and is owed a review (design, section 8). */
export class Emergencies {
  constructor(private readonly ports: ExchangePorts) {}

  /** In the name of the professional whom the call's evidence proves, as the policy here has it: the edge's word alone declares nothing. */
  async declare(tx: ExchangeTx, body: RoleMessages['emergency.declare']): Promise<void> {
    const { emergencyId: id, country: custodian, until, reason } = body;
    const { country, partners } = this.ports;
    const us = country.code;
    const acting = await actingIn(body.evidence, this.ports, 'exchange/emergency-declare');
    const { actor } = acting;
    const declared = this.now();
    const { policy } = country;
    const { reviewDue } = declarable({ country: custodian, until, acting, partners, policy, now: Date.parse(declared) });
    await spendStatement(tx, acting);
    const keyId = await tx.keys.create();
    const { text, commitment } = this.committed({ reason, actor });
    if (!(await tx.emergencies.declare({ id, custodian, declared, until, reviewDue, state: 'declared', keyId, text }))) return;
    const args = { v: 1, id, by: us, custodian, recipient: us, declared, until, reviewDue, commitment };
    await post(tx, { id, type: 'act.anchor', key: id, keyId, body: { fn: 'declare-emergency', args } });
    await this.record(tx, 'emergency-declared', { id, custodian, keyId }, actor);
  }

  /** By a clinician, before its limit. What was opened in it stays what it was. */
  async end(tx: ExchangeTx, { emergencyId, evidence }: RoleMessages['emergency.end']): Promise<void> {
    const acting = await actingIn(evidence, this.ports, 'exchange/emergency-end');
    await spendStatement(tx, acting);
    const { actor } = acting;
    const row = await tx.emergencies.get(emergencyId);
    if (row !== undefined) await this.close(tx, row, actor);
  }

  /** Throws what `review` would throw now: for the edge, whose caller waits for an answer. */
  async demandReviewable({ emergencyId, evidence }: Pick<RoleMessages['emergency.review'], 'emergencyId' | 'evidence'>): Promise<void> {
    await this.ports.uow.run((tx) => this.reviewable(tx, emergencyId, evidence));
  }

  /** By another professional than who declared it, once it is over. */
  async review(tx: ExchangeTx, { emergencyId: id, outcome, finding, evidence }: RoleMessages['emergency.review']): Promise<void> {
    const { row, acting } = await this.reviewable(tx, id, evidence);
    await spendStatement(tx, acting);
    const { actor } = acting;
    if (row.until <= this.now()) await this.close(tx, row, nodeActor(this.ports.country.code));
    const { text, commitment } = this.committed({ finding, outcome, actor });
    if (!(await tx.emergencies.review(id, text))) return;
    const { keyId } = row;
    const args = { v: 1, id, outcome, commitment };
    await post(tx, { id: this.ports.random.uuid(), type: 'act.anchor', key: id, keyId, body: { fn: 'review-emergency', args } });
    await this.record(tx, 'emergency-reviewed', row, actor);
  }

  /** Ends those whose limit has passed; tells whether there was one. */
  async endOverdue(): Promise<boolean> {
    return this.ports.uow.run(async (tx) => {
      const over = await tx.emergencies.overAt(this.now(), ROUND);
      for (const row of over) await this.close(tx, row, nodeActor(this.ports.country.code));
      return over.length > 0;
    });
  }

  /** Reviews that are owed, those due first at the head. */
  async owed(limit: number): Promise<OwedReview[]> {
    const now = this.now();
    const rows = await this.ports.uow.alone((tx) => tx.emergencies.unreviewed(now, limit));
    return rows.map(({ id: emergencyId, custodian: country, declared, until, reviewDue }) => ({
      emergencyId,
      country,
      declared,
      until,
      reviewDue,
      overdue: reviewDue <= now,
    }));
  }

  private async reviewable(tx: ExchangeTx, id: Uuid, evidence: CallEvidence): Promise<{ row: EmergencyRow; acting: ActingProfessional }> {
    const where = 'exchange/emergency-review';
    const acting = await actingIn(evidence, this.ports, where);
    const { actor } = acting;
    const row = await tx.emergencies.get(id);
    if (row === undefined) throw new PortolanError('ledger.record-unknown', where);
    if (row.state === 'declared' && row.until > this.now()) throw new PortolanError('ledger.emergency-open', where);
    const { actor: declarer } = JSON.parse(row.text) as { actor: Actor };
    if (declarer.id.system === actor.id.system && declarer.id.value === actor.id.value)
      throw new PortolanError('request.emergency-own-review', where);
    return { row, acting };
  }

  private async close(tx: ExchangeTx, row: EmergencyRow, actor: Actor): Promise<void> {
    const { id, keyId } = row;
    if (!(await tx.emergencies.end(id))) return;
    await post(tx, { id: this.ports.random.uuid(), type: 'act.anchor', key: id, keyId, body: { fn: 'end-emergency', args: { v: 1, id } } });
    await this.record(tx, 'emergency-ended', row, actor);
  }

  /** The exact text that a salted commitment covers, and the commitment. */
  private committed(content: object): { text: string; commitment: string } {
    const bytes = this.ports.random.bytes(32);
    const text = canonicalJson({ salt: base64url(bytes), ...content });
    return { text, commitment: commit(bytes, utf8(text), this.ports.sha256) };
  }

  private async record(
    tx: ExchangeTx,
    act: Act['act'],
    about: { id: Uuid; custodian: CountryCode; keyId: KeyId },
    actor: Actor,
  ): Promise<void> {
    const { custodian: partner, keyId } = about;
    const facts = {
      act,
      recorded: this.now(),
      outcome: 'success',
      actor,
      country: this.ports.country.code,
      partner,
      purpose: 'ETREAT',
    } as const;
    await recordAct(tx, this.ports.random, facts, { person: undefined, keyId });
  }

  private now(): Instant {
    return instant(this.ports.clock.now());
  }
}

function nodeActor(country: CountryCode): Actor {
  const id = { system: 'urn:portolan:node', value: country };
  const name = `Portolan node ${country}`;
  return { kind: 'machine', name, id, role: 'node', organisation: { id, name } };
}
