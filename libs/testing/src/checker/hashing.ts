import { createHash, createPublicKey, verify, type JsonWebKey } from 'node:crypto';

/** SHA-256, lower-case hexadecimal. */
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Hash of a leaf (RFC 9162, section 2.1.1). */
export const leafHash = (data: string | Uint8Array): string => createHash('sha256').update(Buffer.of(0)).update(data).digest('hex');

/** Hash of an inner node over its two children, hexadecimal. */
export const nodeHash = (left: string, right: string): string =>
  createHash('sha256').update(Buffer.of(1)).update(Buffer.from(left, 'hex')).update(Buffer.from(right, 'hex')).digest('hex');

/** Merkle tree hash over leaf hashes, by the definition of RFC 9162, section 2.1.1: split at the largest power of two below the size. */
export function treeHash(leaves: readonly string[]): string {
  const [first] = leaves;
  if (first === undefined) return sha256('');
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

/** Tree hashes of the beginnings of one list of leaf hashes; complete subtrees are hashed once. */
export class PrefixRoots {
  private readonly complete = new Map<string, string>();

  constructor(private readonly leaves: readonly string[]) {}

  /** Of the first `size` leaves; '' where there are not as many. */
  of(size: number): string {
    if (size > this.leaves.length) return '';
    return size === 0 ? sha256('') : this.hash(0, size);
  }

  private hash(start: number, size: number): string {
    if (size === 1) return this.leaves[start] ?? '';
    const key = `${start}/${size}`;
    const known = this.complete.get(key);
    if (known !== undefined) return known;
    let split = 1;
    while (split * 2 < size) split *= 2;
    const hash = nodeHash(this.hash(start, split), this.hash(start + split, size - split));
    if (split * 2 === size) this.complete.set(key, hash);
    return hash;
  }
}

export interface Jws<Payload> {
  readonly header: { readonly kid: string; readonly typ: string; readonly alg: string };
  readonly payload: Payload;
  /** Whether `key` (a public JWK, P-256) made the signature (ES256, RFC 7518, section 3.4). */
  signedBy(key: JsonWebKey): boolean;
}

/** A compact JWS taken apart (RFC 7515, section 7.1). */
export function readJws<Payload>(text: string): Jws<Payload> {
  const [header = '', payload = '', signature = ''] = text.split('.');
  const parse = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  return {
    header: parse(header) as Jws<Payload>['header'],
    payload: parse(payload) as Payload,
    signedBy(key) {
      const publicKey = createPublicKey({ key, format: 'jwk' });
      return verify(
        'sha256',
        Buffer.from(`${header}.${payload}`),
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      );
    },
  };
}
