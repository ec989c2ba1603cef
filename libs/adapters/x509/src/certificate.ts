import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import { PortolanError, type Instant, type Kid, type PublicJwk } from '@portolan/contracts';
import { jwkThumbprint, parsePartnerName, type PartnerName } from '@portolan/domain';
import { x509 } from './platform.js';

const MAX_PEM_CHARS = 65_536;
const DAY_MS = 86_400_000;

/** What doctor, status pages and checks want to know of a certificate. */
export interface CertificateSummary {
  readonly commonName: string;
  readonly issuer: string;
  /** Hexadecimal, lower case. */
  readonly serial: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly isAuthority: boolean;
  /** Thumbprint of its key where that is ECDSA P-256. */
  readonly kid: Kid | undefined;
}

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());

/** One PEM certificate, parsed. Throws `x509.certificate-invalid`. */
export function readCertificate(pem: string, where: string): x509.X509Certificate {
  return parsed(pem, where, () => new x509.X509Certificate(x509.PemConverter.decodeFirst(pem)));
}

/** The same by OpenSSL, for what concerns trust. */
export function opensslCertificate(pem: string, where: string): X509Certificate {
  return parsed(pem, where, () => new X509Certificate(pem));
}

function parsed<T>(pem: string, where: string, parse: () => T): T {
  try {
    if (pem.length <= MAX_PEM_CHARS) return parse();
  } catch {
    // falls through: what the parser says could quote the input
  }
  throw new PortolanError('x509.certificate-invalid', where);
}

/** Throws `x509.certificate-invalid`. */
export function describeCertificate(pem: string, where = 'certificate'): CertificateSummary {
  const certificate = readCertificate(pem, where);
  const openssl = opensslCertificate(pem, where);
  return {
    commonName: onlyCommonName(certificate) ?? '',
    issuer: certificate.issuer,
    serial: certificate.serialNumber.toLowerCase(),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    isAuthority: openssl.ca,
    kid: kidOf(openssl.publicKey),
  };
}

/** Whole days until the certificate ends; negative where it has ended. */
export function daysLeft(pem: string, nowMs: number): number {
  return Math.floor((readCertificate(pem, 'certificate').notAfter.getTime() - nowMs) / DAY_MS);
}

/** Whose partner certificate this is: its one common name, if the key id in it is that of the certificate's own key. */
export function partnerOfCertificate(pem: string): PartnerName | undefined {
  const name = parsePartnerName(onlyCommonName(readCertificate(pem, 'partner certificate')) ?? '');
  return name !== undefined && name.kid === describeCertificate(pem).kid ? name : undefined;
}

function onlyCommonName(certificate: x509.X509Certificate): string | undefined {
  const names = certificate.subjectName.getField('CN');
  return names.length === 1 ? names[0] : undefined;
}

function kidOf(key: KeyObject): Kid | undefined {
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
  return jwkThumbprint(key.export({ format: 'jwk' }) as PublicJwk, sha256);
}
