import type { CommittedPredecessor, Instant } from '@portolan/contracts';
import { instant } from '../kernel/machine.port.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { custodianData, needed } from '../transfer/transfer.data.js';
import { outgoing } from './envelopes.js';

/** A receiver of a late release has this long after its anchor (libs/ledger-rules, lateWindow), and the anchor may take a while itself. */
const LATE_WINDOW_MS = 25 * 3_600_000;

/**
 * Row 9a: `released` stands on our own copy, so the sealed parts may leave; each says where its step stands. A late release has our
 * signed word instead, unless its step stands by now.
 */
export const sendRow = row<ExchangeTx, ExchangePorts, Transfer, Instant, { to: 'sent'; expires: Instant }>({
  step: 'send',
  role: 'exchange',
  side: 'custodian',
  from: 'anchored',
  to: ['sent'],
  gather: (transfer, ports) => expiryOf(transfer, custodianData(transfer).released, ports),
  decide: (expires) => ({ to: 'sent', expires }),
  async write(tx, transfer, { expires }, ports) {
    const data = custodianData(transfer);
    if (!(await tx.transfers.advance(transfer.transferId, 'anchored', 'sent', { dueAt: expires }))) return;
    const head = { kind: 'record', transferId: transfer.transferId, from: ports.country.code, to: transfer.partner } as const;
    const word = data.released === undefined ? { late: needed(data.lateStep, 'lateStep') } : { step: data.released };
    const messages = outgoing(
      head,
      ports.random.uuid(),
      needed(data.sealed, 'sealed'),
      { notBefore: instant(ports.clock.now()), until: expires },
      word,
    );
    for (const message of messages) await tx.outgoing.add(message);
  },
});

/**
 * From when on a final step of the receiver is no longer awaited: the channel says so of a release that stands. Of a late one that does
 * not yet, limit and grace, and a day after now at least.
 */
export async function expiryOf(transfer: Transfer, released: CommittedPredecessor | undefined, ports: ExchangePorts): Promise<Instant> {
  const after = released === undefined ? undefined : await ports.channel.expiresAfter(released);
  if (after !== undefined) return instant(Date.parse(after) + 1);
  const closes = Date.parse(transfer.limit) + ports.country.policy.graceSeconds * 1000;
  return instant(custodianData(transfer).late === undefined ? closes : Math.max(closes, ports.clock.now() + LATE_WINDOW_MS));
}
