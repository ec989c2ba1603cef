import type {
  BatchRecord,
  CommittedPredecessor,
  CountryCode,
  EmergencyRecord,
  Instant,
  KeyRecord,
  Kid,
  PermitRecord,
  PublicJwk,
  ReleasedStep,
  StandingRecord,
  StepLeaf,
  Uuid,
} from '@portolan/contracts';
import type { ChannelReader, Clock, EmergencyStanding, Ledger, NotaryTx, Sha256, Standing, UnitOfWork } from '@portolan/domain';
import { instant, isUuid } from '@portolan/domain';
import { expiresAfter, names, type RecordName } from '@portolan/ledger-rules';
import { inclusionPath, leafHash, textOf, utf8, verifyInclusion } from '@portolan/verify';

/** How another country's participant may be asked about: by its name on the channel. */
export interface ChannelQueryParts {
  readonly org: CountryCode;
  readonly channelName: string;
  readonly ledger: Ledger;
  readonly uow: UnitOfWork<NotaryTx>;
  readonly clock: Clock;
  readonly sha256: Sha256;
  /** The channel's clock window; that of the rules where absent. */
  readonly clockWindowMs?: number;
}

/** Without an answer from the channel for so long, it counts as unreachable; a copy hears from it every two seconds. */
const LOST_AFTER_MS = 5_000;

/** Answers the exchange's questions from this country's own copy of the channel (design, invariant 1). */
export class ChannelQueries implements ChannelReader {
  constructor(private readonly parts: ChannelQueryParts) {}

  channel(): string {
    return this.parts.channelName;
  }

  async senderKey(country: CountryCode, kid: Kid): Promise<PublicJwk | undefined> {
    const key = await this.liveKey(country, kid);
    return key?.use === 'sign' ? key.jwk : undefined;
  }

  async sealKey(country: CountryCode): Promise<{ kid: Kid; publicJwk: PublicJwk } | undefined> {
    const registered = await this.parts.uow.alone((tx) => tx.trail.keys(country, 'seal'));
    for (const { kid } of registered) {
      const key = await this.liveKey(country, kid);
      if (key?.use === 'seal') return { kid, publicJwk: key.jwk };
    }
    return undefined;
  }

  async tlsKeyLive(country: CountryCode, kid: Kid): Promise<boolean> {
    return (await this.liveKey(country, kid))?.use === 'tls';
  }

  async tlsKeys(country: CountryCode): Promise<readonly Kid[]> {
    const registered = await this.parts.uow.alone((tx) => tx.trail.keys(country, 'tls'));
    const live = await Promise.all(registered.map(({ kid }) => this.tlsKeyLive(country, kid)));
    return registered.filter((_key, i) => live[i]).map(({ kid }) => kid);
  }

  async standing(step: CommittedPredecessor, recipient: CountryCode): Promise<Standing> {
    const leaf = JSON.parse(step.leaf) as Partial<Pick<ReleasedStep, 'transferId' | 'from' | 'to' | 'permitId'>>;
    const [batch, permit] = await Promise.all([
      this.record<BatchRecord>(names.batch(step.org, step.n)),
      leaf.permitId === undefined ? ('unknown' as const) : this.permitStanding(step.org, leaf.permitId, recipient),
    ]);
    if (batch === undefined) return { step: 'not-visible', permit };
    return { step: this.proves(step, batch) ? await this.counts(step, leaf) : 'mismatch', permit };
  }

  /** Of two releases of one transfer the first in ledger order counts: the trail knows which, once it has reached that batch. */
  private async counts({ leaf: text }: CommittedPredecessor, { transferId, from, to }: Partial<ReleasedStep>): Promise<Standing['step']> {
    if (transferId === undefined || !isUuid(transferId)) return 'mismatch';
    const steps = await this.parts.uow.alone((tx) => tx.trail.counting([transferId]));
    const first = steps.find((one) => one.step === 'released' && one.from === from && one.to === to);
    if (first === undefined) return 'not-visible';
    return first.leaf === text ? 'stands' : 'mismatch';
  }

