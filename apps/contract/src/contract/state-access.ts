import type { OrgId, Uuid } from '@portolan/contracts';
import { contentKey, keysOf, keyText, type StateKey, type Value, type Values, type Write } from '@portolan/ledger-rules';
import { KeyEndorsementPolicy } from 'fabric-shim';
import type { ChaincodeStub } from 'fabric-shim-api';
import { createHash } from 'node:crypto';
import { manyStates } from './many-states.js';

/** What the contract asks of a peer. */
export type StateStub = Pick<
  ChaincodeStub,
  'getState' | 'putState' | 'setStateValidationParameter' | 'getPrivateDataHash' | 'putPrivateData' | 'getChannelID' | 'getTxID'
>;

/** The collection that Fabric lets nobody write without a peer of this organisation endorsing. */
export const collectionOf = (owner: OrgId): string => `_implicit_org_${owner}`;

/** Marks an act's id as used, in its caller's own collection: nobody else can use it up. */
export const markerOf = (owner: OrgId, id: Uuid): StateKey => ({ space: 'owned', owner, key: `tx/${id}` });

/**
 * What is committed under `keys`; nothing is read that no rule named. Owners' entries first: their hash says where the public bytes are, and
 * without one these are as if nobody had written them (ledger-rules, findRecord), so they are not asked for. That nobody writes one meanwhile,
 * the read of the owner's entry sees to.
 */
export async function readAll(stub: StateStub, keys: readonly StateKey[]): Promise<Values> {
  const owned = keys.filter((key) => key.space === 'owned');
  const hashes = await Promise.all(owned.map(({ owner, key }) => stub.getPrivateDataHash(collectionOf(owner), key)));
  const values = new Map<string, Value>();
  const places = new Map<string, string>();
  owned.forEach((key, i) => {
    const hash = Buffer.from(hashes[i] ?? []).toString('hex');
    if (hash === '') return;
    values.set(keyText(key), { hash });
    const [{ key: name }] = keysOf(key);
    places.set(name, contentKey(name, hash));
  });
  const open = keys.filter((key) => key.space === 'public' && places.has(key.key));
  const states = await manyStates(
    stub,
    open.map(({ key }) => places.get(key) ?? key),
  );
  open.forEach((key, i) => {
    const bytes = states[i] ?? new Uint8Array();
    if (bytes.length > 0) values.set(keyText(key), { bytes });
  });
  return values;
}

/**
 * Writes in the order in which they were decided. A public key takes the organisation `guard` as its endorsement policy, so that others, once
 * it is written, cannot take its bytes away; a first write no key's policy can guard (design, section 5), the owner's entry does. The key ends
 * with the hash of its bytes, so nobody can take it beforehand.
 */
export async function writeAll(stub: StateStub, writes: readonly Write[], guard: OrgId | undefined): Promise<void> {
  for (const { key, bytes } of writes) {
    if (key.space === 'public') {
      const place = contentKey(key.key, createHash('sha256').update(bytes).digest('hex'));
      await stub.putState(place, bytes);
      if (guard !== undefined) await stub.setStateValidationParameter(place, policyOf(guard));
    } else await stub.putPrivateData(collectionOf(key.owner), key.key, bytes);
  }
}

function policyOf(org: OrgId): Uint8Array {
  const policy = new KeyEndorsementPolicy();
  policy.addOrgs('PEER', org);
  return policy.getPolicy();
}
