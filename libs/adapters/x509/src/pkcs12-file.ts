import { createPrivateKey, X509Certificate } from 'node:crypto';
import * as asn1js from 'asn1js';
import {
  Attribute,
  AuthenticatedSafe,
  CertBag,
  Certificate,
  ContentInfo,
  EncryptedContentInfo,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  SafeBag,
  SafeContents,
} from 'pkijs';
import { PortolanError } from '@portolan/contracts';
import { BoundedEngine, refused } from './pkcs12-engine.js';
import { exportLegacyPkcs12, importPkcs12, type KeyWithChain } from './pkcs12.js';

/*
 * PKCS#12 (RFC 7292) as software of today writes it: PBES2 with PBKDF2 and AES, and a SHA-2 MAC; keys RSA or EC. pkijs does the format,
 * Node's WebCrypto the cryptography, OpenSSL through node:crypto reads and compares keys.
 */
const MAX_FILE_BYTES = 1_000_000;
const MAX_PARTS = 20;
const MAX_BAGS = 50;
/** OWASP's advice for PBKDF2-HMAC-SHA256. The MAC protects nothing that the encryption does not. */
const ROUNDS = { pbkdf2: 600_000, mac: 10_000 };
const OIDS = {
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  localKeyId: '1.2.840.113549.1.9.21',
  sha1: '1.3.14.3.2.26',
};
const AES256 = { name: 'AES-CBC', length: 256 } as const;

export interface Pkcs12Options {
  /** Also files made by algorithms of before 2015 (3DES, RC2, SHA-1), with RSA keys: they protect little. */
  readonly legacy?: boolean;
}

/**
 * Reads a PKCS#12 file with one RSA or EC key. Throws `x509.pkcs12-unreadable` (not whole, or another passphrase), `x509.pkcs12-refused`
 * (algorithms, or what it would cost to open it).
 */
export async function openPkcs12(file: Uint8Array, passphrase: string, { legacy = false }: Pkcs12Options = {}): Promise<KeyWithChain> {
  if (file.length > MAX_FILE_BYTES) throw unreadable();
  try {
    return await opened(file, passphrase);
  } catch (error) {
    if (!(error instanceof PortolanError)) throw unreadable();
    // What it would cost is judged there, too.
    if (legacy && error.code === 'x509.pkcs12-refused') return importPkcs12(file, passphrase);
    throw error;
  }
}

async function opened(file: Uint8Array, passphrase: string): Promise<KeyWithChain> {
  const engine = new BoundedEngine();
  const password = new TextEncoder().encode(passphrase).buffer;
  const pfx = PFX.fromBER(exact(file));
  if (pfx.authSafe.contentType !== ContentInfo.DATA || pfx.macData === undefined) throw refused('it is not protected by a passphrase');
  if (pfx.macData.mac.digestAlgorithm.algorithmId === OIDS.sha1) throw refused('its MAC is by SHA-1');
  await pfx.parseInternalValues({ password }, engine);
  const safe = pfx.parsedValue?.authenticatedSafe;
  if (safe === undefined || safe.safeContents.length > MAX_PARTS) throw refused('it has too many parts');
  await safe.parseInternalValues({ safeContents: safe.safeContents.map(() => ({ password })) }, engine);
  const parts = (safe.parsedValue as { safeContents: { value: SafeContents }[] }).safeContents;
  const bags = parts.flatMap(({ value }) => value.safeBags);
  if (bags.length > MAX_BAGS) throw refused('it holds too much');
  return contentOf(await keysOf(bags, password, engine), certificatesOf(bags));
}

async function keysOf(bags: readonly SafeBag[], password: ArrayBuffer, engine: BoundedEngine): Promise<readonly string[]> {
  const pems: string[] = [];
  for (const { bagId, bagValue } of bags) {
    if (bagId === OIDS.keyBag) pems.push(pemOfKey(bagValue.toSchema().toBER(false)));
    if (bagId !== OIDS.shroudedKeyBag || !(bagValue instanceof PKCS8ShroudedKeyBag)) continue;
    const { encryptionAlgorithm: contentEncryptionAlgorithm, encryptedData } = bagValue;
    const encryptedContentInfo = new EncryptedContentInfo({ contentEncryptionAlgorithm, encryptedContent: encryptedData });
    pems.push(pemOfKey(await engine.decryptEncryptedContentInfo({ password, encryptedContentInfo })));
  }
  return pems;
}

