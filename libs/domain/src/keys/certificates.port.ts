import type { CountryCode, Instant, Kid, OrgId, PublicJwk } from '@portolan/contracts';

export interface Validity {
  readonly notBefore: Instant;
  readonly notAfter: Instant;
}

/** A certification authority as its files hold it. The private key stays with the setup tool; no running process reads it. */
export interface AuthorityMaterial {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly privateKeyPem: string;
}

export interface ServerName {
  readonly commonName: string;
  /** DNS names and IP addresses beside `localhost` and `127.0.0.1`. */
  readonly hosts: readonly string[];
}

/** Issues X.509 certificates (RFC 5280) in an organisation's own name; ECDSA P-256 with SHA-256. Answers are PEM. */
export abstract class CertificateAuthority {
  abstract readonly certificatePem: string;
  /** For one end of TLS inside a country or an inbox's door: serverAuth and clientAuth, for a public key of the caller. */
  abstract issueServer(name: ServerName, key: PublicJwk, validity: Validity): Promise<string>;
  /** For the TLS key that a partner registered: clientAuth only, `CN=<org>-<kid>`. Throws `x509.name-invalid`. */
  abstract issuePartner(partner: { org: OrgId; kid: Kid; publicJwk: PublicJwk }, validity: Validity): Promise<string>;
  /** Certificate revocation list over serial numbers, hexadecimal. */
  abstract issueRevocations(revoked: readonly { serial: string; at: Instant }[], validity: Validity): Promise<string>;
}

/** Makes and opens authorities. */
export abstract class CertificateAuthorities {
  abstract create(name: { country: CountryCode | undefined; commonName: string }, validity: Validity): Promise<AuthorityMaterial>;
  /** Throws `x509.certificate-invalid` where certificate and key are no authority. */
  abstract open(material: AuthorityMaterial): Promise<CertificateAuthority>;
}
