import { isIP } from 'node:net';
import { PortolanError, type Kid, type PublicJwk } from '@portolan/contracts';
import { jwkThumbprint, type CertificateRequest } from '@portolan/domain';
import { sha256 } from './certificate.js';
import { crypto, ECDSA_P256, importPrivate, importPublic, importSpki, pemText, x509 } from './platform.js';
import { hostNames, subjectName } from './profiles.js';

const MAX_REQUEST_CHARS = 16_384;
const MAX_HOSTS = 50;
const WHERE = 'certificate signing request';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const EXTENDED_KEY_USAGES: readonly unknown[] = [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth];
const AUTHORITY_USAGES = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
/** One label of a DNS name (RFC 1123, section 2.1). No wildcards: a country's hosts are few and known. */
const LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
/** Extensions that a request may ask for; what becomes of them is the profile's matter and not the request's. */
const KNOWN: readonly string[] = ['2.5.29.14', '2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.37'];

/** A certificate signing request (RFC 2986) for a key pair of ours, as PEM; without a name where that is left to whoever issues. */
export async function createRequest(
  commonName: string,
  pair: { privateKeyPem: string; publicJwk: PublicJwk },
  hosts: readonly string[] = [],
): Promise<string> {
  const keys = { privateKey: await importPrivate(pair.privateKeyPem), publicKey: await importPublic(pair.publicJwk) };
  const name = commonName === '' ? [] : subjectName(undefined, commonName);
  const extensions = hosts.length === 0 ? [] : [hostNames(hosts)];
  return pemText(await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, extensions, signingAlgorithm: ECDSA_P256 }, crypto));
}

/** The P-256 key that a request asks to certify, its signature checked. Throws `x509.request-invalid`. */
export async function readRequest(pem: string): Promise<{ publicJwk: PublicJwk; kid: Kid }> {
  try {
    return await provenKey(parse(pem));
  } catch {
    throw invalid();
  }
}

/**
 * All that a request asks for, judged: CertificateAuthorities.readRequest. Throws `x509.request-invalid`, and `x509.request-refused` with
 * the rule that it breaks, never with what it says.
 */
export async function judgeRequest(pem: string): Promise<CertificateRequest> {
  const request = attempt(() => parse(pem));
  refuse(!attempt(() => isP256(request)), 'its key is not ECDSA P-256');
  const key = await provenKey(request).catch(() => {
    throw invalid('its signature does not hold');
  });
  return { ...key, ...attempt(() => judged(request)) };
}

function parse(pem: string): x509.Pkcs10CertificateRequest {
  if (pem.length > MAX_REQUEST_CHARS) throw new RangeError('too long');
  const [request, ...more] = x509.PemConverter.decodeWithHeaders(pem);
  if (request === undefined || more.length > 0 || !/REQUEST$/.test(request.type)) throw new RangeError('one request is expected');
  return new x509.Pkcs10CertificateRequest(request.rawData);
}

async function provenKey(request: x509.Pkcs10CertificateRequest): Promise<{ publicJwk: PublicJwk; kid: Kid }> {
  if (!(await request.verify(crypto))) throw new RangeError('signature does not hold');
  const { kty, crv, x, y } = (await crypto.subtle.exportKey('jwk', await importSpki(request.publicKey))) as PublicJwk;
  const publicJwk = { kty, crv, x, y };
  return { publicJwk, kid: jwkThumbprint(publicJwk, sha256) };
}

function isP256({ publicKey }: x509.Pkcs10CertificateRequest): boolean {
  const { name, namedCurve } = publicKey.algorithm as { name?: string; namedCurve?: string };
  return (name === 'ECDSA' || name === 'ECDH') && namedCurve === 'P-256';
}

function judged(request: x509.Pkcs10CertificateRequest): { commonName: string | undefined; hosts: readonly string[] } {
  const { attributes, extensions } = request;
  refuse(attributes.filter(({ type }) => type === EXTENSION_REQUEST).length > 1, 'it asks for extensions twice');
  refuse(new Set(extensions.map(({ type }) => type)).size < extensions.length, 'it asks for one extension twice');
  refuse(
    extensions.some(({ type }) => !KNOWN.includes(type)),
    'it asks for an extension that no certificate of ours has',
  );
  for (const extension of extensions) judgeExtension(extension);
  const names = request.subjectName.getField('CN');
  refuse(names.length > 1, 'it bears several common names');
  refuse(
    names.some((name) => !isPlain(name)),
    'its common name is none',
  );
  return { commonName: names[0], hosts: hostsOf(extensions) };
}

function judgeExtension(extension: x509.Extension): void {
  if (extension instanceof x509.BasicConstraintsExtension) refuse(extension.ca, 'it asks to be an authority');
  if (extension instanceof x509.KeyUsagesExtension) refuse((extension.usages & AUTHORITY_USAGES) !== 0, 'it asks to be an authority');
  if (extension instanceof x509.ExtendedKeyUsageExtension)
    refuse(
      extension.usages.some((usage) => !EXTENDED_KEY_USAGES.includes(usage)),
      'it asks for a use that is not TLS',
    );
}

function hostsOf(extensions: readonly x509.Extension[]): readonly string[] {
  const names = extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  refuse(names.length > MAX_HOSTS, `it names more than ${MAX_HOSTS} hosts`);
  refuse(
    names.some(({ type, value }) => !(type === 'ip' ? isIP(value) !== 0 : type === 'dns' && isHost(value))),
    'a host of it is none',
  );
  return names.map(({ value }) => value);
}

/** Whether a text is a DNS name or an IP address, as a certificate of ours may bear it. */
export const isHost = (text: string): boolean =>
  isIP(text) !== 0 || (text.length <= 253 && text.split('.').every((label) => LABEL.test(label)));

const isPlain = (text: string): boolean => text.length > 0 && text.length <= 64 && !/\p{C}/u.test(text);

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    // What the parser says could quote the input.
    throw error instanceof PortolanError ? error : invalid();
  }
}

const invalid = (detail?: string): PortolanError => new PortolanError('x509.request-invalid', WHERE, detail);

function refuse(condition: boolean, rule: string): void {
  if (condition) throw new PortolanError('x509.request-refused', WHERE, rule);
}
