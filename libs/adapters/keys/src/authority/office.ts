import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { PortolanError, type CountryCode, type Kid, type OrgId } from '@portolan/contracts';
import {
  isLiveAt,
  certificateProfiles,
  instant,
  partnerCommonName,
  type CertificateAuthorities,
  type CertificateRequest,
  type Clock,
  type RevocationReason,
  type ServerName,
  type Validity,
} from '@portolan/domain';
import { ensureAuthority, openAuthority, type TokenKeys } from '../authority-files.js';
import { CountryFolders, findTlsIdentity, writeTlsIdentity } from '../country-folders.js';
import { generatePair } from '../key-file.js';
import { isThere, writePrivately } from '../files.js';
import { hostsOf, issuedEntry, publicJwkOf, type RegisteredAuthority } from './registered-authority.js';
import { refusedBy, writeRefusedKeys } from './refused-keys.js';
import { AuthorityRegister, type HeldRegister, type IssuedEntry, type RegisterEntry, type RevokedEntry } from './register.js';

const DAY_MS = 86_400_000;
/** Certificates hold from a little before they were made: clocks differ. */
const EARLIER_MS = 3_600_000;
/** A revocation list is made anew with each revocation, and by hand before it ends. */
const LIST_DAYS = 30;

export type AuthorityName = 'exchange' | 'internal';
/** The ends of TLS of a country's own node. */
export const ownEnds = ['inbox', 'broker', 'edge', 'exchange', 'notary'] as const;
export type OwnEnd = (typeof ownEnds)[number];

export interface CertificateOfficeConfig {
  /** The country's folder (CountryFolders); `authority/` in it is the one that issues. */
  readonly home: string;
  readonly authorities: CertificateAuthorities;
  readonly clock: Clock;
  /** Where the authorities' keys are, where they are no files. */
  readonly token?: TokenKeys;
}

export interface Issued {
  readonly entry: IssuedEntry;
  readonly authorityPem: string;
  /** False where the same request had a live certificate already: that one is given again. */
  readonly fresh: boolean;
}

export interface Revocation {
  readonly revoked: readonly IssuedEntry[];
  /** Those of them that had been revoked before. */
  readonly before: readonly IssuedEntry[];
  readonly listFile: string;
  readonly listNumber: number;
  readonly nextUpdate: string;
  /** Partners' keys that this country's own door refuses from now on. */
  readonly keys: readonly { org: OrgId; kid: Kid }[];
  /** Whether the exchange of this machine reads it; else the file must be brought to it. */
  readonly doorFile: string;
  readonly atDoor: boolean;
}

/** How long it shall hold; the profile's usual days where absent. Throws `x509.validity-refused` beyond the most. */
export interface Term {
  readonly days?: number;
}

/** Issues, renews and revokes what a country's authorities sign; every act stands in their registers before it is answered. */
export class CertificateOffice {
  private readonly folders: CountryFolders;

  constructor(private readonly config: CertificateOfficeConfig) {
    this.folders = new CountryFolders(config.home);
  }

  /** Makes the authorities that are missing; those that are there stay. Answers with their certificates by name. */
  async ensureAuthorities(country: CountryCode): Promise<Readonly<Record<AuthorityName, string>>> {
    const now = this.config.clock.now();
    const { usual } = certificateProfiles.authority.days;
    const validity = { notBefore: instant(now - EARLIER_MS), notAfter: instant(now + usual * DAY_MS) };
    const ensure = async (name: AuthorityName): Promise<string> => {
      const subject = { country, commonName: `${country} ${name}` };
      return (await ensureAuthority(this.folders.authority, name, this.config.authorities, subject, validity, this.config.token))
        .certificatePem;
    };
    return { exchange: await ensure('exchange'), internal: await ensure('internal') };
  }

  /**
   * A client certificate for a partner's registered key, from its request. The same key has the same certificate while it lives. Throws
   * `x509.request-invalid`, `x509.request-refused`, `x509.name-invalid`, `x509.validity-refused`, `keys.authority-missing`.
   */
  async issuePartner(org: OrgId, requestPem: string, term: Term & { kid?: Kid; again?: boolean } = {}): Promise<Issued> {
    const request = await this.config.authorities.readRequest(requestPem);
    const name = nameOf(org, request, term.kid);
    const { validity, authority: own } = await this.termOf('exchange', 'partner', term);
    if (org === countryOf(own)) throw new PortolanError('x509.name-invalid', 'partner certificate', 'a country is no partner of its own');
    const isSame = (entry: IssuedEntry): boolean => entry.purpose === 'partner' && entry.commonName === name;
    return this.once('exchange', request.kid, isSame, term.again === true, (authority) =>
      authority.issuePartner({ org, kid: request.kid, publicJwk: request.publicJwk }, validity),
    );
  }

