import {
  canonicalJson,
  parseBounded,
  PortolanError,
  type CounterReceipt,
  type ExchangeRecord,
  type ExchangeRequest,
  type PermitOpening,
  type RefusalReason,
  type RefusedStep,
  type ReleasedStep,
  type StepLeaf,
} from '@portolan/contracts';
import { bytesOfBase64url, commit, sealedRoot, sha256Hex, utf8 } from '@portolan/verify';
import { recordAct, type Act } from '../audit/record-act.js';
import { openContent } from '../exchange/envelopes.js';
import { instant } from '../kernel/machine.port.js';
import { post } from '../messages/post.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { askerData, needed } from '../transfer/transfer.data.js';
import { mayDecrypt, mayKeep } from './open.decide.js';

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
}
type Decision =
  | { readonly to: 'opened'; readonly kept: Kept; readonly viewId: string }
  | { readonly to: 'refusing'; readonly reason: RefusalReason; readonly counterReceipt: string; readonly step: RefusedStep };

/**
 * Row 9b: the receiver checks on its own copy that the step stands and its permit is still live, and only then decrypts; then the
 * signature, the permit's opening and what it covers. What fails is refused with a coded reason, unopened or destroyed unread.
 */
export const openRow = row<ExchangeTx, ExchangePorts, Transfer, Facts, Decision>({
  step: 'open',
  role: 'exchange',
  side: 'asker',
  from: 'arrived',
  to: ['opened', 'refusing'],
  async gather(transfer, ports) {
    const data = askerData(transfer);
    const stands = needed(data.released, 'released');
    const leaf = leafOf(stands.leaf, ports);
    const { hashes } = needed(data.arrived, 'arrived');
    const standing = await ports.channel.standing(stands, ports.country.code);
    const facts = {
      now: ports.clock.now(),
      standing,
      leaf,
      root: sealedRoot(hashes, ports.sha256),
      transferId: transfer.transferId,
      from: transfer.partner,
      to: ports.country.code,
    };
    const leave = mayDecrypt(facts);
    if (leave.may === 'wait' || leaf === undefined) throw new PortolanError('receive.step-not-visible', 'receive/open');
    const opened = leave.may ? await decrypt(transfer, leaf, ports) : leave.reason;
    const refusal = typeof opened === 'string' ? opened : undefined;
    const counterReceipt = refusal === undefined ? undefined : await signReceipt(leaf, stands.leaf, ports, refusal);
    const predecessor = sha256Hex(stands.leaf, ports.sha256);
    return {
      refusal,
      kept: typeof opened === 'string' ? undefined : opened,
      viewId: ports.random.uuid(),
      counterReceipt,
      leaf,
      predecessor,
    };
  },
  decide({ refusal, kept, viewId, counterReceipt, leaf, predecessor }) {
    if (refusal === undefined && kept !== undefined) return { to: 'opened', kept, viewId };
    return refuse(refusal ?? 'undecryptable', needed(counterReceipt, 'counter-receipt'), leaf, predecessor);
  },
  write: (tx, transfer, decision, ports) =>
    decision.to === 'opened' ? handOver(tx, transfer, decision, ports) : writeRefusal(tx, transfer, decision, ports),
});

function leafOf(text: string, ports: ExchangePorts): ReleasedStep | undefined {
  const leaf: unknown = parseBounded(text, 4000, 'exchange.envelope-invalid', 'receive/leaf');
  if (ports.validators.mistake('step-leaf', leaf) !== undefined) return undefined;
  const step = leaf as StepLeaf;
  return step.step === 'released' ? step : undefined;
}

async function decrypt(transfer: Transfer, leaf: ReleasedStep, ports: ExchangePorts): Promise<Kept | RefusalReason> {
  const sealed = needed(askerData(transfer).arrived, 'arrived');
  const head = { kind: 'record', transferId: transfer.transferId, from: transfer.partner, to: ports.country.code } as const;
  let content: string;
  try {
    ({ content } = await openContent(ports.sealer, sealed, head, (country, kid) => ports.channel.senderKey(country, kid)));
  } catch (error) {
    return sealFault(error);
  }
  return examine(content, needed(askerData(transfer).asked, 'asked'), leaf, ports);
}

function sealFault(error: unknown): RefusalReason {
  if (!(error instanceof PortolanError) || error.retriable) throw error;
  return error.code === 'seal.undecryptable' ? 'undecryptable' : 'signature-invalid';
}

async function examine(content: string, asked: ExchangeRequest, leaf: ReleasedStep, ports: ExchangePorts): Promise<Kept | RefusalReason> {
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
      asked,
      opening,
      leaf,
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

function refuse(reason: RefusalReason, counterReceipt: string, leaf: ReleasedStep, predecessor: string): Decision {
  const { transferId, from, to } = leaf;
  return { to: 'refusing', reason, counterReceipt, step: { v: 1, step: 'refused', transferId, from, to, by: to, predecessor, reason } };
}

async function handOver(
  tx: ExchangeTx,
  transfer: Transfer,
  { kept, viewId }: Extract<Decision, { to: 'opened' }>,
  ports: ExchangePorts,
): Promise<void> {
  const { transferId, keyId } = transfer;
  const asked = needed(askerData(transfer).asked, 'asked');
  const { permitId, until } = kept.opening;
  if (!(await tx.transfers.advance(transferId, 'arrived', 'opened', { data: { opening: kept.openingText }, permitId }))) return;
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
  await recordAct(tx, ports.random, openAct('record-opened', 'success', transfer, asked, ports), { person: undefined, keyId });
}

async function writeRefusal(
  tx: ExchangeTx,
  transfer: Transfer,
  decision: Extract<Decision, { to: 'refusing' }>,
  ports: ExchangePorts,
): Promise<void> {
  const { transferId, keyId } = transfer;
  const asked = needed(askerData(transfer).asked, 'asked');
  const data = { refusal: decision.reason, counterReceipt: decision.counterReceipt, outcome: 'refused', arrived: null };
  if (!(await tx.transfers.advance(transferId, 'arrived', 'refusing', { data }))) return;
  const body = { transferId, step: 'refused', leaf: canonicalJson(decision.step), after: needed(askerData(transfer).released, 'released') };
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
    { ...openAct('record-open-refused', 'refused', transfer, asked, ports), reason: decision.reason },
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
