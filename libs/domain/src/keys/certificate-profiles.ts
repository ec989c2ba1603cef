/** What a country's authority certifies: itself, one end of TLS that serves, or a partner that may knock. */
export type CertificatePurpose = 'authority' | 'server' | 'partner';

/** What stands in a certificate of one purpose (RFC 5280, section 4.2), and how long it may hold. */
export interface CertificateProfile {
  readonly isAuthority: boolean;
  /** How many authorities may stand below; for an authority alone. */
  readonly pathLength: number | undefined;
  readonly keyUsage: readonly ('digitalSignature' | 'keyCertSign' | 'cRLSign')[];
  readonly extendedKeyUsage: readonly ('serverAuth' | 'clientAuth')[];
  /** Whether it bears hosts (subjectAltName). A partner's has none: it can never pose as a door. */
  readonly hosts: boolean;
  /** Days for which it holds where nobody says otherwise, and at most. */
  readonly days: { readonly usual: number; readonly most: number };
  /** Days before its end from which it is renewed, and missed where it was not. */
  readonly early: number;
}

/** One row a purpose; `libs/adapters/x509` makes the extensions of it, and the certificate office keeps to its days. */
export const certificateProfiles: Readonly<Record<CertificatePurpose, CertificateProfile>> = {
  authority: {
    isAuthority: true,
    pathLength: 0,
    keyUsage: ['keyCertSign', 'cRLSign'],
    extendedKeyUsage: [],
    hosts: false,
    days: { usual: 3650, most: 7300 },
    early: 400,
  },
  server: {
    isAuthority: false,
    pathLength: undefined,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['serverAuth', 'clientAuth'],
    hosts: true,
    days: { usual: 397, most: 397 },
    early: 30,
  },
  partner: {
    isAuthority: false,
    pathLength: undefined,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['clientAuth'],
    hosts: false,
    days: { usual: 397, most: 397 },
    early: 30,
  },
};
