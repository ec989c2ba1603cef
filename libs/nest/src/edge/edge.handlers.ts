import type { PermitOpening } from '@portolan/contracts';
import {
  ensurePersonId,
  ensureTransferId,
  ensureViewId,
  instant,
  post,
  type Checkpoint,
  type EdgeTx,
  type RoleMessages,
  type View,
} from '@portolan/domain';
import type { Handlers } from '../link/deliveries.js';
import type { EdgeParts } from './edge.parts.js';
import { viewProvenance, viewResources } from './view-content.js';

type Tools = Pick<EdgeParts, 'clock' | 'random' | 'wakeups'>;

/** What the edge does when the exchange tells it something: keeps and destroys views, answers waiting clients, tells the person. */
export function edgeHandlers(tools: Tools, checkpoint: Checkpoint): Handlers<EdgeTx> {
  return {
    'view.store': (tx, body) => storeView(tx, body, tools, checkpoint),
    'view.destroy': (tx, { permitId, reason }) => destroyViews(tx, permitId, reason, tools),
    'view.amend': async (tx, { transferId }) => {
      const view = await tx.views.byTransfer(ensureTransferId(transferId));
      if (view?.state === 'open') await tx.views.mark(view.id, 'amended');
    },
    'transfer.outcome': async (tx, { transferId, outcome, code }) => {
      const to = outcome === 'certain-match' ? 'matched' : outcome;
      const transfer = await tx.transfers.get(ensureTransferId(transferId));
      const told = { ...(transfer?.data as object | undefined), outcome, ...(code === undefined ? {} : { code }) };
      await tx.transfers.advance(ensureTransferId(transferId), 'asked', to, told);
    },
    'feed.entry': async (tx, { person, entry, eventId }) => {
      const id = ensurePersonId(person);
      await tx.feed.append({ id: eventId, person: id, at: entry.at, keyId: await tx.keys.forPerson(id), body: entry });
    },
    'proposal.arrived': async (tx, body, id) => {
      const keyId = await tx.keys.forPerson(body.person);
      await tx.proposals.put({ id, person: body.person, state: 'open', keyId, body, at: instant(tools.clock.now()) });
    },
  };
}

/** Row 9c: the edge keeps the view with its provenance, under a key of its own, and says so to the exchange. */
async function storeView(tx: EdgeTx, body: RoleMessages['view.store'], tools: Tools, checkpoint: Checkpoint): Promise<void> {
  const transferId = ensureTransferId(body.transferId);
  const transfer = await tx.transfers.get(transferId);
  if (transfer === undefined) return;
  const { patientHandle } = transfer.data as { patientHandle: string };
  const keyId = await tx.keys.create();
  const { custodian, permitId, purpose, caseId, openedFor, until } = body;
  const view: View = {
    id: ensureViewId(body.viewId),
    transferId,
    permitId,
    custodian,
    purpose,
    caseId,
    openedFor,
    patientHandle,
    until,
    keyId,
    state: 'open',
  };
  const shown = viewResources(body.record, body.viewId, patientHandle);
  await tx.views.put(view, [...shown, viewProvenance(view, shown, instant(tools.clock.now()))]);
  const opening = JSON.parse(body.opening) as PermitOpening;
  await tx.transfers.advance(transferId, 'asked', 'viewed', {
    ...(transfer.data as object),
    viewId: view.id,
    permitId,
    until,
    categories: opening.categories,
  });
  await post(tx, {
    id: tools.random.uuid(),
    type: 'view.stored',
    key: transferId,
    keyId: await tx.keys.create(),
    body: { transferId, viewId: view.id },
  });
  checkpoint.reach('view', 'before');
}

/** The permit ended: the view's key is destroyed with its rows, and the exchange attests it to the custodian. */
export async function destroyViews(tx: EdgeTx, permitId: string, reason: string, tools: Tools): Promise<void> {
  for (const view of (await tx.views.byPermit(permitId)).filter(({ state }) => state !== 'destroyed')) {
    const items = (await tx.views.resources(view.id))
      .filter(({ type }) => type !== 'Bundle' && type !== 'Provenance')
      .map(({ type, id }) => ({ type, id, change: 'destroyed' as const }));
    await tx.views.destroy(view.id);
    await tx.transfers.advance(view.transferId, 'viewed', 'ended', { reason });
    const body = { transferId: view.transferId, permitId, kind: 'destroyed', reason, items: items.slice(0, 500) } as const;
    await post(tx, { id: tools.random.uuid(), type: 'view.notice', key: view.transferId, keyId: await tx.keys.create(), body });
  }
}
