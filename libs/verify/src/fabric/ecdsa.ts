import { PortolanError, type PublicJwk } from '@portolan/contracts';
import { concat, hexOf } from '../bytes/bytes.js';
import type { SubtleVerifier } from '../jws/jws.js';

const integer = 0x02;
const sequence = 0x30;
/** Half of the order of P-256 (FIPS 186-5, SP 800-186 section 3.2.1.3), rounded down. */
const halfOrder = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;

/**
 * r ‖ s, 64 bytes, of an ECDSA P-256 signature in DER (RFC 3279 section 2.2.3), as WebCrypto wants it. Strict, and with the low one of the
 * two s alone, as Fabric demands of its signers: so a signature has one form. `verify.ecdsa-malformed` otherwise.
 */
export function rawSignature(der: Uint8Array): Uint8Array<ArrayBuffer> {
  const rLength = der[3] ?? 0;
  const body = der.length - 2;
  if (der[0] !== sequence || body > 70 || der[1] !== body) throw malformed('sequence');
  const r = integerIn(der.subarray(2, 4 + rLength));
  const s = integerIn(der.subarray(4 + rLength));
  if (BigInt(`0x${hexOf(s)}`) > halfOrder) throw malformed('high s');
  return concat(r, s);
}

/** 32 bytes of a positive DER integer that takes up the whole of `tlv`. */
function integerIn(tlv: Uint8Array): Uint8Array {
  const value = tlv.subarray(2);
  const [first = 0x80, second = 0] = value;
  if (tlv[0] !== integer || tlv[1] !== value.length || first >= 0x80) throw malformed('integer');
  if (first === 0 && second < 0x80) throw malformed('integer'); // zero, or a needless zero before it
  const digits = first === 0 ? value.subarray(1) : value;
  if (digits.length > 32) throw malformed('integer');
  return concat(new Uint8Array(32 - digits.length), digits);
}

/** Whether a DER signature over `signed` fits the key; `verify.ecdsa-malformed` where it is none. */
export async function signatureFits(
  der: Uint8Array,
  signed: Uint8Array<ArrayBuffer>,
  jwk: PublicJwk,
  subtle: SubtleVerifier,
): Promise<boolean> {
  const signature = rawSignature(der);
  try {
    const key = await subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
    return await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, signed);
  } catch {
    return false; // a point that is not on the curve is a key that verifies nothing
  }
}

const malformed = (where: string): PortolanError => new PortolanError('verify.ecdsa-malformed', where);
