import type { CountryCode, OrgId } from '@portolan/contracts';
import {
  isLiveAt,
  instant,
  roles,
  type CertificateAuthorities,
  type CertificateAuthority,
  type Clock,
  type KeyUse,
  type OwnKey,
  type Validity,
} from '@portolan/domain';
import { ensureAuthority } from './authority-files.js';
import { CountryFolders, findTlsIdentity, writeTlsIdentity } from './country-folders.js';
import { FileKeyVault } from './file-key-vault.js';
import { generatePair } from './key-file.js';
import { addMasterKey, hasMasterKey } from './master-keys.js';
import { join } from 'node:path';

const DAY_MS = 86_400_000;
/** Certificates and keys hold from a little before they were made: clocks differ. */
const EARLIER_MS = 3_600_000;

/** Days for which what is made holds. Sealing keys rotate monthly and overlap by the time for which messages are kept. */
export interface ProvisionDays {
  readonly authority: number;
  readonly certificate: number;
  readonly key: number;
  readonly sealKey: number;
}

export const PROVISION_DAYS: ProvisionDays = { authority: 3650, certificate: 397, key: 730, sealKey: 31 };

export interface ProvisionConfig {
  readonly folder: string;
  /** Names and addresses under which the inbox (or orderer) is reached, beside localhost and 127.0.0.1. */
  readonly hosts?: readonly string[];
  readonly clock: Clock;
  readonly authorities: CertificateAuthorities;
  readonly days?: Partial<ProvisionDays>;
}

/** What is public of a country's material: it goes into the registry, and to partners. */
export interface CountryMaterial {
  readonly country: CountryCode;
  readonly exchange: { readonly sign: OwnKey; readonly seal: OwnKey; readonly tls: OwnKey };
  readonly notary: { readonly ledger: OwnKey; readonly tls: OwnKey };
  /** Signs registry acts; its use is `ledger`, in a folder of its own. */
  readonly governance: OwnKey;
  /** Authority of the inbox; partners pin it. */
  readonly authorityPem: string;
}

/** What is public of the embedded orderer's organisation. */
export interface OrdererMaterial {
  readonly org: OrgId;
  readonly ledger: OwnKey;
  readonly governance: OwnKey;
  /** Authority of the orderer's door; notaries pin it. */
  readonly authorityPem: string;
}

/**
 * Creates in a folder whatever a country's node still lacks: authorities, keys of each role, master key, TLS identities. What is there
 * and live stays, so a second run changes nothing, and a run after a crash completes the first.
 */
export async function provisionCountry(country: CountryCode, config: ProvisionConfig): Promise<CountryMaterial> {
  const folders = new CountryFolders(config.folder);
  const doorAuthority = await authority(folders.authority, 'exchange', { country, commonName: `${country} exchange` }, config);
  const innerAuthority = await authority(folders.authority, 'internal', { country, commonName: `${country} internal` }, config);
  await ensureTls(folders.inbox, `inbox ${country}`, doorAuthority, config.hosts ?? [], config);
  for (const role of roles)
    await ensureTls(folders.internal(role), `${role} ${country}`, innerAuthority, [role, ...(config.hosts ?? [])], config);
  await ensureTls(folders.broker, `broker ${country}`, innerAuthority, ['broker', ...(config.hosts ?? [])], config);
  const masters = [folders.master('edge'), folders.master('exchange')];
  if (!(await Promise.all(masters.map(hasMasterKey))).every(Boolean)) await addMasterKey(masters);
  // The notary holds no record; what it keeps at rest is under a master key of its own.
  if (!(await hasMasterKey(folders.master('notary')))) await addMasterKey([folders.master('notary')]);
  const key = (folder: string, use: KeyUse): Promise<OwnKey> => ensureKey(folder, use, config);
  const [exchange, notary] = [folders.keys('exchange'), folders.keys('notary')];
  return {
    country,
    exchange: { sign: await key(exchange, 'sign'), seal: await key(exchange, 'seal'), tls: await key(exchange, 'tls') },
    notary: { ledger: await key(notary, 'ledger'), tls: await key(notary, 'tls') },
    governance: await key(folders.governanceKeys, 'ledger'),
    authorityPem: doorAuthority.certificatePem,
  };
}

/** Folders of the embedded orderer's organisation. */
export const ordererFolders = (root: string): { authority: string; governanceKeys: string; keys: string; door: string } => ({
  authority: join(root, 'authority'),
  governanceKeys: join(root, 'governance', 'keys'),
  keys: join(root, 'orderer', 'keys'),
  door: join(root, 'orderer', 'door'),
});

/** The same for the organisation that runs the embedded ledger's orderer. */
export async function provisionOrderer(org: OrgId, config: ProvisionConfig): Promise<OrdererMaterial> {
  const folders = ordererFolders(config.folder);
  const doorAuthority = await authority(folders.authority, 'exchange', { country: undefined, commonName: `${org} orderer` }, config);
  await ensureTls(folders.door, `orderer ${org}`, doorAuthority, config.hosts ?? [], config);
  return {
    org,
    ledger: await ensureKey(folders.keys, 'ledger', config),
    governance: await ensureKey(folders.governanceKeys, 'ledger', config),
    authorityPem: doorAuthority.certificatePem,
  };
}

/** Validity from now on for so many days. */
export function validFor(days: number, clock: Clock): Validity {
  const now = clock.now();
  return { notBefore: instant(now - EARLIER_MS), notAfter: instant(now + days * DAY_MS) };
}

function daysOf(config: ProvisionConfig): ProvisionDays {
  return { ...PROVISION_DAYS, ...config.days };
}

async function authority(
  folder: string,
  name: string,
  subject: { country: CountryCode | undefined; commonName: string },
  config: ProvisionConfig,
): Promise<CertificateAuthority> {
  return ensureAuthority(folder, name, config.authorities, subject, validFor(daysOf(config).authority, config.clock));
}

async function ensureTls(
  folder: string,
  commonName: string,
  by: CertificateAuthority,
  hosts: readonly string[],
  config: ProvisionConfig,
): Promise<void> {
  if ((await findTlsIdentity(folder)) !== undefined) return;
  const { privateKeyPem, publicJwk } = generatePair();
  const certificatePem = await by.issueServer({ commonName, hosts }, publicJwk, validFor(daysOf(config).certificate, config.clock));
  await writeTlsIdentity(folder, { privateKeyPem, certificatePem, authorityPem: by.certificatePem });
}

async function ensureKey(folder: string, use: KeyUse, config: ProvisionConfig): Promise<OwnKey> {
  const vault = new FileKeyVault({ folder, clock: config.clock, refreshMs: 0 });
  const now = instant(config.clock.now());
  const live = (await vault.list(use)).find((key) => isLiveAt(key, now));
  const { key: days, sealKey } = daysOf(config);
  return live ?? vault.generate(use, validFor(use === 'seal' ? sealKey : days, config.clock));
}
