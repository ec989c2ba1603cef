import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CountryCode } from '@portolan/contracts';
import type { CertificateAuthorities, CertificateAuthority, Validity } from '@portolan/domain';
import { RegisteredAuthority } from './authority/registered-authority.js';
import { AuthorityRegister } from './authority/register.js';
import { orMissing, privateFolder, refuseOpenSecret, writePrivately } from './files.js';

/** Opens the authority `name` of a folder, or makes it. The certificate is written last. */
export async function ensureAuthority(
  folder: string,
  name: string,
  authorities: CertificateAuthorities,
  subject: { country: CountryCode | undefined; commonName: string },
  validity: Validity,
): Promise<RegisteredAuthority> {
  const existing = await openAuthority(folder, name, authorities);
  if (existing !== undefined) return existing;
  const made = await authorities.create(subject, validity);
  await privateFolder(folder);
  await writePrivately(keyPath(folder, name), made.privateKeyPem);
  await writePrivately(certificatePath(folder, name), made.certificatePem);
  return registered(await authorities.open(made), folder, name);
}

/** Undefined where the folder does not hold it. Throws `keys.too-open`, `x509.certificate-invalid`. */
export async function openAuthority(
  folder: string,
  name: string,
  authorities: CertificateAuthorities,
): Promise<RegisteredAuthority | undefined> {
  const certificatePem = await readAuthorityPem(folder, name);
  if (certificatePem === undefined) return undefined;
  await refuseOpenSecret(keyPath(folder, name), `authority ${name}`);
  const privateKeyPem = await readFile(keyPath(folder, name), 'utf8');
  return registered(await authorities.open({ certificatePem, privateKeyPem }), folder, name);
}

function registered(authority: CertificateAuthority, folder: string, name: string): RegisteredAuthority {
  return new RegisteredAuthority(authority, new AuthorityRegister(folder, name));
}

const keyPath = (folder: string, name: string): string => join(folder, `${name}.key.pem`);
/** The certificate of an authority; undefined where the folder does not hold it. */
export const readAuthorityPem = (folder: string, name: string): Promise<string | undefined> =>
  orMissing(readFile(certificatePath(folder, name), 'utf8'));

const certificatePath = (folder: string, name: string): string => join(folder, `${name}.certificate.pem`);
