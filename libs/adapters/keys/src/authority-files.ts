import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBounded, PortolanError, type CountryCode } from '@portolan/contracts';
import type { CertificateAuthorities, CertificateAuthority, ExternalKey, OwnKey, SigningKeys, Validity } from '@portolan/domain';
import { RegisteredAuthority } from './authority/registered-authority.js';
import { AuthorityRegister } from './authority/register.js';
import { orMissing, privateFolder, refuseOpenSecret, writePrivately } from './files.js';

/** A token in which an authority's key is made and stays. */
export type TokenKeys = SigningKeys & { generate(use: 'sign', validity: Validity): Promise<OwnKey> };

/** Opens the authority `name` of a folder, or makes it. The certificate is written last. */
export async function ensureAuthority(
  folder: string,
  name: string,
  authorities: CertificateAuthorities,
  subject: { country: CountryCode | undefined; commonName: string },
  validity: Validity,
  token?: TokenKeys,
): Promise<RegisteredAuthority> {
  const existing = await openAuthority(folder, name, authorities, token);
  if (existing !== undefined) return existing;
  if (token !== undefined) return makeInToken(folder, name, authorities, subject, validity, token);
  const made = await authorities.create(subject, validity);
  await privateFolder(folder);
  await writePrivately(keyPath(folder, name), made.privateKeyPem);
  await writePrivately(certificatePath(folder, name), made.certificatePem);
  return registered(await authorities.open(made), folder, name);
}

/** Undefined where the folder does not hold it. Throws `keys.too-open`, `x509.certificate-invalid`, `keys.token-unavailable`. */
export async function openAuthority(
  folder: string,
  name: string,
  authorities: CertificateAuthorities,
  token?: TokenKeys,
): Promise<RegisteredAuthority | undefined> {
  const certificatePem = await readAuthorityPem(folder, name);
  if (certificatePem === undefined) return undefined;
  const kid = await readTokenKid(folder, name);
  if (kid !== undefined) return registered(await authorities.openWith(certificatePem, await keyInToken(kid, token, name)), folder, name);
  await refuseOpenSecret(keyPath(folder, name), `authority ${name}`);
  const privateKeyPem = await readFile(keyPath(folder, name), 'utf8');
  return registered(await authorities.open({ certificatePem, privateKeyPem }), folder, name);
}

/** The certificate is written last, and names the key by what was written before: a run after a crash makes another key. */
async function makeInToken(
  folder: string,
  name: string,
  authorities: CertificateAuthorities,
  subject: { country: CountryCode | undefined; commonName: string },
  validity: Validity,
  token: TokenKeys,
): Promise<RegisteredAuthority> {
  const { kid } = await token.generate('sign', validity);
  const key = await keyInToken(kid, token, name);
  const certificatePem = await authorities.createWith(subject, key, validity);
  await privateFolder(folder);
  await writePrivately(tokenPath(folder, name), `${JSON.stringify({ v: 1, kid })}\n`);
  await writePrivately(certificatePath(folder, name), certificatePem);
  return registered(await authorities.openWith(certificatePem, key), folder, name);
}

async function readTokenKid(folder: string, name: string): Promise<string | undefined> {
  const text = await orMissing(readFile(tokenPath(folder, name), 'utf8'));
  if (text === undefined) return undefined;
  const value = parseBounded(text, 1_000, 'keys.file-invalid', `authority ${name}`) as { kid?: unknown } | null;
  if (typeof value?.kid !== 'string') throw new PortolanError('keys.file-invalid', `authority ${name}`);
  return value.kid;
}

async function keyInToken(kid: string, token: TokenKeys | undefined, name: string): Promise<ExternalKey> {
  if (token === undefined)
    throw new PortolanError('keys.token-unavailable', `authority ${name}`, 'its key is in a token: name it by --pkcs11 FILE');
  const key = (await token.list('sign')).find((one) => one.kid === kid);
  if (key === undefined) throw new PortolanError('keys.unknown', kid, 'another token, or the key was destroyed');
  return { publicJwk: key.publicJwk, sign: (bytes) => token.sign(kid, bytes) };
}

const tokenPath = (folder: string, name: string): string => join(folder, `${name}.token.json`);

function registered(authority: CertificateAuthority, folder: string, name: string): RegisteredAuthority {
  return new RegisteredAuthority(authority, new AuthorityRegister(folder, name));
}

const keyPath = (folder: string, name: string): string => join(folder, `${name}.key.pem`);
/** The certificate of an authority; undefined where the folder does not hold it. */
export const readAuthorityPem = (folder: string, name: string): Promise<string | undefined> =>
  orMissing(readFile(certificatePath(folder, name), 'utf8'));

const certificatePath = (folder: string, name: string): string => join(folder, `${name}.certificate.pem`);
