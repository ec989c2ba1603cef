import { verify, X509Certificate, type JsonWebKey } from 'node:crypto';
import { sha256 } from '../hashing.js';
import { Message } from './wire.js';

/** What a transaction writes: public keys with their values, and hashes of keys and values in a collection. */
export interface Writes {
  readonly open: readonly { readonly key: string; readonly value: Buffer }[];
  readonly owned: readonly { readonly collection: string; readonly keyHash: string; readonly valueHash: string }[];
}

/** Who signed: an organisation, by a certificate. */
export interface Signer {
  readonly org: string;
  /** The certificate's public key, as a JWK, and whether the signature verifies under it. Computed when asked. */
  readonly proof: () => { readonly jwk: JsonWebKey; readonly signed: boolean };
}

/** A call of a chaincode, as an envelope of a block holds it. */
export interface Call {
  readonly txId: string;
  /** Instant of the channel header. */
  readonly time: string;
  readonly chaincode: string;
  readonly args: readonly string[];
  readonly answer: string;
  readonly writes: Writes;
  readonly creator: Signer;
  readonly endorsers: readonly Signer[];
}

const ENDORSER_TRANSACTION = 3;

/** Undefined for what calls no chaincode: configuration, and what is malformed. Field numbers are those of fabric-protos. */
export function callIn(bytes: Buffer): Call | undefined {
  try {
    return readCall(bytes);
  } catch {
    return undefined;
  }
}

function readCall(bytes: Buffer): Call | undefined {
  const envelope = new Message(bytes);
  const payload = envelope.in(1);
  const header = payload.in(1, 1);
  if (header.number(1) !== ENDORSER_TRANSACTION) return undefined;
  const creator = payload.in(1, 2).bytes(1);
  const action = payload.in(2, 1, 2);
  const spec = action.in(1, 1, 1);
  const endorsed = action.in(2);
  const response = endorsed.bytes(1);
  const result = new Message(response).in(2);
  return {
    txId: header.text(5),
    time: instantOf(header.in(3)),
    chaincode: spec.in(2).text(2),
    args: spec
      .in(3)
      .all(1)
      .map((arg) => arg.toString('utf8')),
    answer: result.in(3).text(3),
    writes: writesOf(result.bytes(1), spec.in(2).text(2)),
    creator: signerOf(creator, envelope.bytes(1), envelope.bytes(2)),
    endorsers: endorsed.all(2).map((one) => {
      const endorsement = new Message(one);
      const identity = endorsement.bytes(1);
      return signerOf(identity, Buffer.concat([response, identity]), endorsement.bytes(2));
    }),
  };
}

const instantOf = (time: Message): string => new Date(time.number(1) * 1000 + Math.floor(time.number(2) / 1_000_000)).toISOString();

function signerOf(identity: Buffer, text: Buffer, signature: Buffer): Signer {
  const read = new Message(identity);
  return {
    org: read.text(1),
    proof: () => {
      const { publicKey } = new X509Certificate(read.bytes(2));
      return { jwk: publicKey.export({ format: 'jwk' }), signed: verify('sha256', text, publicKey, signature) };
    },
  };
}

/** Writes of one chaincode: KVRWSet, and HashedRWSet of each collection. */
function writesOf(results: Buffer, chaincode: string): Writes {
  const own = new Message(results)
    .all(2)
    .map((one) => new Message(one))
    .filter((one) => one.text(1) === chaincode);
  const open = own.flatMap((one) => one.in(2).all(3)).map((one) => new Message(one));
  return {
    open: open.map((one) => ({ key: one.text(1), value: one.number(2) === 1 ? Buffer.alloc(0) : one.bytes(3) })),
    owned: own.flatMap((one) => one.all(3).flatMap((set) => ownedWrites(new Message(set)))),
  };
}

const ownedWrites = (set: Message): Writes['owned'][number][] =>
  set
    .in(2)
    .all(2)
    .map((one) => new Message(one))
    .map((one) => ({ collection: set.text(1), keyHash: one.bytes(1).toString('hex'), valueHash: one.bytes(3).toString('hex') }));

/** A public key taken apart: whose value, under which name, with which hash. */
export function partsOf(publicKey: string): { owner: string; name: string; hash: string } {
  const [owner = '', ...rest] = publicKey.split('/');
  const hash = rest.pop() ?? '';
  return { owner, name: rest.join('/'), hash };
}

/** Whether all that a call wrote is its caller's own word: its marker, and each public value, stand in the caller's own collection. */
export function isOwnWord({ args: [, id = ''], creator: { org }, writes }: Call): boolean {
  const own = new Map(writes.owned.map(({ keyHash, valueHash }) => [keyHash, valueHash]));
  const spoken = writes.open.every(({ key, value }) => {
    const { owner, name, hash } = partsOf(key);
    return owner === org && hash === sha256(value) && own.get(sha256(name)) === hash;
  });
  const inOwn = writes.owned.every(({ collection }) => collection === `_implicit_org_${org}`);
  return spoken && inOwn && writes.open.length > 0 && own.has(sha256(`tx/${id}`));
}
