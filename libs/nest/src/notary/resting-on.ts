import type {
  CommittedPredecessor,
  CountryCode,
  EmergencyEndRecord,
  EmergencyRecord,
  EmergencyReviewRecord,
  OrgId,
  PermitEndRecord,
  PermitRecord,
  StepLeaf,
  Uuid,
} from '@portolan/contracts';
import {
  instant,
  type ActRow,
  type ChannelReader,
  type Clock,
  type Ledger,
  type NotaryTx,
  type StepRow,
  type UnitOfWork,
} from '@portolan/domain';
import { names, type RecordName } from '@portolan/ledger-rules';
import { textOf } from '@portolan/verify';

/** How long an act and a step are held back before what they rest on is looked for again, milliseconds. */
export const HOLD_BACK_MS = 400;
/** An act whose ground nobody here has asked to anchor is held back so many times, then the channel may judge it. */
const MAX_HOLDS = 1_000;

/** How long the refusal of a late release waits for that release to stand; its own window is a day. */
const FORGO_AFTER_MS = 48 * 3_600_000;

export interface RestingOnParts {
  readonly org: CountryCode;
  readonly ledger: Ledger;
  readonly uow: UnitOfWork<NotaryTx>;
  readonly channel: Pick<ChannelReader, 'stepOf'>;
  readonly clock: Clock;
}

/**
 * What acts and late steps rest on, looked for on our own copy. Submitted too early they would be refused for good; so each is held back
 * until its ground stands: an end until there is something to end, a late permit until its emergency, a late release until emergency and
 * permit, what follows a late release until that release.
 */
export class RestingOn {
  constructor(private readonly parts: RestingOnParts) {}

  async actMayGo(act: ActRow): Promise<boolean> {
    const { org } = this.parts;
    switch (act.fn) {
      case 'put-permit':
        return this.lateStands(act.args as PermitRecord);
      case 'end-permit': {
        const { permitId } = act.args as PermitEndRecord;
        return this.standsOrNever(names.permit(org, permitId), permitId, act.attempts);
      }
      case 'end-emergency': {
        const { id } = act.args as EmergencyEndRecord;
        return this.standsOrNever(names.emergency(org, id), id, act.attempts);
      }
      case 'review-emergency':
        return this.reviewMayGo((act.args as EmergencyReviewRecord).id, act.attempts);
      default:
        return true;
    }
  }

  /**
   * The proof of what the step follows, where it needs one and came without; `wait` while something it rests on does not stand; `never`
   * where nothing was opened on it and two days have passed. What was opened is awaited for ever: its absence is an alarm.
   */
  async stepGround(step: StepRow): Promise<CommittedPredecessor | 'none' | 'wait' | 'never'> {
    const leaf = JSON.parse(step.leaf) as StepLeaf;
    if ('late' in leaf && !(await this.emergencyStands(leaf.late, [leaf.from, leaf.to]))) return 'wait';
    if (leaf.step === 'released') {
      if (leaf.late === undefined) return 'none';
      return (await this.standsOrNever(names.permit(leaf.from, leaf.permitId), leaf.permitId, 0)) ? 'none' : 'wait';
    }
    if (step.evidence !== undefined && step.evidence !== null) return step.evidence as CommittedPredecessor;
    return (await this.parts.channel.stepOf(leaf.transferId, 'released', leaf.from)) ?? (this.isForgone(leaf) ? 'never' : 'wait');
  }

  private isForgone(leaf: StepLeaf): boolean {
    if ('late' in leaf || leaf.time === undefined) return false;
    return Date.parse(leaf.time) + FORGO_AFTER_MS < this.parts.clock.now();
  }

  private lateStands({ late, custodian, recipient }: PermitRecord): Promise<boolean> {
    return this.emergencyStands(late, [custodian, recipient]);
  }

  private async emergencyStands(id: Uuid | undefined, among: readonly OrgId[]): Promise<boolean> {
    if (id === undefined) return true;
    const found = await Promise.all(among.map((owner) => this.stands(names.emergency(owner, id))));
    return found.includes(true);
  }

  /** A review is taken once its emergency has ended or its limit has passed. */
  private async reviewMayGo(id: Uuid, holds: number): Promise<boolean> {
    const { org, clock } = this.parts;
    if (!(await this.standsOrNever(names.emergency(org, id), id, holds))) return false;
    const emergency = await this.record<EmergencyRecord>(names.emergency(org, id));
    if (emergency === undefined || emergency.until <= instant(clock.now())) return true;
    return this.stands(names.emergencyEnd(org, id));
  }

  /** The record stands, or its own act was refused and it never will: then the channel says so. An act bears the id of its record. */
  private async standsOrNever(name: RecordName, actId: Uuid, holds: number): Promise<boolean> {
    if (await this.stands(name)) return true;
    const act = await this.parts.uow.alone((tx) => tx.acts.get(actId));
    return act === undefined ? holds > MAX_HOLDS : act.state === 'invalid';
  }

  private async stands({ owner, key }: RecordName): Promise<boolean> {
    return (await this.parts.ledger.record(owner, key)) !== undefined;
  }

  private async record<R>({ owner, key }: RecordName): Promise<R | undefined> {
    const bytes = await this.parts.ledger.record(owner, key);
    return bytes === undefined ? undefined : (JSON.parse(textOf(bytes)) as { record: R }).record;
  }
}
