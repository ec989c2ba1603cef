import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PortolanError, type Kid, type OrgId, type PublicJwk } from '@portolan/contracts';
import { partnerCommonName, type CertificateAuthorities, type Clock, type SigningKeys } from '@portolan/domain';
import { openAuthority } from './authority-files.js';
import type { TlsIdentity } from './country-folders.js';
import type { FileKeyVault } from './file-key-vault.js';
import { orMissing, privateFolder, writePrivately } from './files.js';
import { PROVISION_DAYS, validFor } from './provision.js';

/** What a country hands to a partner it lets in: both parts are public. */
export interface Admission {
  /** The partner's TLS key that it is for. */
  readonly kid: Kid;
  readonly certificatePem: string;
  /** Authority of the door: the partner pins it. */
  readonly authorityPem: string;
}

export interface AdmitConfig {
  /** Folder `authority` of a country or of the orderer's organisation. */
  readonly authorityFolder: string;
  readonly authorities: CertificateAuthorities;
  readonly clock: Clock;
  readonly days?: number;
}

/**
 * For the setup tool: issues a client certificate for the TLS key that a partner registered, and keeps a copy in `issued/`. The same
 * key gets the same certificate again, unless `renew` asks for a new one. Throws `keys.none-live` where the authority was not made.
 */
export async function admitPartner(
  partner: { org: OrgId; kid: Kid; publicJwk: PublicJwk },
  config: AdmitConfig,
  options: { renew?: boolean } = {},
): Promise<Admission> {
  const authority = await openAuthority(config.authorityFolder, 'exchange', config.authorities);
  if (authority === undefined) throw new PortolanError('keys.none-live', 'authority of the door');
  const folder = await privateFolder(join(config.authorityFolder, 'issued'));
  const copy = join(folder, `${partnerCommonName(partner)}.certificate.pem`);
  const earlier = options.renew === true ? undefined : await orMissing(readFile(copy, 'utf8'));
  const certificatePem =
    earlier ?? (await authority.issuePartner(partner, validFor(config.days ?? PROVISION_DAYS.certificate, config.clock)));
  if (earlier === undefined) await writePrivately(copy, certificatePem);
  return { kid: partner.kid, certificatePem, authorityPem: authority.certificatePem };
}

/** Stores what a partner, or the orderer's organisation, issued for us (`CountryFolders.partner`, `.orderer`). */
export async function storeAdmission(folder: string, admission: Admission): Promise<void> {
  await privateFolder(folder);
  await writePrivately(join(folder, 'authority.pem'), admission.authorityPem);
  await writePrivately(join(folder, `${admission.kid}.certificate.pem`), admission.certificatePem);
}

/**
 * The TLS identity towards a partner: the youngest of our TLS keys that the partner has issued a certificate for, so that a key can be
 * changed at one partner after the other. Undefined where there is none.
 */
export function findPartnerIdentity(folder: string, vault: FileKeyVault): Promise<(TlsIdentity & { kid: Kid }) | undefined> {
  return findIdentity(folder, vault, 'tls');
}

/**
 * The notary's identity on a Fabric channel (`CountryFolders.fabric`): the youngest of our `ledger` keys that our organisation's MSP has issued
 * a certificate for; `authorityPem` is the authority of our own peer's TLS certificate. Undefined where there is none.
 */
export function findFabricIdentity(folder: string, vault: FileKeyVault): Promise<(TlsIdentity & { kid: Kid }) | undefined> {
  return findIdentity(folder, vault, 'ledger');
}

/** The same where the key is in a token and cannot be handed over. */
export async function findFabricCertificate(
  folder: string,
  keys: Pick<SigningKeys, 'list'>,
): Promise<{ kid: Kid; certificatePem: string; authorityPem: string } | undefined> {
  const authorityPem = await orMissing(readFile(join(folder, 'authority.pem'), 'utf8'));
  if (authorityPem === undefined) return undefined;
  for (const { kid } of await keys.list('ledger')) {
    const certificatePem = await orMissing(readFile(join(folder, `${kid}.certificate.pem`), 'utf8'));
    if (certificatePem !== undefined) return { kid, certificatePem, authorityPem };
  }
  return undefined;
}

async function findIdentity(folder: string, vault: FileKeyVault, use: 'tls' | 'ledger'): Promise<(TlsIdentity & { kid: Kid }) | undefined> {
  const authorityPem = await orMissing(readFile(join(folder, 'authority.pem'), 'utf8'));
  if (authorityPem === undefined) return undefined;
  for (const { kid } of await vault.list(use)) {
    const certificatePem = await orMissing(readFile(join(folder, `${kid}.certificate.pem`), 'utf8'));
    if (certificatePem === undefined) continue;
    const privateKeyPem = await (use === 'tls' ? vault.tlsKeyPem(kid) : vault.ledgerKeyPem(kid));
    return { kid, certificatePem, authorityPem, privateKeyPem };
  }
  return undefined;
}
