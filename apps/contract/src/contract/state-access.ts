import type { OrgId, Uuid } from '@portolan/contracts';
import { keyText, type StateKey, type Value, type Values, type Write } from '@portolan/ledger-rules';
import { KeyEndorsementPolicy } from 'fabric-shim';
import type { ChaincodeStub } from 'fabric-shim-api';

/** What the contract asks of a peer. */
export type StateStub = Pick<
  ChaincodeStub,
  'getState' | 'putState' | 'setStateValidationParameter' | 'getPrivateDataHash' | 'putPrivateData'
>;

/** The collection that Fabric lets nobody write without a peer of this organisation endorsing. */
export const collectionOf = (owner: OrgId): string => `_implicit_org_${owner}`;

/** Marks an act's id as used, in its caller's own collection: nobody else can use it up. */
export const markerOf = (owner: OrgId, id: Uuid): StateKey => ({ space: 'owned', owner, key: `tx/${id}` });

/** What is committed under `keys`. The shim asks the peer one after the other; nothing is read that no rule named. */
export async function readAll(stub: StateStub, keys: readonly StateKey[]): Promise<Values> {
  const found = await Promise.all(keys.map((key) => readOne(stub, key)));
  return new Map(keys.flatMap((key, i): [string, Value][] => (found[i] === undefined ? [] : [[keyText(key), found[i]]])));
}

/**
 * Writes in the order in which they were decided. A public key takes the organisation `guard` as its endorsement policy, so that others, once
 * it is written, cannot take its bytes away; a first write no key's policy can guard (design, section 5), the owner's entry does.
 */
export async function writeAll(stub: StateStub, writes: readonly Write[], guard: OrgId | undefined): Promise<void> {
  for (const { key, bytes } of writes) {
    if (key.space === 'public') {
      await stub.putState(key.key, bytes);
      if (guard !== undefined) await stub.setStateValidationParameter(key.key, policyOf(guard));
    } else await stub.putPrivateData(collectionOf(key.owner), key.key, bytes);
  }
}

function policyOf(org: OrgId): Uint8Array {
  const policy = new KeyEndorsementPolicy();
  policy.addOrgs('PEER', org);
  return policy.getPolicy();
}

/** The peer answers with no bytes where nothing is. */
async function readOne(stub: StateStub, key: StateKey): Promise<Value | undefined> {
  if (key.space === 'public') {
    const bytes = await stub.getState(key.key);
    return bytes.length === 0 ? undefined : { bytes };
  }
  const hash = await stub.getPrivateDataHash(collectionOf(key.owner), key.key);
  return hash.length === 0 ? undefined : { hash: Buffer.from(hash).toString('hex') };
}
