import { instant } from '../kernel/machine.port.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { custodianData, needed } from '../transfer/transfer.data.js';
import { outgoing } from './envelopes.js';

/** Row 9a: `released` stands on our own copy, so the sealed parts may leave; each says where its step stands. */
export const sendRow = row<ExchangeTx, ExchangePorts, Transfer, undefined, { to: 'sent' }>({
  step: 'send',
  role: 'exchange',
  side: 'custodian',
  from: 'anchored',
  to: ['sent'],
  gather: async () => undefined,
  decide: () => ({ to: 'sent' }),
  async write(tx, transfer, _decision, ports) {
    const { sealed, released } = custodianData(transfer);
    const expiresMs = Date.parse(transfer.limit) + ports.country.policy.graceSeconds * 1000;
    if (!(await tx.transfers.advance(transfer.transferId, 'anchored', 'sent', { dueAt: instant(expiresMs) }))) return;
    const head = { kind: 'record', transferId: transfer.transferId, from: ports.country.code, to: transfer.partner } as const;
    const messages = outgoing(head, ports.random.uuid(), needed(sealed, 'sealed'), instant(ports.clock.now()), {
      step: needed(released, 'released'),
    });
    for (const message of messages) await tx.outgoing.add(message);
  },
});
