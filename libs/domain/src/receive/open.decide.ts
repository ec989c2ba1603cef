import type { ExchangeRequest, PermitOpening, RefusalReason, ReleasedStep } from '@portolan/contracts';
import type { Standing } from '../channel/channel.port.js';
import { covers } from '../release/index.js';

/** What is known before anything is decrypted. */
export interface BeforeOpening {
  readonly now: number;
  readonly standing: Standing;
  readonly leaf: ReleasedStep | undefined;
  /** RFC 6962 root over the sealed parts that are here. */
  readonly root: string;
  readonly transferId: string;
  readonly from: string;
  readonly to: string;
}

/** What is known where the release does not stand on our own copy and its sender gave its signed word for it. */
export interface BeforeLateOpening extends Omit<BeforeOpening, 'standing' | 'leaf'> {
  readonly leaf: ReleasedStep;
  /** Our own notary has lost the channel. */
  readonly channelDown: boolean;
  /** How the permit stands on our own copy; rarely known there. */
  readonly permit: Standing['permit'];
  readonly asked: ExchangeRequest;
  /** Our own emergency that the leaf names lives: declared by us, not ended, for this country. */
  readonly emergencyLives: boolean;
}

export type Leave = { readonly may: true } | { readonly may: false; readonly reason: RefusalReason } | { readonly may: 'wait' };

const PERMIT_REASONS = { ended: 'permit-ended', expired: 'permit-expired', foreign: 'permit-foreign', unknown: 'permit-foreign' } as const;

/** Whether the record may be decrypted at all: the step stands, names exactly these bytes and this permit, and the permit is live. */
export function mayDecrypt(facts: BeforeOpening): Leave {
  const { standing, leaf } = facts;
  if (leaf === undefined || standing.step === 'mismatch') return { may: false, reason: 'step-mismatch' };
  if (standing.step === 'not-visible') return Date.parse(leaf.limit) > facts.now ? { may: 'wait' } : { may: false, reason: 'step-missing' };
  if (!namesThis(leaf, facts)) return { may: false, reason: 'step-mismatch' };
  if (standing.permit !== 'live') return { may: false, reason: PERMIT_REASONS[standing.permit] };
  if (Date.parse(leaf.limit) <= facts.now) return { may: false, reason: 'limit-passed' };
  return { may: true };
}

/**
 * The one exception of invariant 1: a record opens without its step where our own channel is down as well, and the step was signed in
 * the emergency that we declared and asked under. Everything else waits for the step, until its limit.
 */
export function mayDecryptLate(facts: BeforeLateOpening): Leave {
  const { leaf, permit, channelDown, now } = facts;
  if (!namesThis(leaf, facts)) return { may: false, reason: 'step-mismatch' };
  if (permit !== 'live' && permit !== 'unknown') return { may: false, reason: PERMIT_REASONS[permit] };
  if (Date.parse(leaf.limit) <= now) return { may: false, reason: 'step-missing' };
  return channelDown && underOurEmergency(facts) ? { may: true } : { may: 'wait' };
}

const underOurEmergency = ({ leaf, asked, emergencyLives }: BeforeLateOpening): boolean =>
  emergencyLives && asked.purpose === 'ETREAT' && leaf.late !== undefined && asked.emergency?.id === leaf.late;

/** The step is of this transfer between these two countries, and its ciphertext hash is that of the parts that came. */
const namesThis = (
  leaf: ReleasedStep,
  { transferId, from, to, root }: Pick<BeforeOpening, 'transferId' | 'from' | 'to' | 'root'>,
): boolean => leaf.transferId === transferId && leaf.from === from && leaf.to === to && leaf.ciphertextHash === root;

/** What is known after decrypting, all of it from inside the envelope or from our own copy. */
export interface AfterOpening {
  readonly asked: ExchangeRequest;
  readonly opening: PermitOpening;
  readonly leaf: ReleasedStep;
  /** The commitments computed from what came. */
  readonly plaintextCommitment: string;
  readonly permitCommitment: string;
  /** The permit's commitment as it stands on the channel. */
  readonly anchoredPermitCommitment: string | undefined;
  /** Opened on the sender's word: the permit may not stand yet, and can have no ground but the emergency. */
  readonly late: boolean;
  readonly record: string;
}

/** Whether what was decrypted is what the permit covers and what we asked for. Anything else is destroyed unread. */
export function mayKeep(facts: AfterOpening): RefusalReason | undefined {
  const { opening, leaf } = facts;
  if (facts.plaintextCommitment !== leaf.commitment) return 'signature-invalid';
  if (!isThePermit(facts) || !isOurs(facts)) return 'opening-mismatch';
  const { since } = opening;
  const coverage = covers(
    { categories: opening.categories, ...(since === undefined ? {} : { since }), identifiers: [opening.person] },
    facts.record,
  );
  return coverage.covered ? undefined : 'opening-mismatch';
}

/** The opening is what the channel committed to; of a late release that is compared once its permit stands (receipt.row.ts). */
function isThePermit({ late, opening, permitCommitment, anchoredPermitCommitment: anchored }: AfterOpening): boolean {
  if (late && opening.ground !== 'emergency') return false;
  return permitCommitment === anchored || (late && anchored === undefined);
}

/** The opening is of the permit that the step names, between these two countries, for the purpose, person and categories asked for. */
function isOurs({ asked, opening, leaf }: AfterOpening): boolean {
  const parties = opening.permitId === leaf.permitId && opening.custodian === asked.to && opening.recipient === asked.from;
  const person = asked.traits.identifiers.some(({ system, value }) => system === opening.person.system && value === opening.person.value);
  return (
    parties && person && opening.purpose === asked.purpose && opening.categories.every((category) => asked.categories.includes(category))
  );
}
