import { createHash, X509Certificate } from 'node:crypto';
import type { Instant, Kid, OrgId, PublicJwk } from '@portolan/contracts';
import {
  CertificateAuthority,
  instant,
  jwkThumbprint,
  type Clock,
  type RevokedCertificate,
  type ServerName,
  type Validity,
} from '@portolan/domain';
import type { IssuedEntry, RegisterEntry } from './register.js';

/** An authority that writes down what it issues before anybody is given it. */
export class RegisteredAuthority extends CertificateAuthority {
  readonly certificatePem: string;

  constructor(
    private readonly authority: CertificateAuthority,
    private readonly register: { append(entry: RegisterEntry): Promise<void> },
    private readonly clock: Pick<Clock, 'now'> = Date,
  ) {
    super();
    this.certificatePem = authority.certificatePem;
  }

  /** The same authority, writing into a register whose lock the caller holds. */
  within(register: { append(entry: RegisterEntry): Promise<void> }): RegisteredAuthority {
    return new RegisteredAuthority(this.authority, register, this.clock);
  }

  async issueServer(name: ServerName, key: PublicJwk, validity: Validity): Promise<string> {
    return this.registered('server', await this.authority.issueServer(name, key, validity));
  }

  async issuePartner(partner: { org: OrgId; kid: Kid; publicJwk: PublicJwk }, validity: Validity): Promise<string> {
    return this.registered('partner', await this.authority.issuePartner(partner, validity));
  }

  issueRevocations(revoked: readonly RevokedCertificate[], validity: Validity, number?: number): Promise<string> {
    return this.authority.issueRevocations(revoked, validity, number);
  }

  private async registered(purpose: 'server' | 'partner', certificatePem: string): Promise<string> {
    await this.register.append(issuedEntry(purpose, certificatePem, instant(this.clock.now())));
    return certificatePem;
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());

/** What a register holds of a certificate of ours. */
export function issuedEntry(purpose: 'server' | 'partner', certificatePem: string, at: Instant): IssuedEntry {
  const certificate = new X509Certificate(certificatePem);
  const [, commonName = ''] = /^CN=(.*)$/m.exec(certificate.subject) ?? [];
  return {
    act: 'issued',
    at,
    purpose,
    serial: certificate.serialNumber.toLowerCase(),
    commonName,
    kid: kidOf(certificate),
    notBefore: instant(certificate.validFromDate.getTime()),
    notAfter: instant(certificate.validToDate.getTime()),
    certificatePem,
  };
}

/** Empty where the key is not ECDSA P-256: such a certificate is another authority's. */
const kidOf = (certificate: X509Certificate): Kid =>
  certificate.publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? jwkThumbprint(publicJwkOf(certificate), sha256) : '';

/** The P-256 key of a certificate of ours. */
export const publicJwkOf = (certificate: X509Certificate): PublicJwk => {
  const { kty, crv, x, y } = certificate.publicKey.export({ format: 'jwk' }) as PublicJwk;
  return { kty, crv, x, y };
};

/** Hosts that a certificate bears beside those of the machine itself. */
export function hostsOf(certificate: X509Certificate): readonly string[] {
  const names = (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''));
  return names.filter((name) => name !== '' && name !== 'localhost' && name !== '127.0.0.1');
}