  /** A server certificate from a request, for a key that stays where it is used; hosts are the order's, and the request's must be among them. */
  async issueServer(by: AuthorityName, name: ServerName, requestPem: string, term: Term & { again?: boolean } = {}): Promise<Issued> {
    const request = await this.config.authorities.readRequest(requestPem);
    if (request.hosts.some((host) => !name.hosts.includes(host) && host !== 'localhost' && host !== '127.0.0.1'))
      throw new PortolanError('x509.request-refused', 'certificate signing request', 'it names a host that was not ordered');
    const { validity } = await this.termOf(by, 'server', term);
    const isSame = (entry: IssuedEntry): boolean =>
      entry.kid === request.kid && entry.commonName === name.commonName && sameHosts(entry, name.hosts);
    return this.once(by, request.kid, isSame, term.again === true, (authority) => authority.issueServer(name, request.publicJwk, validity));
  }

  /** The same for an end of this node whose key lies on another machine. */
  async issueEnd(end: OwnEnd, hosts: readonly string[], requestPem: string, term: Term & { again?: boolean } = {}): Promise<Issued> {
    const { by } = this.ownEnd(end);
    const commonName = `${end} ${countryOf(await this.open(by))}`;
    return this.issueServer(by, { commonName, hosts: [...new Set([...innerName(end), ...hosts])] }, requestPem, term);
  }

  /** A key and certificate for an end of TLS of this node, into its folder. What is there and live with these hosts stays, but for `again`. */
  async issueOwn(end: OwnEnd, hosts: readonly string[] | undefined, term: Term & { again?: boolean } = {}): Promise<Issued> {
    const { folder, by } = this.ownEnd(end);
    const held = await findTlsIdentity(folder);
    const { validity, authority } = await this.termOf(by, 'server', term);
    const bears = held === undefined ? [] : hostsOf(new X509Certificate(held.certificatePem));
    const wanted = { commonName: `${end} ${countryOf(authority)}`, hosts: [...new Set([...innerName(end), ...(hosts ?? bears)])] };
    const entry = held === undefined ? undefined : await this.registered(by, held.certificatePem);
    if (entry !== undefined && term.again !== true && isLiveAt(entry, this.now()) && sameHosts(entry, wanted.hosts))
      return { entry, authorityPem: authority.certificatePem, fresh: false };
    const { privateKeyPem, publicJwk } = generatePair();
    const certificatePem = await authority.issueServer(wanted, publicJwk, validity);
    await writeTlsIdentity(folder, { privateKeyPem, certificatePem, authorityPem: authority.certificatePem });
    return { entry: issuedEntry('server', certificatePem, this.now()), authorityPem: authority.certificatePem, fresh: true };
  }

  /** The same key and names with a new term, for a certificate in the register; the one before lives on to its own end. Throws `keys.certificate-unknown`. */
  async renew(id: string, term: Term & { now?: boolean } = {}): Promise<Issued> {
    const { by, entry } = await this.newest(id);
    const due = Date.parse(entry.notAfter) - this.config.clock.now() < certificateProfiles[entry.purpose].early * DAY_MS;
    const { validity, authority } = await this.termOf(by, entry.purpose, term);
    if (!due && term.now !== true) return { entry, authorityPem: authority.certificatePem, fresh: false };
    const register = new AuthorityRegister(this.folders.authority, by);
    if (isCompromised(await register.read(), entry.kid))
      throw new PortolanError('x509.revoked', entry.kid, 'the key was revoked as known to others');
    const certificate = new X509Certificate(entry.certificatePem);
    const publicJwk = publicJwkOf(certificate);
    const org = entry.commonName.split('-')[0] ?? '';
    const certificatePem =
      entry.purpose === 'partner'
        ? await authority.issuePartner({ org, kid: entry.kid, publicJwk }, validity)
        : await authority.issueServer({ commonName: entry.commonName, hosts: hostsOf(certificate) }, publicJwk, validity);
    return { entry: issuedEntry(entry.purpose, certificatePem, this.now()), authorityPem: authority.certificatePem, fresh: true };
  }

  /** Days that are left to an own end's certificate; undefined where it has none. */
  async daysLeftOf(end: OwnEnd): Promise<number | undefined> {
    const held = await findTlsIdentity(this.ownEnd(end).folder);
    if (held === undefined) return undefined;
    return (new X509Certificate(held.certificatePem).validToDate.getTime() - this.config.clock.now()) / DAY_MS;
  }