function certificatesOf(bags: readonly SafeBag[]): readonly string[] {
  return bags.flatMap(({ bagId, bagValue }) => {
    if (bagId !== OIDS.certBag || !(bagValue instanceof CertBag) || bagValue.certId !== OIDS.x509Certificate) return [];
    const certificate: unknown = bagValue.parsedValue;
    return certificate instanceof Certificate ? [new X509Certificate(Buffer.from(certificate.toSchema().toBER(false))).toString()] : [];
  });
}

function contentOf(keys: readonly string[], certificates: readonly string[]): KeyWithChain {
  const [privateKeyPem] = keys;
  if (keys.length !== 1 || privateKeyPem === undefined) throw refused('one key is expected');
  const key = createPrivateKey(privateKeyPem);
  const own = certificates.find((pem) => new X509Certificate(pem).checkPrivateKey(key));
  if (own === undefined) throw refused('it holds no certificate of its key');
  return { privateKeyPem, certificatePem: own, chainPems: certificates.filter((pem) => pem !== own) };
}

/** PKCS#8, read by OpenSSL: what it does not know as a key is none. */
const pemOfKey = (der: ArrayBuffer): string =>
  createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();

/**
 * Writes an RSA or EC key with its certificates: PBES2, AES-256-CBC, PBKDF2-HMAC-SHA256, SHA-256 MAC. `legacy` writes RSA keys by 3DES with a
 * SHA-1 MAC. Throws `x509.pkcs12-unreadable` where key and certificates cannot be read, `x509.pkcs12-refused` for a short passphrase.
 */
export async function writePkcs12(content: KeyWithChain, passphrase: string, { legacy = false }: Pkcs12Options = {}): Promise<Uint8Array> {
  if (passphrase.length < MIN_PASSPHRASE_CHARS) throw refused(`a passphrase of at least ${MIN_PASSPHRASE_CHARS} characters is wanted`);
  if (legacy) return exportLegacyPkcs12(content, passphrase);
  try {
    return await written(content, passphrase);
  } catch {
    throw new PortolanError('x509.pkcs12-unreadable', 'PKCS#12 content', 'key or certificates cannot be read');
  }
}

const MIN_PASSPHRASE_CHARS = 8;

async function written({ privateKeyPem, certificatePem, chainPems }: KeyWithChain, passphrase: string): Promise<Uint8Array> {
  const engine = new BoundedEngine();
  const password = new TextEncoder().encode(passphrase).buffer;
  const sealing = { password, contentEncryptionAlgorithm: AES256, hmacHashAlgorithm: 'SHA-256', iterationCount: ROUNDS.pbkdf2 };
  const own = new X509Certificate(certificatePem);
  const keyId = new Uint8Array(await engine.digest('SHA-256', new Uint8Array(own.raw)));
  const pkcs8 = createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'der' });
  const keyBag = new PKCS8ShroudedKeyBag({ parsedValue: PrivateKeyInfo.fromBER(exact(pkcs8)) });
  await keyBag.makeInternalValues(sealing, engine);
  const chain = chainPems.map((pem) => new X509Certificate(pem).raw);
  const certBags = [own.raw, ...chain].map((der, i) => certBagOf(der, i === 0 ? keyId : undefined));
  const keys = new SafeContents({
    safeBags: [new SafeBag({ bagId: OIDS.shroudedKeyBag, bagValue: keyBag, bagAttributes: [keyIdOf(keyId)] })],
  });
  const safe = new AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        { privacyMode: 0, value: keys },
        { privacyMode: 1, value: new SafeContents({ safeBags: certBags }) },
      ],
    },
  });
  await safe.makeInternalValues({ safeContents: [{}, sealing] }, engine);
  const pfx = new PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } });
  await pfx.makeInternalValues({ password, iterations: ROUNDS.mac, pbkdf2HashAlgorithm: 'SHA-256', hmacHashAlgorithm: 'SHA-256' }, engine);
  return new Uint8Array(pfx.toSchema().toBER(false));
}

function certBagOf(der: Uint8Array, keyId: Uint8Array | undefined): SafeBag {
  const bagValue = new CertBag({ parsedValue: Certificate.fromBER(exact(der)) });
  return new SafeBag({ bagId: OIDS.certBag, bagValue, ...(keyId === undefined ? {} : { bagAttributes: [keyIdOf(keyId)] }) });
}

/** Binds a certificate to its key (PKCS#9 localKeyId), as importers expect. */
const keyIdOf = (keyId: Uint8Array): Attribute =>
  new Attribute({ type: OIDS.localKeyId, values: [new asn1js.OctetString({ valueHex: exact(keyId) })] });

/** The bytes in a buffer of their own: parsers take whole buffers. */
const exact = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

const unreadable = (): PortolanError => new PortolanError('x509.pkcs12-unreadable', 'PKCS#12 file');
