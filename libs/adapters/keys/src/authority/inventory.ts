import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateProfiles, instant, type CertificatePurpose } from '@portolan/domain';
import { readAuthorityPem } from '../authority-files.js';
import { CountryFolders, findTlsIdentity } from '../country-folders.js';
import { orMissing } from '../files.js';
import { issuedEntry } from './registered-authority.js';
import { AuthorityRegister, type IssuedEntry } from './register.js';

const DAY_MS = 86_400_000;
/** How long an ended certificate without a successor is still named as missing. */
const MOURNED_DAYS = 30;

export type CertificateState = 'live' | 'not yet' | 'ended' | 'revoked';

/** One certificate that concerns a country: of its authorities, issued by them, or issued by others for its own keys. */
export interface InventoryRow {
  readonly state: CertificateState;
  readonly purpose: CertificatePurpose;
  readonly commonName: string;
  /** Who signed it: `exchange` or `internal` of this country, a partner's code, `orderer`, `fabric`. */
  readonly by: string;
  readonly serial: string;
  readonly kid: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Whole days; negative where it has ended. */
  readonly daysLeft: number;
  /** A younger one for the same end or partner holds longer: this one may end. */
  readonly replaced: boolean;
  /** Somebody should renew it: fewer days are left than its purpose wants, and it is not replaced. */
  readonly due: boolean;
}

interface Found {
  readonly entry: IssuedEntry;
  readonly by: string;
  readonly purpose: CertificatePurpose;
  readonly revoked: boolean;
}

/** Everything that is there of a country on this machine, soonest end first. Changes nothing. Throws `keys.register-damaged`. */
export async function certificateInventory(home: string, nowMs: number, withinDays?: number): Promise<readonly InventoryRow[]> {
  const folders = new CountryFolders(home);
  const found = new Map<string, Found>();
  const keep = (one: Found): void => {
    if (!found.has(one.entry.serial)) found.set(one.entry.serial, one);
  };
  for (const by of ['exchange', 'internal'] as const) for (const one of await ofAuthority(folders, by)) keep(one);
  for (const one of [...(await ownEnds(folders)), ...(await fromOthers(folders))]) keep(one);
  const rows = [...found.values()].map((one) => rowOf(one, nowMs));
  const full = rows.map((row) => {
    const replaced = rows.some((other) => other !== row && replaces(other, row));
    return { ...row, replaced, due: isDue({ ...row, replaced }, withinDays) };
  });
  return full.sort((a, b) => a.notAfter.localeCompare(b.notAfter) || a.serial.localeCompare(b.serial));
}

async function ofAuthority(folders: CountryFolders, by: 'exchange' | 'internal'): Promise<readonly Found[]> {
  const pem = await readAuthorityPem(folders.authority, by);
  if (pem === undefined) return [];
  const entries = await new AuthorityRegister(folders.authority, by).read();
  const revoked = new Set(entries.flatMap((entry) => (entry.act === 'revoked' ? [entry.serial] : [])));
  const issued = entries.filter((entry): entry is IssuedEntry => entry.act === 'issued');
  return [
    { entry: entryOf(pem), by, purpose: 'authority', revoked: false },
    ...issued.map((entry) => ({ entry, by, purpose: entry.purpose, revoked: revoked.has(entry.serial) })),
  ];
}

/** Also without a register: a node's machine does not have it, and older folders neither. */
async function ownEnds(folders: CountryFolders): Promise<readonly Found[]> {
  const ends = [
    { by: 'exchange', folder: folders.inbox },
    ...[folders.broker, ...(['edge', 'exchange', 'notary'] as const).map((role) => folders.internal(role))].map((folder) => ({
      by: 'internal',
      folder,
    })),
  ];
  const found = await Promise.all(
    ends.map(async ({ by, folder }): Promise<readonly Found[]> => {
      const held = await findTlsIdentity(folder);
      return held === undefined ? [] : [{ entry: entryOf(held.certificatePem), by, purpose: 'server', revoked: false }];
    }),
  );
  return found.flat();
}

/** What partners, the orderer and the channel's organisation issued for our keys. */
async function fromOthers(folders: CountryFolders): Promise<readonly Found[]> {
  const partners = (await orMissing(readdir(join(folders.partner('x'), '..')))) ?? [];
  const places = [
    ...partners.map((org) => ({ by: org, folder: folders.partner(org) })),
    { by: 'orderer', folder: folders.orderer },
    { by: 'fabric', folder: folders.fabric },
  ];
  const found = await Promise.all(
    places.map(async ({ by, folder }): Promise<readonly Found[]> => {
      const names = ((await orMissing(readdir(folder))) ?? []).filter((name) => name.endsWith('.certificate.pem'));
      const pems = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
      return pems.map((pem) => ({ entry: entryOf(pem), by, purpose: 'partner', revoked: false }));
    }),
  );
  return found.flat();
}

const entryOf = (pem: string): IssuedEntry => issuedEntry('server', pem, instant(new X509Certificate(pem).validFromDate.getTime()));

function rowOf({ entry, by, purpose, revoked }: Found, nowMs: number): Omit<InventoryRow, 'replaced' | 'due'> {
  const { commonName, serial, kid, notBefore, notAfter } = entry;
  const now = instant(nowMs);
  const inTime = now < notBefore ? 'not yet' : now < notAfter ? 'live' : 'ended';
  const daysLeft = Math.floor((Date.parse(notAfter) - nowMs) / DAY_MS);
  return { state: revoked ? 'revoked' : inTime, purpose, commonName, by, serial, kid, notBefore, notAfter, daysLeft };
}

type Bare = Omit<InventoryRow, 'replaced' | 'due'>;

/** A partner's next key has another name; it is the same partner at the same door. */
const lineOf = ({ by, purpose, commonName }: Bare): string =>
  [by, purpose, purpose === 'partner' ? (commonName.split('-')[0] ?? '') : commonName].join('\n');

const replaces = (other: Bare, row: Bare): boolean =>
  other.state !== 'revoked' && other.state !== 'ended' && other.notAfter > row.notAfter && lineOf(other) === lineOf(row);

function isDue({ state, replaced, daysLeft, purpose }: Omit<InventoryRow, 'due'>, withinDays: number | undefined): boolean {
  if (replaced || state === 'revoked' || daysLeft < -MOURNED_DAYS) return false;
  return daysLeft < (withinDays ?? certificateProfiles[purpose].early);
}
