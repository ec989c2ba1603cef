import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { concat, hexOf, utf8, type Sha256 } from '../bytes/bytes.js';

// Writes endorsed transactions as Fabric's encoders do, for tests and vectors: libs/verify reads them by a decoder of its own, and real ones
// lie beside these among the vectors.

type Value = Uint8Array | string | number | boolean | undefined;

/** A message of fields in order; undefined, zero, false and the empty text are left out, as proto3 does. An empty message within stands. */
export function message(...fields: readonly (readonly [no: number, value: Value])[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [no, value] of fields) {
    if (value === undefined || value === 0 || value === false || value === '') continue;
    if (typeof value === 'number') writer.tag(no, WireType.Varint).uint64(value);
    else if (value === true) writer.tag(no, WireType.Varint).bool(value);
    else writer.tag(no, WireType.LengthDelimited).bytes(typeof value === 'string' ? utf8(value) : value);
  }
  return writer.finish();
}

/** Who signs: an MSP id, a certificate as PEM, and ECDSA P-256 over SHA-256 in DER. */
export interface FabricSigner {
  readonly org: string;
  readonly cert: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export const identityOf = ({ org, cert }: Pick<FabricSigner, 'org' | 'cert'>): Uint8Array => message([1, org], [2, cert]);

export interface WriteSetParts {
  readonly chaincode: string;
  /** Public keys that were read; `found` says whether something stood there. */
  readonly reads: readonly { readonly key: string; readonly found: boolean }[];
  readonly writes: readonly { readonly key: string; readonly value: Uint8Array }[];
  /** Owned records that were written, each into its owner's collection. */
  readonly owned: readonly { readonly owner: string; readonly key: string; readonly value: Uint8Array }[];
  /** More namespaces, encoded. */
  readonly more?: readonly Uint8Array[];
}

/** A TxReadWriteSet with the definition of the chaincode read beside it, as a peer has it. */
export function writeSetOf({ chaincode, reads, writes, owned, more = [] }: WriteSetParts, sha256: Sha256): Uint8Array {
  const version = message([1, 7], [2, 1]);
  const kept = message(
    ...reads.map(({ key, found }) => [1, message([1, key], [2, found ? version : undefined])] as const),
    ...writes.map(({ key, value }) => [3, message([1, key], [3, value])] as const),
  );
  const collections = [...new Set(owned.map(({ owner }) => owner))].map((owner) => {
    const own = owned.filter((one) => one.owner === owner);
    const hashed = message(...own.map(({ key, value }) => [2, message([1, sha256(utf8(key))], [3, sha256(value)])] as const));
    return message([1, `_implicit_org_${owner}`], [2, hashed], [3, sha256(hashed)]);
  });
  const definition = message([1, message([1, `namespaces/fields/${chaincode}/Sequence`], [2, message([1, 4])])]);
  const namespaces = [
    message([1, '_lifecycle'], [2, definition]),
    message([1, chaincode], [2, kept], ...collections.map((one) => [3, one] as const)),
    ...more,
  ];
  return message(...namespaces.map((one) => [2, one] as const));
}

export interface EnvelopeParts {
  readonly channel: string;
  readonly chaincode: string;
  readonly seconds: number;
  readonly nanos?: number;
  readonly nonce: Uint8Array;
  readonly args: readonly string[];
  readonly results: Uint8Array;
  readonly creator: FabricSigner;
  readonly endorsers: readonly FabricSigner[];
  /** What a test wants otherwise than it should be. */
  readonly instead?: Partial<Altered>;
}

/** Parts of a transaction that follow from the others, unless a test says otherwise. */
export interface Altered {
  readonly type: number;
  readonly txId: string;
  readonly epoch: number;
  readonly proposalHash: Uint8Array;
  readonly status: number;
  /** The chaincode that the endorsers ran. */
  readonly ran: string;
  /** Signature header of the action. */
  readonly actionHeader: Uint8Array;
  readonly actions: number;
}

/** A common.Envelope of one endorsed transaction. */
export async function envelopeOf(parts: EnvelopeParts, sha256: Sha256): Promise<Uint8Array> {
  const { creator, nonce, instead = {} } = parts;
  const identity = identityOf(creator);
  const channelHeader = channelHeaderOf(parts, instead.txId ?? hexOf(sha256(concat(nonce, identity))));
  const signatureHeader = message([1, identity], [2, nonce]);
  const proposal = proposalOf(parts);
  const proposalHash = instead.proposalHash ?? sha256(concat(channelHeader, signatureHeader, proposal));
  const response = responseOf(parts, proposalHash);
  const endorsements = await Promise.all(parts.endorsers.map((endorser) => endorsementOf(endorser, response)));
  const endorsed = message([1, response], ...endorsements.map((one) => [2, one] as const));
  const action = message([1, instead.actionHeader ?? signatureHeader], [2, message([1, proposal], [2, endorsed])]);
  const transaction = message(...Array.from({ length: instead.actions ?? 1 }, () => [1, action] as const));
  const payload = message([1, message([1, channelHeader], [2, signatureHeader])], [2, transaction]);
  return message([1, payload], [2, await creator.sign(payload)]);
}

function channelHeaderOf({ channel, chaincode, seconds, nanos, instead = {} }: EnvelopeParts, txId: string): Uint8Array {
  return message(
    [1, instead.type ?? 3],
    [3, message([1, seconds], [2, nanos])],
    [4, channel],
    [5, txId],
    [6, instead.epoch],
    [7, message([2, message([2, chaincode])])],
  );
}

function proposalOf({ chaincode, args }: EnvelopeParts): Uint8Array {
  const input = message(...args.map((arg) => [1, utf8(arg)] as const));
  return message([1, message([1, message([1, 2], [2, message([2, chaincode])], [3, input])])]);
}

function responseOf({ chaincode, results, instead = {} }: EnvelopeParts, proposalHash: Uint8Array): Uint8Array {
  const answer = message([1, instead.status ?? 200], [3, '{}']);
  return message([1, proposalHash], [2, message([1, results], [3, answer], [4, message([2, instead.ran ?? chaincode], [3, '1'])])]);
}

async function endorsementOf(endorser: FabricSigner, response: Uint8Array): Promise<Uint8Array> {
  const identity = identityOf(endorser);
  return message([1, identity], [2, await endorser.sign(concat(response, identity))]);
}
