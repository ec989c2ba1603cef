import { PortolanError, type Kid, type PublicJwk } from '@portolan/contracts';
import { jwkThumbprint } from '@portolan/domain';
import { sha256 } from './certificate.js';
import { crypto, ECDSA_P256, importPrivate, importPublic, importSpki, pemText, x509 } from './platform.js';
import { subjectName } from './profiles.js';

const MAX_REQUEST_CHARS = 16_384;

/** A certificate signing request (RFC 2986) for a key pair of ours, as PEM. */
export async function createRequest(commonName: string, pair: { privateKeyPem: string; publicJwk: PublicJwk }): Promise<string> {
  const keys = { privateKey: await importPrivate(pair.privateKeyPem), publicKey: await importPublic(pair.publicJwk) };
  const name = subjectName(undefined, commonName);
  return pemText(await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: ECDSA_P256 }, crypto));
}

/** The P-256 key that a request asks to certify, its signature checked. Throws `x509.request-invalid`. */
export async function readRequest(pem: string): Promise<{ publicJwk: PublicJwk; kid: Kid }> {
  try {
    if (pem.length > MAX_REQUEST_CHARS) throw new RangeError('too long');
    const request = new x509.Pkcs10CertificateRequest(x509.PemConverter.decodeFirst(pem));
    if (!(await request.verify(crypto))) throw new RangeError('signature does not hold');
    const { kty, crv, x, y } = (await crypto.subtle.exportKey('jwk', await importSpki(request.publicKey))) as PublicJwk;
    const publicJwk = { kty, crv, x, y };
    return { publicJwk, kid: jwkThumbprint(publicJwk, sha256) };
  } catch {
    throw new PortolanError('x509.request-invalid', 'certificate signing request');
  }
}