  async permitCommitment(custodian: CountryCode, permitId: Uuid): Promise<string | undefined> {
    return (await this.record<PermitRecord>(names.permit(custodian, permitId)))?.commitment;
  }

  async stepOf(transferId: Uuid, step: string, org: CountryCode): Promise<CommittedPredecessor | undefined> {
    return this.parts.uow.run(async (tx) => {
      const [found] = await tx.trail.steps({ transferId, step, org, country: this.parts.org, alarm: 'false' }, 1);
      if (found === undefined) return undefined;
      const leaves = (await tx.trail.leaves(org, found.batch)).map((leaf) => leafHash(utf8(leaf), this.parts.sha256));
      return { org, n: found.batch, index: found.index, leaf: found.leaf, path: inclusionPath(found.index, leaves, this.parts.sha256) };
    });
  }

  async expiresAfter({ org, n, leaf }: CommittedPredecessor): Promise<Instant | undefined> {
    const entry = await this.entry<BatchRecord>(names.batch(org, n));
    const release = JSON.parse(leaf) as StepLeaf;
    if (entry === undefined || release.step !== 'released') return undefined;
    return expiresAfter(release, entry.at, this.parts.clockWindowMs);
  }

  async suspended(partner: CountryCode): Promise<boolean> {
    const { org } = this.parts;
    const pairs = [names.standing(org, org), names.standing(org, partner), names.standing(partner, partner), names.standing(partner, org)];
    const standings = await Promise.all(pairs.map((name) => this.record<StandingRecord>(name)));
    return standings.some((standing) => standing?.stands === true);
  }

  async emergency(id: Uuid, by: CountryCode, custodian: CountryCode, recipient: CountryCode): Promise<EmergencyStanding> {
    const emergency = await this.record<EmergencyRecord>(names.emergency(by, id));
    if (emergency === undefined) return { is: 'unknown' };
    const { declared, until } = emergency;
    const ours = emergency.custodian === custodian && emergency.recipient === recipient;
    if (!ours || until <= this.now() || (await this.record(names.emergencyEnd(by, id))) !== undefined) return { is: 'over' };
    return { is: 'stands', declared, until };
  }

  async reachable(): Promise<boolean> {
    return this.parts.clock.now() - this.parts.ledger.lastContact() <= LOST_AFTER_MS;
  }

  async permitStanding(custodian: CountryCode, permitId: Uuid, recipient: CountryCode): Promise<Standing['permit']> {
    const [permit, end] = await Promise.all([
      this.record<PermitRecord>(names.permit(custodian, permitId)),
      this.record(names.permitEnd(custodian, permitId)),
    ]);
    if (permit === undefined) return 'unknown';
    if (permit.recipient !== recipient) return 'foreign';
    if (end !== undefined) return 'ended';
    return permit.until <= this.now() ? 'expired' : 'live';
  }

  private proves(step: CommittedPredecessor, { root, count }: BatchRecord): boolean {
    const { sha256 } = this.parts;
    return verifyInclusion({ leafHash: leafHash(utf8(step.leaf), sha256), index: step.index, size: count, path: step.path, root }, sha256);
  }

  private async liveKey(country: CountryCode, kid: Kid): Promise<Extract<KeyRecord, { jwk: unknown }> | undefined> {
    const [key, end] = await Promise.all([this.record<KeyRecord>(names.key(country, kid)), this.record(names.keyEnd(country, kid))]);
    const now = this.now();
    if (key === undefined || !('jwk' in key) || key.notBefore > now || key.notAfter <= now) return undefined;
    return end === undefined ? key : undefined;
  }

  private async record<R>(name: RecordName): Promise<R | undefined> {
    return (await this.entry<R>(name))?.record;
  }

  private async entry<R>(name: RecordName): Promise<{ at: Instant; record: R } | undefined> {
    const bytes = await this.parts.ledger.record(name.owner, name.key);
    return bytes === undefined ? undefined : (JSON.parse(textOf(bytes)) as { at: Instant; record: R });
  }

  private now(): string {
    return instant(this.parts.clock.now());
  }
}
