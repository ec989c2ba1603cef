import { PortolanError, type Kid, type OrgId, type PublicJwk } from '@portolan/contracts';
import {
  CertificateAuthorities,
  CertificateAuthority,
  partnerCommonName,
  type AuthorityMaterial,
  type CertificateRequest,
  type ExternalKey,
  type PartnerName,
  type RevokedCertificate,
  type ServerName,
  type Validity,
} from '@portolan/domain';
import { readCertificate } from './certificate.js';
import {
  crypto,
  cryptoOf,
  ECDSA_P256,
  exportPrivate,
  importPrivate,
  importPublic,
  importSpki,
  pemText,
  x509,
  type Key,
  type Signing,
} from './platform.js';
import { isSurelyLowS, memberExtensions, memberName, type ChannelMember } from './channel-member.js';
import { authorityExtensions, authorityKeyId, endExtensions, partnerExtensions, serverExtensions, subjectName } from './profiles.js';
import { createRequest, judgeRequest, readRequest } from './request.js';
import { crlNumber, reasonOf } from './revocation.js';

/** X.509 authorities with ECDSA P-256 keys. */
export class X509Authorities extends CertificateAuthorities {
  async create(name: AuthorityName, validity: Validity): Promise<AuthorityMaterial> {
    const keys = await crypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']);
    return { certificatePem: await selfSigned(name, keys, validity, crypto), privateKeyPem: await exportPrivate(keys.privateKey) };
  }

  async createWith(name: AuthorityName, key: ExternalKey, validity: Validity): Promise<string> {
    const publicKey = await importPublic(key.publicJwk);
    // The library wants a key to hand to the signer; ours asks the token, whichever it is given.
    return selfSigned(name, { publicKey, privateKey: publicKey }, validity, cryptoOf(key));
  }

  async openWith(certificatePem: string, key: ExternalKey): Promise<X509Authority> {
    const certificate = authorityCertificate(certificatePem);
    const publicKey = await importPublic(key.publicJwk);
    return this.opened(certificate, publicKey, cryptoOf(key));
  }

  async open(material: AuthorityMaterial): Promise<X509Authority> {
    const certificate = authorityCertificate(material.certificatePem);
    const key = await importPrivate(material.privateKeyPem).catch(() => {
      throw notAuthority('its private key cannot be read');
    });
    return this.opened(certificate, key, crypto);
  }

  private async opened(certificate: x509.X509Certificate, key: Key, signing: Signing): Promise<X509Authority> {
    if (!(await belongTogether(certificate, key, signing))) throw notAuthority('the private key is another one');
    return new X509Authority(certificate, key, signing);
  }

  readRequest(requestPem: string): Promise<CertificateRequest> {
    return judgeRequest(requestPem);
  }

  request(name: ServerName, pair: { privateKeyPem: string; publicJwk: PublicJwk }): Promise<string> {
    return createRequest(name.commonName, pair, name.hosts);
  }
}

/** One authority, opened with its key. */
export class X509Authority extends CertificateAuthority {
  readonly certificatePem: string;

  constructor(
    private readonly certificate: x509.X509Certificate,
    private readonly key: Key,
    private readonly signing: Signing = crypto,
  ) {
    super();
    this.certificatePem = pemText(certificate);
  }

  async issueServer(name: ServerName, key: PublicJwk, validity: Validity): Promise<string> {
    const publicKey = await importPublic(key);
    return this.issue(name.commonName, publicKey, await serverExtensions(publicKey, this.certificate, name.hosts), validity);
  }

  async issuePartner(partner: { org: OrgId; kid: Kid; publicJwk: PublicJwk }, validity: Validity): Promise<string> {
    const publicKey = await importPublic(partner.publicJwk);
    return this.issue(checkedCommonName(partner), publicKey, await partnerExtensions(publicKey, this.certificate), validity);
  }

