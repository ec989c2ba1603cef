import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  CountryFolders,
  FileKeyVault,
  isHost,
  ledgerKeyInToken,
  SystemClock,
  TlsIdentityRequests,
  X509Authorities,
  type Issued,
  type OwnEnd,
} from '@portolan/nest/certificates';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';
import { atOffice, findHome, isOwnEnd, type HomeFlags, type OfficeFlags } from './home.js';
import { readText, writeWhole } from './texts.js';

export interface IssueFlags extends OfficeFlags {
  readonly request?: string;
  readonly org?: string;
  readonly kid?: string;
  readonly host?: readonly string[];
  readonly days?: number;
  readonly again: boolean;
  readonly out?: string;
  readonly json: boolean;
}

export interface AuthorityFlags extends OfficeFlags {
  readonly org: string;
}

export interface KeyFlags {
  readonly pkcs11: string;
  readonly days?: number;
  readonly again: boolean;
}

export interface RenewFlags extends OfficeFlags {
  readonly host?: readonly string[];
  readonly days?: number;
  readonly now: boolean;
  readonly out?: string;
  readonly json: boolean;
}

export interface RequestFlags extends HomeFlags {
  readonly host?: readonly string[];
}

/** How early an own end is renewed without `--now`. */
const EARLY_DAYS = 30;
/** A ledger key's usual term. */
const KEY_DAYS = 730;

/** `portolan cert authority`. */
export async function authority(flags: AuthorityFlags, terminal: Terminal): Promise<Exit> {
  if (!/^[A-Z]{2}$/.test(flags.org)) throw new WrongUsage('a country is named by two capital letters, such as EE');
  terminal.out((await atOffice(flags, terminal, (office) => office.ensureAuthorities(flags.org))).exchange.trimEnd());
  terminal.note(
    `authorities exchange and internal of ${flags.org} are there${flags.pkcs11 === undefined ? ': keep authority/ off every node' : ', their keys in the token'}`,
  );
  return exits.ok;
}

/** `portolan cert issue`. */
export async function issue(what: string, flags: IssueFlags, terminal: Terminal): Promise<Exit> {
  const hosts = hostsOf(flags);
  if (what === 'partner') return issuePartner(flags, terminal);
  if (!isOwnEnd(what)) throw new WrongUsage(`'${what}' is not issued: name inbox, broker, edge, exchange, notary or partner`);
  if (flags.request === undefined) {
    const issued = await atOffice(flags, terminal, (office) =>
      office.issueOwn(what, flags.host === undefined ? undefined : hosts, termOf(flags)),
    );
    return told(
      issued,
      flags,
      terminal,
      `in force in the folder of ${what}; a running inbox shows it within seconds, other roles when they start`,
    );
  }
  const text = await readText(flags.request, terminal);
  const issued = await atOffice(flags, terminal, (office) => office.issueEnd(what, hosts, text, termOf(flags)));
  return handOut(issued, flags, terminal, 'Bring both to the machine of the key: portolan cert import');
}

async function issuePartner(flags: IssueFlags, terminal: Terminal): Promise<Exit> {
  const { org, request, kid } = flags;
  if (org === undefined || request === undefined) throw new WrongUsage('a partner is named by --org CC, and its request by --request FILE');
  if (flags.host !== undefined) throw new WrongUsage("a partner's certificate bears no host");
  const text = await readText(request, terminal);
  const term = { ...termOf(flags), ...(kid === undefined ? {} : { kid }) };
  const issued = await atOffice(flags, terminal, (office) => office.issuePartner(org, text, term));
  const next = `Hand both to ${org}; the door opens once ${org} has registered key ${issued.entry.kid} on the channel`;
  return handOut(issued, flags, terminal, next);
}

/** `portolan cert renew`. */
export async function renew(what: string, flags: RenewFlags, terminal: Terminal): Promise<Exit> {
  if (!isOwnEnd(what)) {
    const issued = await atOffice(flags, terminal, (office) => office.renew(what, { ...termOf(flags), now: flags.now }));
    return handOut(issued, flags, terminal, 'Hand both to whoever holds the key; the one before goes on to its own end');
  }
  const hosts = flags.host === undefined ? undefined : hostsOf(flags);
  const issued = await atOffice(flags, terminal, async (office) => {
    const left = await office.daysLeftOf(what);
    const again = flags.now || left === undefined || left < EARLY_DAYS;
    return office.issueOwn(what, hosts, { ...termOf(flags), again });
  });
  return told(issued, flags, terminal, inForce(what));
}

