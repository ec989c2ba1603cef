import forge from 'node-forge';
import { PortolanError } from '@portolan/contracts';
import { refuseCostly } from './pkcs12-cost.js';

const MAX_FILE_BYTES = 1_000_000;
const { oids } = forge.pki;

/** A key with its certificates, as PEM. The key is PKCS#8. */
export interface KeyWithChain {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  readonly chainPems: readonly string[];
}

/**
 * Reads a PKCS#12 file (RFC 7292) with one RSA key, also by old algorithms; `openPkcs12` reads what is made today, EC keys too.
 * Throws `x509.pkcs12-unreadable`, `x509.pkcs12-refused` where opening it would cost too much.
 */
export function importPkcs12(file: Uint8Array, passphrase: string): KeyWithChain {
  try {
    if (file.length > MAX_FILE_BYTES) throw new RangeError('too large');
    const asn1 = forge.asn1.fromDer(forge.util.createBuffer(Buffer.from(file).toString('binary')));
    refuseCostly(asn1, passphrase);
    return contentOf(forge.pkcs12.pkcs12FromAsn1(asn1, passphrase));
  } catch (error) {
    if (error instanceof PortolanError) throw error;
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

/** Writes an RSA key with its certificates as PKCS#12, encrypted with AES-256 under the passphrase; its MAC is by SHA-1. */
export function exportPkcs12(content: KeyWithChain, passphrase: string): Uint8Array {
  return written(content, passphrase, { algorithm: 'aes256', count: 100_000 });
}

/** The same by 3DES, for software that reads nothing else. */
export function exportLegacyPkcs12(content: KeyWithChain, passphrase: string): Uint8Array {
  return written(content, passphrase, { algorithm: '3des', count: 2048 });
}

function written(content: KeyWithChain, passphrase: string, options: { algorithm: '3des' | 'aes256'; count: number }): Uint8Array {
  try {
    const key = forge.pki.privateKeyFromPem(content.privateKeyPem);
    const certificates = [content.certificatePem, ...content.chainPems].map((pem) => forge.pki.certificateFromPem(pem));
    const asn1 = forge.pkcs12.toPkcs12Asn1(key, certificates, passphrase, options);
    return new Uint8Array(Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary'));
  } catch {
    throw new PortolanError('x509.pkcs12-unreadable', 'PKCS#12 content', 'only RSA keys and their certificates are written');
  }
}
