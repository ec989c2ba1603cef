import {
  canonicalJson,
  parseBounded,
  PortolanError,
  type BlockAttestation,
  type BlockHeader,
  type CounterReceipt,
  type LedgerTransaction,
  type PublicJwk,
  type Validators,
} from '@portolan/contracts';
import { base64url, bytesOfBase64url } from '../bytes/base64url.js';
import { hexOf, textOf, utf8, type Sha256 } from '../bytes/bytes.js';

/** What a signed thing of this house is; stands in its `typ`, so that one kind never passes as another. */
export type JwsKind = 'transaction' | 'block-header' | 'attestation' | 'counter-receipt' | 'envelope' | 'request' | 'answer' | 'notice';

export interface JwsHeader {
  readonly alg: 'ES256';
  /** RFC 7638 thumbprint of the signing key. */
  readonly kid: string;
  readonly typ: string;
}

export interface DecodedJws {
  readonly header: JwsHeader;
  /** The exact payload text. */
  readonly payload: string;
  /** What was signed: `header.payload` as it stands (RFC 7515, section 5.1). */
  readonly signingInput: Uint8Array<ArrayBuffer>;
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** The part of WebCrypto's SubtleCrypto that verifies; `globalThis.crypto.subtle` fits, in Node and in a browser. */
export interface SubtleVerifier {
  importKey(
    format: 'jwk',
    key: PublicJwk,
    algorithm: { name: 'ECDSA'; namedCurve: 'P-256' },
    extractable: boolean,
    usages: ['verify'],
  ): Promise<object>;
  verify(
    algorithm: { name: 'ECDSA'; hash: 'SHA-256' },
    key: object,
    signature: Uint8Array<ArrayBuffer>,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}

const longest = 4_000_000;

/**
 * Takes a compact JWS (RFC 7515) apart without verifying it, to learn its kid. Strict: the header has exactly alg, kid
 * and typ, and all three parts are strict base64url. `verify.jws-malformed` or `verify.encoding-malformed` otherwise.
 */
export function decodeJws(compact: string): DecodedJws {
  const [head, body, tail, ...rest] = compact.length > longest ? [] : compact.split('.');
  if (head === undefined || body === undefined || tail === undefined || rest.length > 0) throw malformed('parts');
  const signature = bytesOfBase64url(tail);
  if (signature.length !== 64) throw malformed('signature length');
  const header = headerOf(head);
  return { header, payload: textIn(body, 'payload'), signingInput: utf8(`${head}.${body}`), signature };
}

/** Verifies a compact JWS of one kind under one key; `verify.signature-invalid` where it does not fit. */
export async function verifyJws(compact: string, jwk: PublicJwk, subtle: SubtleVerifier, kind: JwsKind): Promise<DecodedJws> {
  const jws = decodeJws(compact);
  if (jws.header.typ !== typOf(kind)) throw malformed('typ');
  if (!(await fits(jws, jwk, subtle))) throw new PortolanError('verify.signature-invalid', kind);
  return jws;
}

async function fits(jws: DecodedJws, jwk: PublicJwk, subtle: SubtleVerifier): Promise<boolean> {
  try {
    const key = await subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
    return await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, jws.signature, jws.signingInput);
  } catch {
    return false; // a point that is not on the curve is a key that verifies nothing
  }
}

/** Payloads of the channel by schema. */
export interface Payloads {
  'ledger-transaction': LedgerTransaction;
  'block-header': BlockHeader;
  'block-attestation': BlockAttestation;
  'counter-receipt': CounterReceipt;
}

/** The payload: canonical JSON (RFC 8785) that fits its schema; `verify.payload-malformed` otherwise. */
export function payloadOf<K extends keyof Payloads>(jws: DecodedJws, schema: K, validators: Validators): Payloads[K] {
  const value = parseCanonical(jws.payload, longest, schema);
  return validators.check<Payloads[K]>(schema, value, 'verify.payload-malformed', schema);
}

/** Parses a text that must be its own canonical form, so that one value has one text. `verify.payload-malformed` otherwise. */
export function parseCanonical(text: string, maxChars: number, where: string): unknown {
  const value = parseBounded(text, maxChars, 'verify.payload-malformed', where);
  if (canonicalOf(value) !== text) throw new PortolanError('verify.payload-malformed', where, 'not RFC 8785 canonical');
  return value;
}

function canonicalOf(value: unknown): string | undefined {
  try {
    return canonicalJson(value);
  } catch {
    return undefined; // lone surrogates have no UTF-8 and so no canonical form
  }
}

/** Signs `payload` (an exact text) with an injected ES256 signer that gives r ‖ s; the compact JWS is the record. */
export async function signJws(
  kind: JwsKind,
  kid: string,
  payload: string,
  sign: (signingInput: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>,
): Promise<string> {
  const header = canonicalJson({ alg: 'ES256', kid, typ: typOf(kind) });
  const signingInput = `${base64url(utf8(header))}.${base64url(utf8(payload))}`;
  return `${signingInput}.${base64url(await sign(utf8(signingInput)))}`;
}

/** RFC 7638 thumbprint of a P-256 key, base64url: the kid of everything it signs. */
export function thumbprint(jwk: PublicJwk, sha256: Sha256): string {
  return base64url(sha256(utf8(canonicalJson({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }))));
}

/** SHA-256 of a compact JWS as it stands, hexadecimal. */
export function jwsHash(compact: string, sha256: Sha256): string {
  return hexOf(sha256(utf8(compact)));
}

const typOf = (kind: JwsKind): string => `portolan-${kind}+jws`;
const malformed = (where: string): PortolanError => new PortolanError('verify.jws-malformed', where);

function headerOf(part: string): JwsHeader {
  const value = parseBounded(textIn(part, 'header'), 512, 'verify.jws-malformed', 'header');
  if (!isHeader(value)) throw malformed('header');
  return value;
}

function isHeader(value: unknown): value is JwsHeader {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 3) return false;
  const { alg, kid, typ } = value as Record<string, unknown>;
  return alg === 'ES256' && typeof kid === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(kid) && typeof typ === 'string';
}

function textIn(part: string, where: string): string {
  try {
    return textOf(bytesOfBase64url(part));
  } catch (error) {
    throw error instanceof PortolanError ? error : malformed(where);
  }
}
