import type { Uuid } from '@portolan/contracts';
import type { PersonId } from '../kernel/ids.js';
import type { Random } from '../kernel/machine.port.js';
import { post } from '../messages/post.js';
import type { FeedBody } from '../messages/role-messages.js';
import type { KeyId, RoleTx } from '../store/role-tx.port.js';
import { auditActs } from './audit-acts.js';
import { auditEvent, type AuditFacts } from './audit-event.js';

/** An audited act before it has an id. */
export type Act = Omit<AuditFacts, 'id' | 'person'>;

/**
 * Writes an audit event's row and queues its leaf for the country's log, and the person's feed entry where she is told; all in the
 * caller's transaction, so that the act does not happen where its row cannot be written (design, invariant 6). `here`: the caller is the
 * edge and writes the feed entry itself.
 */
export async function recordAct(
  tx: RoleTx,
  random: Random,
  act: Act,
  about: { person: PersonId | undefined; keyId: KeyId },
  told: { feed: 'edge' | 'here' } = { feed: 'edge' },
): Promise<Uuid> {
  const id = random.uuid();
  const body = auditEvent({ ...act, id, ...(about.person === undefined ? {} : { person: about.person }) });
  const row = {
    id,
    at: act.recorded,
    type: act.act,
    outcome: act.outcome,
    person: about.person,
    transferId: act.transferId,
    keyId: about.keyId,
    body,
  };
  const { leafHash } = await tx.audit.append(row);
  // A key of its own: the leaf names nobody, and goes into the log also where the person is erased before it got there.
  const leafKey = await tx.keys.create();
  await post(tx, { id: random.uuid(), type: 'log.append', key: id, keyId: leafKey, body: { eventId: id, leafHash } });
  if (told.feed === 'edge' && about.person !== undefined && auditActs[act.act].feed) {
    await post(tx, {
      id: random.uuid(),
      type: 'feed.entry',
      key: id,
      keyId: about.keyId,
      body: { person: about.person, eventId: id, entry: feedBody(act) },
    });
  }
  return id;
}

/** What the person reads of an act. */
export function feedBody(act: Act): FeedBody {
  const { name, role, organisation } = act.actor;
  const optional = {
    reason: act.reason,
    partner: act.partner,
    purpose: act.purpose,
    permitId: act.permitId,
    transferId: act.transferId,
    categories: act.categories,
    late: act.late === undefined ? undefined : true,
  };
  return {
    act: act.act,
    what: auditActs[act.act].what,
    at: act.recorded,
    outcome: act.outcome,
    who: { name, role, organisation: organisation.name },
    country: act.country,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    state: 'recorded',
  };
}
