import { canonicalJson, PortolanError, type PermitOpening, type ReceivedStep, type ReleasedStep } from '@portolan/contracts';
import { bytesOfBase64url, commit, sha256Hex, utf8 } from '@portolan/verify';
import { recordAct } from '../audit/record-act.js';
import { outgoing, sealContent } from '../exchange/envelopes.js';
import { instant } from '../kernel/machine.port.js';
import { post } from '../messages/post.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { askerData, needed, type SealedParts } from '../transfer/transfer.data.js';
import { signReceipt } from './open.row.js';

interface ReceiptFacts {
  readonly counterReceipt: string;
  readonly step: ReceivedStep;
}

/** Row 10a: the view is kept, so the receiver signs its counter-receipt and anchors `received`. */
export const receiptRow = row<ExchangeTx, ExchangePorts, Transfer, ReceiptFacts, { to: 'receiving'; counterReceipt: string; leaf: string }>(
  {
    step: 'receipt',
    role: 'exchange',
    side: 'asker',
    from: 'viewed',
    to: ['receiving'],
    async gather(transfer, ports) {
      const { released, lateRelease, openedLate } = askerData(transfer);
      const text = released?.leaf ?? needed(lateRelease, 'lateRelease').leaf;
      const leaf = JSON.parse(text) as ReleasedStep;
      const counterReceipt = await signReceipt(leaf, text, ports);
      const { transferId, from, to } = leaf;
      const predecessor = sha256Hex(text, ports.sha256);
      const receiptHash = sha256Hex(counterReceipt, ports.sha256);
      return { counterReceipt, step: { v: 1, step: 'received', transferId, from, to, by: to, predecessor, receiptHash, ...openedLate } };
    },
    decide: ({ counterReceipt, step }) => ({ to: 'receiving', counterReceipt, leaf: canonicalJson(step) }),
    async write(tx, transfer, { counterReceipt, leaf }, ports) {
      const { transferId, keyId } = transfer;
      // The sealed parts have served: what remains is the view, under its own key.
      if (!(await tx.transfers.advance(transferId, 'viewed', 'receiving', { data: { counterReceipt, arrived: null } }))) return;
      const { released: after } = askerData(transfer);
      await post(tx, {
        id: ports.random.uuid(),
        type: 'step.anchor',
        key: transferId,
        keyId,
        body: { transferId, step: 'received', leaf, ...(after === undefined ? {} : { after }) },
      });
    },
  },
);

interface AcknowledgeFacts {
  readonly sealed: SealedParts;
  /** The permit of a late release stands by now; false where it is not the one whose opening we were given. */
  readonly permitHolds: boolean;
}

/**
 * Row 10b: our final step stands; the counter-receipt goes to the sender, who stops resending. What could not be compared while the
 * channel was away is compared now: a late release whose permit is another than we were shown is destroyed.
 */
export const acknowledgeRow = row<ExchangeTx, ExchangePorts, Transfer, AcknowledgeFacts, { to: 'done' } & AcknowledgeFacts>({
  step: 'acknowledge',
  role: 'exchange',
  side: 'asker',
  from: 'stepped',
  to: ['done'],
  async gather(transfer, ports) {
    const key = await ports.channel.sealKey(transfer.partner);
    if (key === undefined) throw new PortolanError('request.partner-has-no-key', 'receive/acknowledge');
    const { counterReceipt } = askerData(transfer);
    const receipt = needed(counterReceipt, 'counterReceipt');
    const sealed = await sealContent(ports.sealer, ports.sha256, receipt, head(transfer, ports), key);
    return { sealed, permitHolds: await permitHolds(transfer, ports) };
  },
  decide: (facts) => ({ to: 'done', ...facts }),
  async write(tx, transfer, { sealed, permitHolds: holds }, ports) {
    if (!(await tx.transfers.advance(transfer.transferId, 'stepped', 'done', {}))) return;
    for (const message of outgoing(head(transfer, ports), ports.random.uuid(), sealed, instant(ports.clock.now())))
      await tx.outgoing.add(message);
    if (!holds) await destroyView(tx, transfer, ports);
  },
});

async function permitHolds(transfer: Transfer, ports: ExchangePorts): Promise<boolean> {
  const { openedLate, opening } = askerData(transfer);
  if (openedLate === undefined) return true;
  const text = needed(opening, 'opening');
  const { salt, custodian, permitId } = JSON.parse(text) as PermitOpening;
  const anchored = await ports.channel.permitCommitment(custodian, permitId);
  return anchored === commit(bytesOfBase64url(salt), utf8(text), ports.sha256);
}

async function destroyView(tx: ExchangeTx, transfer: Transfer, ports: ExchangePorts): Promise<void> {
  const { transferId, keyId, partner } = transfer;
  const { actor, purpose } = needed(askerData(transfer).asked, 'asked');
  const permitId = needed(transfer.permitId, 'permitId');
  const body = { permitId, reason: 'opening-mismatch' };
  await post(tx, { id: ports.random.uuid(), type: 'view.destroy', key: transferId, keyId, body });
  const act = { act: 'record-open-refused', outcome: 'refused', reason: 'opening-mismatch' } as const;
  const context = { recorded: instant(ports.clock.now()), actor, country: ports.country.code, partner, purpose, transferId, permitId };
  await recordAct(tx, ports.random, { ...act, ...context }, { person: undefined, keyId });
}

const head = (transfer: Transfer, ports: ExchangePorts): { kind: 'counter-receipt'; transferId: string; from: string; to: string } => ({
  kind: 'counter-receipt',
  transferId: transfer.transferId,
  from: ports.country.code,
  to: transfer.partner,
});
