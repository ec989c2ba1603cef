import {
  canonicalJson,
  parseBounded,
  PortolanError,
  type CommittedPredecessor,
  type CounterReceipt,
  type ExchangeRecord,
  type ExchangeRequest,
  type PermitOpening,
  type RefusalReason,
  type RefusedStep,
  type ReleasedStep,
} from '@portolan/contracts';
import { bytesOfBase64url, commit, sha256Hex, utf8 } from '@portolan/verify';
import { recordAct, type Act } from '../audit/record-act.js';
import type { Late } from '../emergency/late-step.js';
import { openContent } from '../exchange/envelopes.js';
import { instant } from '../kernel/machine.port.js';
import { post } from '../messages/post.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { askerData, needed } from '../transfer/transfer.data.js';
import { mayKeep } from './open.decide.js';
import { claimOf, leaveOf } from './release-claim.js';

const MAX_CONTENT_CHARS = 45_000_000;

interface Kept {
  readonly record: string;
  readonly opening: PermitOpening;
  readonly openingText: string;
}
interface Facts {
  readonly refusal: RefusalReason | undefined;
  readonly kept: Kept | undefined;
  readonly viewId: string;
  readonly counterReceipt: string | undefined;
  readonly leaf: ReleasedStep;
  /** SHA-256 of the exact leaf text. */
  readonly predecessor: string;
  /** Where the release stands; undefined for a late one that does not stand yet. */
  readonly stands: CommittedPredecessor | undefined;
  readonly now: number;
}
type Stands = Pick<Facts, 'stands'>;
interface Opened extends Stands {
  readonly to: 'opened';
  readonly kept: Kept;
  readonly viewId: string;
  /** Opened on the sender's word alone. */
  readonly late: Late | undefined;
}
interface Refusing extends Stands {
  readonly to: 'refusing';
  readonly counterReceipt: string;
  readonly step: RefusedStep;
}
type Decision = Opened | Refusing;

/**
 * Row 9b: the receiver checks on its own copy that the step stands and its permit is still live, and only then decrypts; then the
 * signature, the permit's opening and what it covers. What fails is refused with a coded reason, unopened or destroyed unread. In our own
 * declared emergency, our channel down too, the sender's signed word stands for the step until that can be anchored.
 */
export const openRow = row<ExchangeTx, ExchangePorts, Transfer, Facts, Decision>({
  step: 'open',
  role: 'exchange',
  side: 'asker',
  from: 'arrived',
  to: ['opened', 'refusing'],
  async gather(transfer, ports) {
    const claim = await claimOf(transfer, ports);
    const leave = await leaveOf(transfer, claim, ports);
    const { leaf, text } = claim;
    if (leave.may === 'wait' || leaf === undefined) throw new PortolanError('receive.step-not-visible', 'receive/open');
    const opened = leave.may ? await decrypt(transfer, leaf, claim.stands === undefined, ports) : leave.reason;
    const refusal = typeof opened === 'string' ? opened : undefined;
    return {
      refusal,
      kept: typeof opened === 'string' ? undefined : opened,
      viewId: ports.random.uuid(),
      counterReceipt: refusal === undefined ? undefined : await signReceipt(leaf, text, ports, refusal),
      leaf,
      stands: claim.stands,
      predecessor: sha256Hex(text, ports.sha256),
      now: ports.clock.now(),
    };
  },
  decide({ refusal, kept, viewId, counterReceipt, leaf, stands, predecessor, now }) {
    if (refusal === undefined && kept !== undefined) return { to: 'opened', kept, viewId, stands, late: openedLate(leaf, stands, now) };
    const refused = refusedStep(refusal ?? 'undecryptable', leaf, predecessor);
    // What refuses a release that does not stand says when: the notary does not wait for it for ever.
    const step = stands === undefined ? { ...refused, time: instant(now) } : refused;
    return { to: 'refusing', step, counterReceipt: needed(counterReceipt, 'counter-receipt'), stands };
  },
  write: (tx, transfer, decision, ports) =>
    decision.to === 'opened' ? handOver(tx, transfer, decision, ports) : writeRefusal(tx, transfer, decision, ports),
});

const openedLate = (leaf: ReleasedStep, stands: CommittedPredecessor | undefined, now: number): Late | undefined =>
  stands === undefined && leaf.late !== undefined ? { late: leaf.late, time: instant(now) } : undefined;

async function decrypt(transfer: Transfer, leaf: ReleasedStep, late: boolean, ports: ExchangePorts): Promise<Kept | RefusalReason> {
  const sealed = needed(askerData(transfer).arrived, 'arrived');
  const head = { kind: 'record', transferId: transfer.transferId, from: transfer.partner, to: ports.country.code } as const;
  let content: string;
  try {
    ({ content } = await openContent(ports.sealer, sealed, head, (country, kid) => ports.channel.senderKey(country, kid)));
  } catch (error) {
    return sealFault(error);
  }
  return examine(content, { asked: needed(askerData(transfer).asked, 'asked'), leaf, late }, ports);
}

function sealFault(error: unknown): RefusalReason {
  if (!(error instanceof PortolanError) || error.retriable) throw error;
  return error.code === 'seal.undecryptable' ? 'undecryptable' : 'signature-invalid';
}

