import type { X509Certificate } from 'node:crypto';
import { PortolanError } from '@portolan/contracts';
import { describeCertificate, opensslCertificate, type CertificateSummary } from './certificate.js';
import type { RevocationList } from './revocation.js';

const EXTENDED_KEY_USAGE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

export interface ChainCheck {
  /** Milliseconds since the Unix epoch at which all of the chain must be valid. */
  readonly at: number;
  readonly purpose?: keyof typeof EXTENDED_KEY_USAGE;
  readonly revocations?: RevocationList;
  /** Authorities between the certificate and the trusted one, nearest first. */
  readonly intermediatePems?: readonly string[];
}

/**
 * Verifies that a certificate was issued by the trusted authority (RFC 5280, section 6, by OpenSSL's checks) and answers with its
 * summary. Throws `x509.chain-broken`, `x509.expired`, `x509.revoked`, `x509.certificate-invalid`.
 */
export function verifyChain(certificatePem: string, authorityPem: string, check: ChainCheck): CertificateSummary {
  const path = [certificatePem, ...(check.intermediatePems ?? []), authorityPem].map((pem) => opensslCertificate(pem, 'chain'));
  path.forEach((certificate, i) => {
    const issuer = path[i + 1] ?? certificate;
    if (!wasIssuedBy(certificate, issuer)) throw new PortolanError('x509.chain-broken', `certificate ${i + 1} of ${path.length}`);
    if (!isValidAt(certificate, check.at)) throw new PortolanError('x509.expired', `certificate ${i + 1} of ${path.length}`);
  });
  const summary = describeCertificate(certificatePem);
  const leaf = path[0];
  if (check.purpose !== undefined && leaf?.keyUsage.includes(EXTENDED_KEY_USAGE[check.purpose]) !== true) {
    throw new PortolanError('x509.chain-broken', 'certificate 1', `not for a ${check.purpose}`);
  }
  if (check.revocations?.serials.has(summary.serial) === true) throw new PortolanError('x509.revoked', `serial ${summary.serial}`);
  return summary;
}

function wasIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isValidAt(certificate: X509Certificate, at: number): boolean {
  return certificate.validFromDate.getTime() <= at && at < certificate.validToDate.getTime();
}