  /**
   * Revokes by serial number, or all that were issued for a key id. Revoking again changes nothing but the list, whose number rises.
   * Throws `keys.certificate-unknown`, `keys.authority-missing`.
   */
  async revoke(id: string, reason: RevocationReason): Promise<Revocation> {
    const by = (await this.newest(id)).by;
    const register = new AuthorityRegister(this.folders.authority, by);
    return register.exclusively(async (held) => {
      const named = held.entries.filter((entry): entry is IssuedEntry => entry.act === 'issued' && isNamed(entry, id));
      const earlier = new Map(revokedOf(held.entries).map((entry) => [entry.serial, entry.reason]));
      for (const { serial } of named) {
        // That a key is known to others may turn out later, and says more than any other reason.
        const says = !earlier.has(serial) || (reason === 'keyCompromise' && earlier.get(serial) !== reason);
        if (says) await held.append({ act: 'revoked', at: this.now(), serial, reason });
      }
      const before = named.filter(({ serial }) => earlier.has(serial));
      return { revoked: named, before, ...(await this.publish(by, held)) };
    });
  }

  /** The list of revocations anew, before the last one ends. Throws `keys.authority-missing`. */
  refreshList(by: AuthorityName): Promise<Omit<Revocation, 'revoked' | 'before'>> {
    return new AuthorityRegister(this.folders.authority, by).exclusively((held) => this.publish(by, held));
  }

  private async publish(by: AuthorityName, held: HeldRegister): Promise<Omit<Revocation, 'revoked' | 'before'>> {
    const authority = await this.open(by);
    const now = this.config.clock.now();
    const last = held.entries.findLast((entry) => entry.act === 'list')?.number ?? 0;
    const listNumber = Math.max(last + 1, now);
    const validity = { notBefore: instant(now), notAfter: instant(now + LIST_DAYS * DAY_MS) };
    await held.append({ act: 'list', at: instant(now), number: listNumber, nextUpdate: validity.notAfter });
    const revoked = revokedOf(held.entries);
    const listFile = join(this.folders.authority, `${by}.revoked.crl.pem`);
    await writePrivately(listFile, await authority.issueRevocations(revoked, validity, listNumber));
    return { listFile, listNumber, nextUpdate: validity.notAfter, ...(await this.tellDoor(by, held.entries)) };
  }

  private async tellDoor(by: AuthorityName, entries: readonly RegisterEntry[]): Promise<Pick<Revocation, 'keys' | 'doorFile' | 'atDoor'>> {
    const refused = refusedBy(entries, this.now());
    const atDoor = by === 'exchange' && (await isThere(this.folders.inbox));
    const folder = atDoor ? this.folders.inbox : this.folders.authority;
    if (by === 'exchange') await writeRefusedKeys(folder, refused);
    return { keys: refused.keys, doorFile: join(folder, 'refused.json'), atDoor };
  }

  private async once(
    by: AuthorityName,
    kid: Kid,
    isSame: (entry: IssuedEntry) => boolean,
    again: boolean,
    issue: (authority: RegisteredAuthority) => Promise<string>,
  ): Promise<Issued> {
    const authority = await this.open(by);
    return new AuthorityRegister(this.folders.authority, by).exclusively(async (held) => {
      if (isCompromised(held.entries, kid)) throw new PortolanError('x509.revoked', kid, 'the key was revoked as known to others');
      const earlier = again ? undefined : livingOf(held.entries, this.now()).findLast(isSame);
      if (earlier !== undefined) return { entry: earlier, authorityPem: authority.certificatePem, fresh: false };
      const certificatePem = await issue(authority.within(held));
      const entry = held.entries.findLast((one): one is IssuedEntry => one.act === 'issued' && one.certificatePem === certificatePem);
      if (entry === undefined) throw new TypeError('what was issued stands in the register');
      // A key whose certificates had all been revoked is let in again.
      if (await isThere(join(this.folders.inbox, 'refused.json'))) await this.tellDoor(by, held.entries);
      return { entry, authorityPem: authority.certificatePem, fresh: true };
    });
  }

  private async newest(id: string): Promise<{ by: AuthorityName; entry: IssuedEntry }> {
    for (const by of ['exchange', 'internal'] as const) {
      const entries = await new AuthorityRegister(this.folders.authority, by).read();
      const entry = entries.findLast((one): one is IssuedEntry => one.act === 'issued' && isNamed(one, id));
      if (entry !== undefined) return { by, entry };
    }
    throw new PortolanError('keys.certificate-unknown', 'register of the authority');
  }

