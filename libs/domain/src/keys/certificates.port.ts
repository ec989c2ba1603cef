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

/** A key that an authority signs with and cannot be handed over, such as one in a token. */
export interface ExternalKey {
  readonly publicJwk: PublicJwk;
  /** r ‖ s over exactly these bytes, ECDSA P-256 with SHA-256. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export interface ServerName {
  readonly commonName: string;
  /** DNS names and IP addresses beside `localhost` and `127.0.0.1`. */
  readonly hosts: readonly string[];
}

/** What a certificate signing request (RFC 2986) asks for, once it was judged: its signature is by the key that it names. */
export interface CertificateRequest {
  readonly publicJwk: PublicJwk;
  readonly kid: Kid;
  readonly commonName: string | undefined;
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
}

/** Why a certificate was revoked (RFC 5280, section 5.3.1). After `keyCompromise` its key is believed nowhere. */
export const revocationReasons = ['unspecified', 'keyCompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation'] as const;
export type RevocationReason = (typeof revocationReasons)[number];

export interface RevokedCertificate {
  /** Hexadecimal, lower case. */
  readonly serial: string;
  readonly at: Instant;
  readonly reason?: RevocationReason;
}

/** Issues X.509 certificates (RFC 5280) in an organisation's own name; ECDSA P-256 with SHA-256. Answers are PEM. */
export abstract class CertificateAuthority {
  abstract readonly certificatePem: string;
  /** For one end of TLS inside a country or an inbox's door: serverAuth and clientAuth, for a public key of the caller. */
  abstract issueServer(name: ServerName, key: PublicJwk, validity: Validity): Promise<string>;
  /** For the TLS key that a partner registered: clientAuth only, `CN=<org>-<kid>`. Throws `x509.name-invalid`. */
  abstract issuePartner(partner: { org: OrgId; kid: Kid; publicJwk: PublicJwk }, validity: Validity): Promise<string>;
  /** Certificate revocation list; `number` must be higher than that of each list before (section 5.2.3), the time in ms where absent. */
  abstract issueRevocations(revoked: readonly RevokedCertificate[], validity: Validity, number?: number): Promise<string>;
}

/** Makes and opens authorities. */
export abstract class CertificateAuthorities {
  abstract create(name: { country: CountryCode | undefined; commonName: string }, validity: Validity): Promise<AuthorityMaterial>;
  /** Throws `x509.certificate-invalid` where certificate and key are no authority. */
  abstract open(material: AuthorityMaterial): Promise<CertificateAuthority>;
  /** The same with a key that stays where it is. Answers with the certificate. */
  abstract createWith(
    name: { country: CountryCode | undefined; commonName: string },
    key: ExternalKey,
    validity: Validity,
  ): Promise<string>;
  /** Throws as `open`. */
  abstract openWith(certificatePem: string, key: ExternalKey): Promise<CertificateAuthority>;
  /**
   * Judges a request before anything is issued: size, one request and nothing else, proof of possession, ECDSA P-256, names that could stand
   * in a certificate, and no wish to be an authority. Throws `x509.request-invalid`, `x509.request-refused`.
   */
  abstract readRequest(requestPem: string): Promise<CertificateRequest>;
  /** A request for a key pair of ours. */
  abstract request(name: ServerName, pair: { privateKeyPem: string; publicJwk: PublicJwk }): Promise<string>;
}
