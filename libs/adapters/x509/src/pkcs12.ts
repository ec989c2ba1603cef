import forge from 'node-forge';
import { PortolanError } from '@portolan/contracts';

const MAX_FILE_BYTES = 1_000_000;
const { oids } = forge.pki;

/** A key with its certificates, as PEM. The key is PKCS#8. */
export interface KeyWithChain {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  readonly chainPems: readonly string[];
}

/**
 * Reads a PKCS#12 file (RFC 7292) with one RSA key: what national authorities hand out for TLS. EC keys are kept as PEM.
 * Throws `x509.pkcs12-unreadable`.
 */
export function importPkcs12(file: Uint8Array, passphrase: string): KeyWithChain {
  try {
    if (file.length > MAX_FILE_BYTES) throw new RangeError('too large');
    const asn1 = forge.asn1.fromDer(forge.util.createBuffer(Buffer.from(file).toString('binary')));
    return contentOf(forge.pkcs12.pkcs12FromAsn1(asn1, passphrase));
  } catch {
    throw new PortolanError('x509.pkcs12-unreadable', 'PKCS#12 file');
  }
}

function contentOf(store: forge.pkcs12.Pkcs12Pfx): KeyWithChain {
  const keys = [oids['pkcs8ShroudedKeyBag'], oids['keyBag']].flatMap((bagType) => bagsOf(store, bagType)).map((bag) => bag.key);
  const [key] = keys;
  if (keys.length !== 1 || key == null) throw new RangeError('one RSA key is expected');
  const certificates = bagsOf(store, oids['certBag']).flatMap((bag) => bag.cert ?? []);
  const own = certificates.find((certificate) => (certificate.publicKey as forge.pki.rsa.PublicKey).n.equals(key.n));
  if (own === undefined) throw new RangeError('no certificate of the key');
  const pkcs8 = forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key));
  return {
    privateKeyPem: forge.pki.privateKeyInfoToPem(pkcs8),
    certificatePem: forge.pki.certificateToPem(own),
    chainPems: certificates.filter((one) => one !== own).map((one) => forge.pki.certificateToPem(one)),
  };
}

function bagsOf(store: forge.pkcs12.Pkcs12Pfx, bagType: string | undefined): readonly forge.pkcs12.Bag[] {
  return bagType === undefined ? [] : (store.getBags({ bagType })[bagType] ?? []);
}

/** Writes an RSA key with its certificates as PKCS#12, encrypted with AES-256 under the passphrase. */
export function exportPkcs12(content: KeyWithChain, passphrase: string): Uint8Array {
  try {
    const key = forge.pki.privateKeyFromPem(content.privateKeyPem);
    const certificates = [content.certificatePem, ...content.chainPems].map((pem) => forge.pki.certificateFromPem(pem));
    const asn1 = forge.pkcs12.toPkcs12Asn1(key, certificates, passphrase, { algorithm: 'aes256', count: 100_000 });
    return new Uint8Array(Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary'));
  } catch {
    throw new PortolanError('x509.pkcs12-unreadable', 'PKCS#12 content', 'only RSA keys and their certificates are written');
  }
}
