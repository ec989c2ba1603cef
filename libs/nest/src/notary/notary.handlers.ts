import type { NotaryTx } from '@portolan/domain';
import type { Handlers } from '../link/deliveries.js';

/** What the notary does when the edge or the exchange hands it something for the channel: it queues what ties to their stored decision. */
export const notaryHandlers: Handlers<NotaryTx> = {
  'act.anchor': (tx, { fn, args }, id) => tx.acts.add(id, fn, args),
  'step.anchor': async (tx, { transferId, step, act, leaf, after }) => {
    await tx.steps.add({ transferId, step, act, leaf, evidence: after });
  },
  'log.append': (tx, { eventId, leafHash }) => tx.log.enqueue(eventId, leafHash),
};