async function examine(
  content: string,
  known: { asked: ExchangeRequest; leaf: ReleasedStep; late: boolean },
  ports: ExchangePorts,
): Promise<Kept | RefusalReason> {
  const { leaf } = known;
  try {
    const where = 'receive/content';
    const parsed = parseBounded(content, MAX_CONTENT_CHARS, 'exchange.envelope-invalid', where);
    const record = ports.validators.check<ExchangeRecord>('exchange-record', parsed, 'exchange.envelope-invalid', where);
    const openingText = record.opening;
    const opening = ports.validators.check<PermitOpening>(
      'permit-opening',
      parseBounded(openingText, 20_000, 'exchange.envelope-invalid', where),
      'exchange.envelope-invalid',
      where,
    );
    const reason = mayKeep({
      ...known,
      opening,
      plaintextCommitment: commit(bytesOfBase64url(record.salt), utf8(content), ports.sha256),
      permitCommitment: commit(bytesOfBase64url(opening.salt), utf8(openingText), ports.sha256),
      anchoredPermitCommitment: await ports.channel.permitCommitment(leaf.from, leaf.permitId),
      record: record.record,
    });
    return reason ?? { record: record.record, opening, openingText };
  } catch (error) {
    if (!(error instanceof PortolanError) || error.retriable) throw error;
    return 'opening-mismatch';
  }
}

/** The receiver's word about one transfer, under its registered `sign` key. */
export async function signReceipt(leaf: ReleasedStep, leafText: string, ports: ExchangePorts, refusal?: RefusalReason): Promise<string> {
  const payload: CounterReceipt = {
    v: 1,
    channel: ports.channel.channel(),
    transferId: leaf.transferId,
    from: leaf.from,
    to: leaf.to,
    predecessor: sha256Hex(leafText, ports.sha256),
    ciphertextHash: leaf.ciphertextHash,
    outcome: refusal === undefined ? 'received' : 'refused',
    ...(refusal === undefined ? {} : { reason: refusal }),
    time: instant(ports.clock.now()),
  };
  return ports.signer.sign('sign', 'portolan-counter-receipt+jws', canonicalJson(payload));
}

function refusedStep(reason: RefusalReason, { transferId, from, to }: ReleasedStep, predecessor: string): RefusedStep {
  return { v: 1, step: 'refused', transferId, from, to, by: to, predecessor, reason };
}

async function handOver(tx: ExchangeTx, transfer: Transfer, { kept, viewId, stands, late }: Opened, ports: ExchangePorts): Promise<void> {
  const { transferId, keyId } = transfer;
  const asked = needed(askerData(transfer).asked, 'asked');
  const { permitId, until } = kept.opening;
  const data = { opening: kept.openingText, ...released(stands), ...(late === undefined ? {} : { openedLate: late }) };
  if (!(await tx.transfers.advance(transferId, 'arrived', 'opened', { data, permitId }))) return;
  const openedFor = `${asked.actor.id.system}|${asked.actor.id.value}`;
  const body = {
    transferId,
    viewId,
    custodian: transfer.partner,
    permitId,
    purpose: asked.purpose,
    caseId: asked.caseId,
    openedFor,
    until,
    record: kept.record,
    opening: kept.openingText,
  };
  await post(tx, { id: ports.random.uuid(), type: 'view.store', key: transferId, keyId, body });
  const act = { ...openAct('record-opened', 'success', transfer, asked, ports), ...(late === undefined ? {} : { late: late.late }) };
  await recordAct(tx, ports.random, act, { person: undefined, keyId });
}

/** Where the release stands, for the rows that follow: of a late one, once it was found. */
const released = (stands: CommittedPredecessor | undefined): { released?: CommittedPredecessor } =>
  stands === undefined ? {} : { released: stands };

async function writeRefusal(
  tx: ExchangeTx,
  transfer: Transfer,
  { counterReceipt, step, stands }: Refusing,
  ports: ExchangePorts,
): Promise<void> {
  const { transferId, keyId } = transfer;
  const asked = needed(askerData(transfer).asked, 'asked');
  const data = { refusal: step.reason, counterReceipt, outcome: 'refused', arrived: null, ...released(stands) };
  if (!(await tx.transfers.advance(transferId, 'arrived', 'refusing', { data }))) return;
  const body = { transferId, step: 'refused', leaf: canonicalJson(step), ...(stands === undefined ? {} : { after: stands }) };
  await post(tx, { id: ports.random.uuid(), type: 'step.anchor', key: transferId, keyId, body });
  await post(tx, {
    id: ports.random.uuid(),
    type: 'transfer.outcome',
    key: transferId,
    keyId,
    body: { transferId, outcome: 'failed', code: 'receive.refused' },
  });
  await recordAct(
    tx,
    ports.random,
    { ...openAct('record-open-refused', 'refused', transfer, asked, ports), reason: step.reason },
    { person: undefined, keyId },
  );
}

function openAct(act: Act['act'], outcome: Act['outcome'], transfer: Transfer, asked: ExchangeRequest, ports: ExchangePorts): Act {
  const { actor, purpose } = asked;
  const permit = transfer.permitId === undefined ? {} : { permitId: transfer.permitId };
  const { transferId, partner } = transfer;
  return {
    act,
    recorded: instant(ports.clock.now()),
    outcome,
    actor,
    country: ports.country.code,
    partner,
    purpose,
    transferId,
    ...permit,
  };
}
