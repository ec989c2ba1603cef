import type {
  Actor,
  CommittedPredecessor,
  ConsentContent,
  CountryCode,
  DataCategory,
  EmergencyReviewRecord,
  ExchangeAnswer,
  ExchangeNotice,
  Instant,
  Purpose,
  RestrictionContent,
  SearchTraits,
  Uuid,
} from '@portolan/contracts';
import type { CallEvidence } from '../access/acting-in.js';
import type { PersonId } from '../kernel/ids.js';
import type { TraceCarrier } from '../telemetry/index.js';

/** A crossing as the edge asks for it. */
export interface AskCommand {
  readonly transferId: Uuid;
  readonly kind: 'match' | 'record';
  readonly country: CountryCode;
  readonly purpose: Purpose;
  readonly traits: SearchTraits;
  readonly categories: readonly DataCategory[];
  readonly since?: string;
  readonly until?: string;
  readonly caseId: Uuid;
  readonly emergency?: { readonly id: Uuid; readonly reason: string };
  readonly evidence: CallEvidence;
  readonly trace?: TraceCarrier;
}

/**
 * Commands and events between the roles of one node, by type. Each is an outbox row of the sender; the message that travels carries
 * its id alone, the body is fetched by a query (design, section 3). `Receiver` names who handles it.
 */
export interface RoleMessages {
  // to exchange, from edge
  'transfer.ask': AskCommand;
  'consent.give': {
    person: PersonId;
    content: Omit<ConsentContent, 'givenBy' | 'salt' | 'givenAt'>;
    replaces?: Uuid;
    evidence: CallEvidence;
  };
  'consent.withdraw': { person: PersonId; consentId: Uuid; evidence: CallEvidence };
  'restriction.set': { person: PersonId; content: Omit<RestrictionContent, 'by' | 'at'>; evidence: CallEvidence };
  'restriction.lift': { person: PersonId; restrictionId: Uuid; evidence: CallEvidence };
  'view.stored': { transferId: Uuid; viewId: Uuid };
  'view.notice': {
    transferId: Uuid;
    permitId: Uuid;
    kind: 'accessed' | 'destroyed' | 'adopted' | 'proposal';
    actor?: Actor;
    reason?: string;
    items: ExchangeNotice['items'];
    proposal?: string;
  };
  'resource.changed': { person: PersonId; type: string; id: string; change: 'superseded' | 'cancelled' | 'merged'; reason: string };
  // Who declares, ends and reviews an emergency is what the evidence proves: the commands name nobody.
  'emergency.declare': { emergencyId: Uuid; country: CountryCode; until: Instant; reason: string; evidence: CallEvidence };
  'emergency.end': { emergencyId: Uuid; evidence: CallEvidence };
  'emergency.review': { emergencyId: Uuid; outcome: EmergencyReviewRecord['outcome']; finding: string; evidence: CallEvidence };
  'person.erase': { person: PersonId };
  /** Two entries of the person index are one person from now on: what she forbade under either holds for both. */
  'person.joined': { survivor: PersonId; prior: PersonId };
  /** That they were one person was wrong: whatever was let out of either meanwhile is taken back. */
  'person.parted': { survivor: PersonId; prior: PersonId; reason: string };
  // to exchange, from notary
  'act.settled': { actId: Uuid; state: 'committed' | 'invalid'; code?: string };
  /**
   * `after`: where the predecessor stands, as the notary found it for a step that came without. `act`: of an adoption. `ended`: the end
   * that counts, where a rejected one came after it.
   */
  'step.settled': {
    transferId: Uuid;
    step: string;
    act?: Uuid;
    state: 'accepted' | 'rejected';
    code?: string;
    ended?: string;
    stands?: CommittedPredecessor;
    after?: CommittedPredecessor;
  };
  'permit.ended-on-channel': { permitId: Uuid };
  'key.ended-on-channel': { org: CountryCode; kid: string };
  // to notary
  'act.anchor': { fn: string; args: unknown };
  /** Without `after`, a step that follows another is held back until that one stands. `act`: id of an adoption, each of which is a step. */
  'step.anchor': { transferId: Uuid; step: string; act?: Uuid; leaf: string; after?: CommittedPredecessor };
  'log.append': { eventId: Uuid; leafHash: string };
  // to edge
  'view.store': {
    transferId: Uuid;
    viewId: Uuid;
    custodian: CountryCode;
    permitId: Uuid;
    purpose: Purpose;
    caseId: Uuid;
    openedFor: string;
    until: Instant;
    record: string;
    opening: string;
  };
  'view.destroy': { permitId: Uuid; reason: string };
  'view.amend': { transferId: Uuid; items: ExchangeNotice['items'] };
  'transfer.outcome': { transferId: Uuid; outcome: ExchangeAnswer['outcome'] | 'failed'; code?: string };
  'feed.entry': { person: PersonId; entry: FeedBody; eventId: Uuid };
  'proposal.arrived': {
    transferId: Uuid;
    person: PersonId;
    actor?: Actor;
    reason?: string;
    items: ExchangeNotice['items'];
    proposal: string;
  };
}

export type RoleMessageType = keyof RoleMessages;

/** One line of the person's feed: who did what, why, on which permit. */
export interface FeedBody {
  readonly act: string;
  readonly what: string;
  readonly at: Instant;
  readonly outcome: 'success' | 'refused' | 'failed';
  readonly reason?: string;
  readonly who: { readonly name: string; readonly role: string; readonly organisation: string };
  readonly country: CountryCode;
  readonly partner?: CountryCode;
  readonly purpose?: Purpose;
  readonly permitId?: Uuid;
  readonly transferId?: Uuid;
  readonly categories?: readonly string[];
  /** Done in an emergency while the channel could not be reached: it is anchored afterwards. */
  readonly late?: true;
  /** `recorded`: a signed promise stands in the country's log; `anchored` follows when its head stands on the channel. */
  readonly state: 'recorded';
}

/** Which role handles a message. */
export const receivers = {
  'transfer.ask': 'exchange',
  'consent.give': 'exchange',
  'consent.withdraw': 'exchange',
  'restriction.set': 'exchange',
  'restriction.lift': 'exchange',
  'view.stored': 'exchange',
  'view.notice': 'exchange',
  'resource.changed': 'exchange',
  'emergency.declare': 'exchange',
  'emergency.end': 'exchange',
  'emergency.review': 'exchange',
  'person.erase': 'exchange',
  'person.joined': 'exchange',
  'person.parted': 'exchange',
  'act.settled': 'exchange',
  'step.settled': 'exchange',
  'permit.ended-on-channel': 'exchange',
  'key.ended-on-channel': 'exchange',
  'act.anchor': 'notary',
  'step.anchor': 'notary',
  'log.append': 'notary',
  'view.store': 'edge',
  'view.destroy': 'edge',
  'view.amend': 'edge',
  'transfer.outcome': 'edge',
  'feed.entry': 'edge',
  'proposal.arrived': 'edge',
} as const satisfies Record<RoleMessageType, 'edge' | 'exchange' | 'notary'>;