const inForce = (end: OwnEnd): string =>
  `in force in the folder of ${end}; a running inbox shows it within seconds, other roles when they start`;

/** `portolan cert request`. */
export async function request(what: string, flags: RequestFlags, terminal: Terminal): Promise<Exit> {
  const home = await findHome(flags, terminal);
  if (what !== 'partner' && what !== 'orderer' && !isOwnEnd(what))
    throw new WrongUsage(`'${what}' is not requested: name partner, orderer, inbox, broker, edge, exchange or notary`);
  terminal.out((isOwnEnd(what) ? await requestEnd(what, home, hostsOf(flags)) : await requestOf(what, home)).trimEnd());
  return exits.ok;
}

async function requestEnd(end: OwnEnd, home: string, hosts: readonly string[]): Promise<string> {
  const folder = endFolder(home, end);
  return new TlsIdentityRequests(folder, new X509Authorities()).request({ commonName: end, hosts });
}

/** For our current TLS key. The name is left to whoever issues: it knows us by the key. */
async function requestOf(what: 'partner' | 'orderer', home: string): Promise<string> {
  const vault = new FileKeyVault({
    folder: new CountryFolders(home).keys(what === 'partner' ? 'exchange' : 'notary'),
    clock: new SystemClock(),
  });
  const { kid, publicJwk } = await vault.current('tls');
  return new X509Authorities().request({ commonName: '', hosts: [] }, { privateKeyPem: await vault.tlsKeyPem(kid), publicJwk });
}

/** `portolan cert key`: what stands on standard output goes into the registry of the channel. */
export async function key(flags: KeyFlags, terminal: Terminal): Promise<Exit> {
  const made = await ledgerKeyInToken(await readText(flags.pkcs11, terminal), flags.days ?? KEY_DAYS, flags.again);
  terminal.out(JSON.stringify(made.key));
  const { kid, notAfter } = made.key;
  terminal.note(
    made.fresh
      ? `made ${kid}, until ${notAfter}: register it on the channel before it is used`
      : `nothing to do: ${kid} lives until ${notAfter}`,
  );
  return exits.ok;
}

/** Where an end of this node keeps its identity. */
export function endFolder(home: string, end: OwnEnd): string {
  const folders = new CountryFolders(home);
  return end === 'inbox' ? folders.inbox : end === 'broker' ? folders.broker : folders.internal(end);
}

function hostsOf({ host = [] }: { readonly host?: readonly string[] }): readonly string[] {
  if (!host.every(isHost)) throw new WrongUsage('a host is a DNS name without wildcards, or an IP address');
  return host;
}

const termOf = ({ days, again = false }: { days?: number; again?: boolean }): { days?: number; again: boolean } => ({
  again,
  ...(days === undefined ? {} : { days }),
});

async function handOut(issued: Issued, flags: { out?: string; json: boolean }, terminal: Terminal, next: string): Promise<Exit> {
  const { entry, authorityPem } = issued;
  if (flags.out !== undefined) {
    const folder = resolve(terminal.folder, flags.out);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeWhole(join(folder, 'certificate.pem'), entry.certificatePem);
    await writeWhole(join(folder, 'authority.pem'), authorityPem);
  } else if (!flags.json) terminal.out(`${entry.certificatePem.trimEnd()}\n${authorityPem.trimEnd()}`);
  return told(issued, flags, terminal, next);
}

function told({ entry, fresh, authorityPem }: Issued, flags: { json: boolean }, terminal: Terminal, next: string): Exit {
  const { commonName, serial, kid, notAfter, certificatePem } = entry;
  if (flags.json) terminal.out(JSON.stringify({ fresh, commonName, serial, kid, notAfter, certificatePem, authorityPem }));
  terminal.note(
    fresh
      ? `issued ${commonName}, serial ${serial}, until ${notAfter}`
      : `nothing to do: ${commonName}, serial ${serial}, holds until ${notAfter}`,
  );
  if (fresh) terminal.note(next);
  return exits.ok;
}
