import { PortolanError } from '@portolan/contracts';
import { post, type EdgeTx, type PersonId, type Random, type ResourceVersion } from '@portolan/domain';

/** An entry of a person that has a new version. */
export interface Superseded {
  readonly person: PersonId;
  readonly type: string;
  readonly id: string;
  readonly reason: string;
}

/** Lets the exchange tell every receiver of the entry that there is a newer version of it (design, invariant 9). */
export async function tellReceivers(tx: EdgeTx, { person, type, id, reason }: Superseded, random: Random): Promise<void> {
  const body = { person, type, id, change: 'superseded', reason } as const;
  await post(tx, { id: random.uuid(), type: 'resource.changed', key: `${type}/${id}`, keyId: await tx.keys.forPerson(person), body });
}

/** A version was made of the one that was read, and of none that somebody filed meanwhile; else `store.conflict`, and nothing is filed. */
export function demandNext(read: ResourceVersion, versionId: number, changed: boolean): void {
  if (versionId !== read.versionId + (changed ? 1 : 0)) throw new PortolanError('store.conflict', `${read.type} resource`);
}
