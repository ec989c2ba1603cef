import { X509Certificate } from 'node:crypto';
import { PortolanError, type PinnedEndorser } from '@portolan/contracts';

/**
 * What a trust file pins of a peer: its certificate as its endorsements carry it, and the public key out of it. Refuses with `x509.certificate-invalid`
 * a certificate that is none, or is not of ECDSA P-256, the only keys that endorse here.
 *
 * The text is kept as it is: a peer sends the PEM block that its own file has.
 */
export function pinnedEndorser(cert: string): PinnedEndorser {
  const { publicKey, validFromDate, validToDate } = certificateIn(cert);
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined)
    throw new PortolanError('x509.certificate-invalid', 'endorser');
  return { cert, jwk: { kty, crv, x, y }, notBefore: validFromDate.toISOString(), notAfter: validToDate.toISOString() };
}

function certificateIn(cert: string): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch {
    throw new PortolanError('x509.certificate-invalid', 'endorser');
  }
}