  /**
   * The same from a certificate signing request (RFC 2986), which proves that the partner holds the key. Whatever name the request
   * asks for, the certificate bears `partner`'s. Throws `x509.request-invalid` where the request's key is not `partner`'s.
   */
  async issuePartnerFromRequest(requestPem: string, partner: PartnerName, validity: Validity): Promise<string> {
    const { publicJwk, kid } = await readRequest(requestPem);
    if (kid !== partner.kid) throw new PortolanError('x509.request-invalid', 'certificate signing request', 'not for the registered key');
    return this.issuePartner({ ...partner, publicJwk }, validity);
  }

  /** For an identity of the organisation on a Fabric channel: its kind in OU (NodeOUs), its role in Fabric's attribute extension. */
  async issueMember(member: ChannelMember, key: PublicJwk, validity: Validity): Promise<string> {
    const publicKey = await importPublic(key);
    const extensions = memberExtensions(member, await endExtensions(publicKey, this.certificate));
    for (;;) {
      const certificate = await this.generate(memberName(member), publicKey, extensions, validity);
      if (isSurelyLowS(certificate.signature)) return pemText(certificate);
    }
  }

  async issueRevocations(
    revoked: readonly RevokedCertificate[],
    validity: Validity,
    number = Date.parse(validity.notBefore),
  ): Promise<string> {
    const { notBefore, notAfter } = dates(validity);
    const list = await x509.X509CrlGenerator.create(
      {
        issuer: this.certificate.subjectName.toJSON(),
        thisUpdate: notBefore,
        nextUpdate: notAfter,
        entries: revoked.map(({ serial, at, reason }) => ({
          serialNumber: serial,
          revocationDate: new Date(at),
          ...(reason === undefined || reason === 'unspecified' ? {} : { reason: reasonOf[reason] }),
        })),
        extensions: [await authorityKeyId(this.certificate), crlNumber(number)],
        signingAlgorithm: ECDSA_P256,
        signingKey: this.key,
      },
      this.signing,
    );
    // RFC 7468, section 6: the library's own label is one that OpenSSL does not know.
    return `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n`;
  }

  private async issue(commonName: string, publicKey: Key, extensions: x509.Extension[], validity: Validity): Promise<string> {
    return pemText(await this.generate(subjectName(undefined, commonName), publicKey, extensions, validity));
  }

  private generate(
    subject: x509.JsonName,
    publicKey: Key,
    extensions: x509.Extension[],
    validity: Validity,
  ): Promise<x509.X509Certificate> {
    return x509.X509CertificateGenerator.create(
      {
        subject,
        issuer: this.certificate.subjectName.toJSON(),
        publicKey,
        signingKey: this.key,
        signingAlgorithm: ECDSA_P256,
        extensions,
        ...dates(validity),
      },
      this.signing,
    );
  }
}

type AuthorityName = Parameters<CertificateAuthorities['create']>[0];

async function selfSigned(
  name: AuthorityName,
  keys: { publicKey: Key; privateKey: Key },
  validity: Validity,
  signing: Signing,
): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: subjectName(name.country, name.commonName),
      keys,
      signingAlgorithm: ECDSA_P256,
      extensions: await authorityExtensions(keys.publicKey),
      ...dates(validity),
    },
    signing,
  );
  return pemText(certificate);
}

function authorityCertificate(pem: string): x509.X509Certificate {
  const certificate = readCertificate(pem, 'authority');
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== true) throw notAuthority('it may not issue certificates');
  return certificate;
}

const notAuthority = (detail: string): PortolanError => new PortolanError('x509.certificate-invalid', 'authority', detail);

const dates = (validity: Validity): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(validity.notBefore),
  notAfter: new Date(validity.notAfter),
});

async function belongTogether(certificate: x509.X509Certificate, key: Key, signing: Signing): Promise<boolean> {
  const probe = new TextEncoder().encode('one pair');
  const signature = await signing.subtle.sign(ECDSA_P256, key, probe);
  return crypto.subtle.verify(ECDSA_P256, await importSpki(certificate.publicKey), signature, probe);
}

function checkedCommonName(partner: PartnerName): string {
  try {
    return partnerCommonName(partner);
  } catch {
    throw new PortolanError('x509.name-invalid', 'partner certificate');
  }
}