  private async registered(by: AuthorityName, certificatePem: string): Promise<IssuedEntry | undefined> {
    const { serial } = issuedEntry('server', certificatePem, this.now());
    return livingOf(await new AuthorityRegister(this.folders.authority, by).read(), this.now()).findLast((one) => one.serial === serial);
  }

  private async open(by: AuthorityName): Promise<RegisteredAuthority> {
    const authority = await openAuthority(this.folders.authority, by, this.config.authorities, this.config.token);
    if (authority === undefined) throw new PortolanError('keys.authority-missing', by);
    return authority;
  }

  private async termOf(
    by: AuthorityName,
    purpose: 'server' | 'partner',
    { days }: Term,
  ): Promise<{ validity: Validity; authority: RegisteredAuthority }> {
    const authority = await this.open(by);
    const now = this.config.clock.now();
    const bounds = certificateProfiles[purpose].days;
    const chosen = days ?? bounds.usual;
    const ends = new X509Certificate(authority.certificatePem).validToDate.getTime();
    if (!(chosen >= 1 && chosen <= bounds.most)) throw new PortolanError('x509.validity-refused', purpose, `1 to ${bounds.most} days`);
    if (ends <= now) throw new PortolanError('x509.expired', `authority ${by}`);
    // Nothing outlives the authority that signed it.
    const notAfter = Math.min(now + chosen * DAY_MS, ends);
    return { validity: { notBefore: instant(now - EARLIER_MS), notAfter: instant(notAfter) }, authority };
  }

  private ownEnd(end: OwnEnd): { folder: string; by: AuthorityName } {
    if (end === 'inbox') return { folder: this.folders.inbox, by: 'exchange' };
    return { folder: end === 'broker' ? this.folders.broker : this.folders.internal(end), by: 'internal' };
  }

  private now(): string {
    return instant(this.config.clock.now());
  }
}

/** The name that the certificate will bear; the request may bear the same or none. */
function nameOf(org: OrgId, request: CertificateRequest, kid: Kid | undefined): string {
  const refused = (rule: string): PortolanError => new PortolanError('x509.request-refused', 'certificate signing request', rule);
  if (kid !== undefined && kid !== request.kid) throw refused('it is not for the registered key');
  if (request.hosts.length > 0) throw refused('a partner may not ask for hosts');
  const name = attemptName(org, request.kid);
  if (request.commonName !== undefined && request.commonName !== name) throw refused('it asks for another name than the partner has');
  return name;
}

function attemptName(org: OrgId, kid: Kid): string {
  try {
    return partnerCommonName({ org, kid });
  } catch {
    throw new PortolanError('x509.name-invalid', 'partner certificate');
  }
}

/** Roles call each other by their own names. */
const innerName = (end: OwnEnd): readonly string[] => (end === 'inbox' ? [] : [end]);

const isNamed = (entry: IssuedEntry, id: string): boolean =>
  entry.serial === id.toLowerCase() || entry.kid === id || entry.commonName === id;
const sameHosts = (entry: IssuedEntry, hosts: readonly string[]): boolean =>
  [...new Set(hosts)].sort().join() === [...hostsOf(new X509Certificate(entry.certificatePem))].sort().join();

function livingOf(entries: readonly RegisterEntry[], now: string): readonly IssuedEntry[] {
  const revoked = new Set(entries.flatMap((entry) => (entry.act === 'revoked' ? [entry.serial] : [])));
  return entries.filter((entry): entry is IssuedEntry => entry.act === 'issued' && isLiveAt(entry, now) && !revoked.has(entry.serial));
}

/** Each revoked certificate once: since when, and the last reason that was given. */
function revokedOf(entries: readonly RegisterEntry[]): readonly RevokedEntry[] {
  const all = entries.filter((entry): entry is RevokedEntry => entry.act === 'revoked');
  const first = new Map<string, RevokedEntry>();
  for (const entry of all) first.set(entry.serial, { ...entry, at: first.get(entry.serial)?.at ?? entry.at });
  return [...first.values()];
}

function isCompromised(entries: readonly RegisterEntry[], kid: Kid): boolean {
  const known = new Set(entries.flatMap((entry) => (entry.act === 'revoked' && entry.reason === 'keyCompromise' ? [entry.serial] : [])));
  return entries.some((entry) => entry.act === 'issued' && entry.kid === kid && known.has(entry.serial));
}

/** The country whose authority this is: `C` of its subject. */
const countryOf = ({ certificatePem }: { certificatePem: string }): string =>
  /^C=([A-Z]{2})$/m.exec(new X509Certificate(certificatePem).subject)?.[1] ?? '';
