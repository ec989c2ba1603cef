import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CountryCode } from '@portolan/contracts';
import type { CertificateAuthorities, CertificateAuthority, Validity } from '@portolan/domain';
import { orMissing, privateFolder, refuseOpenSecret, writePrivately } from './files.js';

/** Opens the authority `name` of a folder, or makes it. The certificate is written last. */
export async function ensureAuthority(
  folder: string,
  name: string,
  authorities: CertificateAuthorities,
  subject: { country: CountryCode | undefined; commonName: string },
  validity: Validity,
): Promise<CertificateAuthority> {
  const existing = await openAuthority(folder, name, authorities);
  if (existing !== undefined) return existing;
  const made = await authorities.create(subject, validity);
  await privateFolder(folder);
  await writePrivately(keyPath(folder, name), made.privateKeyPem);
  await writePrivately(certificatePath(folder, name), made.certificatePem);
  return authorities.open(made);
}

/** Undefined where the folder does not hold it. Throws `keys.too-open`, `x509.certificate-invalid`. */
export async function openAuthority(
  folder: string,
  name: string,
  authorities: CertificateAuthorities,
): Promise<CertificateAuthority | undefined> {
  const certificatePem = await orMissing(readFile(certificatePath(folder, name), 'utf8'));
  if (certificatePem === undefined) return undefined;
  await refuseOpenSecret(keyPath(folder, name), `authority ${name}`);
  return authorities.open({ certificatePem, privateKeyPem: await readFile(keyPath(folder, name), 'utf8') });
}

const keyPath = (folder: string, name: string): string => join(folder, `${name}.key.pem`);
const certificatePath = (folder: string, name: string): string => join(folder, `${name}.certificate.pem`);
