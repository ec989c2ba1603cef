import forge from 'node-forge';
import { PortolanError, type Instant } from '@portolan/contracts';
import type { RevocationReason } from '@portolan/domain';
import { readCertificate } from './certificate.js';
import { crypto, x509 } from './platform.js';

const MAX_LIST_CHARS = 4_000_000;
const CRL_NUMBER = '2.5.29.20';

export interface RevocationList {
  readonly thisUpdate: Instant;
  readonly nextUpdate: Instant | undefined;
  /** Undefined where the list has none. */
  readonly number: number | undefined;
  /** Serial numbers, hexadecimal, lower case. */
  readonly serials: ReadonlySet<string>;
}

/** A certificate revocation list whose signature is the authority's. Throws `x509.certificate-invalid`, `x509.chain-broken`. */
export async function readRevocations(pem: string, authorityPem: string): Promise<RevocationList> {
  const authority = readCertificate(authorityPem, 'authority');
  const list = parseList(pem);
  const signed = list.issuer === authority.subject && (await list.verify({ publicKey: authority }, crypto));
  if (!signed) throw new PortolanError('x509.chain-broken', 'revocation list', 'not signed by the authority');
  return {
    thisUpdate: list.thisUpdate.toISOString(),
    nextUpdate: list.nextUpdate?.toISOString(),
    number: numberOf(list),
    serials: new Set(list.entries.map((entry) => entry.serialNumber.toLowerCase())),
  };
}

function parseList(pem: string): x509.X509Crl {
  try {
    if (pem.length <= MAX_LIST_CHARS) return new x509.X509Crl(x509.PemConverter.decodeFirst(pem));
  } catch {
    // falls through: what the parser says could quote the input
  }
  throw new PortolanError('x509.certificate-invalid', 'revocation list');
}

/** The list's number (RFC 5280, section 5.2.3). */
export function crlNumber(number: number): x509.Extension {
  const hex = number.toString(16);
  const positive = forge.util.hexToBytes(hex.length % 2 === 0 ? `00${hex}` : `0${hex}`);
  const { asn1 } = forge;
  const integer = asn1.toDer(asn1.create(asn1.Class.UNIVERSAL, asn1.Type.INTEGER, false, positive)).getBytes();
  return new x509.Extension(CRL_NUMBER, false, Buffer.from(integer, 'binary'));
}

/** The reason of an entry as the library names it. */
export const reasonOf: Readonly<Record<RevocationReason, x509.X509CrlReason>> = {
  unspecified: x509.X509CrlReason.unspecified,
  keyCompromise: x509.X509CrlReason.keyCompromise,
  affiliationChanged: x509.X509CrlReason.affiliationChanged,
  superseded: x509.X509CrlReason.superseded,
  cessationOfOperation: x509.X509CrlReason.cessationOfOperation,
};

function numberOf(list: x509.X509Crl): number | undefined {
  const extension = list.getExtension(CRL_NUMBER);
  if (extension === null) return undefined;
  // The DER of a short INTEGER: tag, length, bytes.
  const number = Number(`0x${Buffer.from(extension.value).subarray(2).toString('hex')}`);
  return Number.isSafeInteger(number) ? number : undefined;
}
