import { canonicalJson, PortolanError, type ReceivedStep, type ReleasedStep } from '@portolan/contracts';
import { sha256Hex } from '@portolan/verify';
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
      const released = needed(askerData(transfer).released, 'released');
      const leaf = JSON.parse(released.leaf) as ReleasedStep;
      const counterReceipt = await signReceipt(leaf, released.leaf, ports);
      const { transferId, from, to } = leaf;
      const predecessor = sha256Hex(released.leaf, ports.sha256);
      const receiptHash = sha256Hex(counterReceipt, ports.sha256);
      return { counterReceipt, step: { v: 1, step: 'received', transferId, from, to, by: to, predecessor, receiptHash } };
    },
    decide: ({ counterReceipt, step }) => ({ to: 'receiving', counterReceipt, leaf: canonicalJson(step) }),
    async write(tx, transfer, { counterReceipt, leaf }, ports) {
      const { transferId, keyId } = transfer;
      // The sealed parts have served: what remains is the view, under its own key.
      if (!(await tx.transfers.advance(transferId, 'viewed', 'receiving', { data: { counterReceipt, arrived: null } }))) return;
      const after = needed(askerData(transfer).released, 'released');
      await post(tx, {
        id: ports.random.uuid(),
        type: 'step.anchor',
        key: transferId,
        keyId,
        body: { transferId, step: 'received', leaf, after },
      });
    },
  },
);

/** Row 10b: our final step stands; the counter-receipt goes to the sender, who stops resending. */
export const acknowledgeRow = row<ExchangeTx, ExchangePorts, Transfer, SealedParts, { to: 'done'; sealed: SealedParts }>({
  step: 'acknowledge',
  role: 'exchange',
  side: 'asker',
  from: 'stepped',
  to: ['done'],
  async gather(transfer, ports) {
    const key = await ports.channel.sealKey(transfer.partner);
    if (key === undefined) throw new PortolanError('request.partner-has-no-key', 'receive/acknowledge');
    return sealContent(
      ports.sealer,
      ports.sha256,
      needed(askerData(transfer).counterReceipt, 'counterReceipt'),
      head(transfer, ports),
      key,
    );
  },
  decide: (sealed) => ({ to: 'done', sealed }),
  async write(tx, transfer, { sealed }, ports) {
    if (!(await tx.transfers.advance(transfer.transferId, 'stepped', 'done', {}))) return;
    for (const message of outgoing(head(transfer, ports), ports.random.uuid(), sealed, instant(ports.clock.now())))
      await tx.outgoing.add(message);
  },
});

const head = (transfer: Transfer, ports: ExchangePorts): { kind: 'counter-receipt'; transferId: string; from: string; to: string } => ({
  kind: 'counter-receipt',
  transferId: transfer.transferId,
  from: ports.country.code,
  to: transfer.partner,
});
