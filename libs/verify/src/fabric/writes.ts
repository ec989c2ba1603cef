import { PortolanError } from '@portolan/contracts';
import { hexOf, utf8, type Sha256 } from '../bytes/bytes.js';
import * as messages from './messages.js';
import { decode, type Message } from './wire.js';

/** What the endorsers saw a transaction read and write. */
export interface WriteSet {
  /** Keys of public state that were there when they were read. */
  readonly read: ReadonlySet<string>;
  readonly written: readonly Written[];
  /** Hashed writes by collection: hexadecimal SHA-256 of a key → that of its value. */
  readonly hashed: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

type Written = Message<typeof messages.publicSet>['writes'][number];
type Namespace = Message<typeof messages.writeSet>['namespaces'][number];

/** The implicit collection that Fabric lets nobody write without a peer of its owner endorsing. */
export const collectionOf = (owner: string): string => `_implicit_org_${owner}`;

/**
 * Public key of a value: the record's name and the hexadecimal SHA-256 of the bytes. Where a record's next key could be told beforehand, two
 * organisations with altered chaincode could write it first, with an endorsement policy of their own, and so keep its owner from ever writing
 * it; the owner's word says the hash, so whoever may read knows the key.
 */
export const contentKey = (publicKey: string, valueHash: string): string => `${publicKey}/${valueHash}`;

/** Hexadecimal SHA-256 of a private key's name, as Fabric writes it down. */
export const keyHash = (key: string, sha256: Sha256): string => hexOf(sha256(utf8(key)));

/**
 * The write set of one chaincode. `verify.protobuf-malformed` where the bytes are none, name a namespace, collection or hashed key twice,
 * delete anything, or write to another namespace than `chaincode`.
 */
export function readWriteSet(results: Uint8Array, chaincode: string): WriteSet {
  const { model, namespaces } = decode(results, messages.writeSet, 'TxReadWriteSet');
  const own = namespaces.filter(({ name }) => name === chaincode);
  const [mine] = own;
  if (model !== 0 || own.length !== 1 || mine === undefined) throw malformed('TxReadWriteSet');
  for (const other of namespaces) if (other !== mine) demandUnwritten(other);
  const { reads, writes } = decode(mine.kept, messages.publicSet, 'KVRWSet');
  if (writes.some(({ isDelete }) => isDelete)) throw malformed('KVWrite.isDelete');
  return {
    read: new Set(reads.flatMap(({ key, version }) => (version === undefined ? [] : [key]))),
    written: writes,
    hashed: once(
      mine.collections.map(({ name, hashed }) => [name, hashesIn(hashed)] as const),
      'CollectionHashedReadWriteSet',
    ),
  };
}

/** Fabric's own namespaces are read for the chaincode's definition. */
function demandUnwritten({ kept, collections }: Namespace): void {
  const sets = collections.map(({ hashed }) => decode(hashed, messages.hashedSet, 'HashedRWSet'));
  const written = [decode(kept, messages.publicSet, 'KVRWSet'), ...sets].some(({ writes }) => writes.length > 0);
  if (written) throw malformed('NsReadWriteSet.namespace');
}

function hashesIn(bytes: Uint8Array): ReadonlyMap<string, string> {
  const { writes } = decode(bytes, messages.hashedSet, 'HashedRWSet');
  if (writes.some(({ isDelete }) => isDelete)) throw malformed('KVWriteHash.isDelete');
  return once(
    writes.map((write) => [hexOf(write.keyHash), hexOf(write.valueHash)] as const),
    'KVWriteHash',
  );
}

function once<V>(entries: readonly (readonly [string, V])[], where: string): ReadonlyMap<string, V> {
  const found = new Map(entries);
  if (found.size !== entries.length) throw malformed(where);
  return found;
}

const malformed = (where: string): PortolanError => new PortolanError('verify.protobuf-malformed', where);
