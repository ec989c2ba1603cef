import { feedBody, recordAct, auditActs, type Act, type EdgeTx, type KeyId, type PersonId, type Random } from '@portolan/domain';

/**
 * Records an act that happens at the edge: audit row, leaf for the log, and the person's feed at once, in the caller's transaction.
 * (The other roles send the feed entry to the edge; here it is its own table.)
 */
export async function recordLocalAct(
  tx: EdgeTx,
  random: Random,
  act: Act,
  about: { person: PersonId | undefined; keyId: KeyId },
): Promise<void> {
  const { person, keyId } = about;
  const tell = person !== undefined && auditActs[act.act].feed;
  const id = await recordAct(tx, random, act, about, { feed: 'here' });
  if (tell) await tx.feed.append({ id, person, at: act.recorded, keyId, body: feedBody(act) });
}
