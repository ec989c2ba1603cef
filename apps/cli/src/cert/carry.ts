import { resolve } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import {
  CountryFolders,
  FileKeyVault,
  findPartnerIdentity,
  openPkcs12,
  readTlsIdentity,
  storeAdmission,
  SystemClock,
  TlsIdentityRequests,
  verifyChain,
  writePkcs12,
  writeTlsIdentity,
  X509Authorities,
  describeCertificate,
  type OwnEnd,
  type TlsIdentity,
} from '@portolan/nest/certificates';
import { readBytes } from '../files/read-file.js';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';
import { findHome, isOwnEnd, type HomeFlags } from './home.js';
import { endFolder } from './issue.js';
import { passphrase, type PassphraseFlags } from './passphrase.js';
import { readText, writeWhole } from './texts.js';

export interface ExportFlags extends HomeFlags, PassphraseFlags {
  readonly org?: string;
  readonly out: string;
  readonly legacy: boolean;
}

export interface ImportFlags extends HomeFlags, PassphraseFlags {
  readonly file?: string;
  readonly certificate?: string;
  readonly authority?: string;
  readonly org?: string;
  readonly legacy: boolean;
}

const MAX_P12_BYTES = 1_000_000;
const OLD =
  'warning: old algorithms protect little; take the file for opened by whoever has a copy, and give it a passphrase used nowhere else';

/** `portolan cert export`. */
export async function exportIdentity(what: string, flags: ExportFlags, terminal: Terminal): Promise<Exit> {
  const { privateKeyPem, certificatePem, authorityPem } = await identityOf(what, flags, await findHome(flags, terminal));
  const chainPems = isChainOf(certificatePem, authorityPem) ? [authorityPem] : [];
  const secret = await passphrase(flags, terminal, { twice: true });
  const file = resolve(terminal.folder, flags.out);
  if (flags.legacy) terminal.note(OLD);
  await writeWhole(file, await writePkcs12({ privateKeyPem, certificatePem, chainPems }, secret, { legacy: flags.legacy }));
  terminal.out(file);
  return exits.ok;
}

async function identityOf(what: string, flags: ExportFlags, home: string): Promise<TlsIdentity> {
  if (isOwnEnd(what)) return readTlsIdentity(endFolder(home, what));
  if (what !== 'partner' || flags.org === undefined)
    throw new WrongUsage('name inbox, broker, edge, exchange, notary, or partner with --org CC');
  const folders = new CountryFolders(home);
  const vault = new FileKeyVault({ folder: folders.keys('exchange'), clock: new SystemClock() });
  const identity = await findPartnerIdentity(folders.partner(orgOf(flags.org)), vault);
  if (identity === undefined) throw new PortolanError('keys.none-live', `identity at ${flags.org}`);
  return identity;
}

/** `portolan cert import`. */
export async function importIdentity(what: string, flags: ImportFlags, terminal: Terminal): Promise<Exit> {
  const home = await findHome(flags, terminal);
  if (isOwnEnd(what)) await importEnd(what, home, flags, terminal);
  else await importAdmission(what, home, flags, terminal);
  return exits.ok;
}

async function importEnd(end: OwnEnd, home: string, flags: ImportFlags, terminal: Terminal): Promise<void> {
  const folder = endFolder(home, end);
  if (flags.file === undefined) {
    const answer = await answerOf(flags, terminal);
    await new TlsIdentityRequests(folder, new X509Authorities()).accept(answer);
    told(end, answer.certificatePem, terminal);
    return;
  }
  if (flags.legacy) terminal.note(OLD);
  const bytes = await readBytes(resolve(terminal.folder, flags.file), flags.file, MAX_P12_BYTES);
  const content = await openPkcs12(bytes, await passphrase(flags, terminal, { twice: false }), { legacy: flags.legacy });
  const authorityPem = flags.authority === undefined ? content.chainPems[0] : await readText(flags.authority, terminal);
  if (authorityPem === undefined) throw new WrongUsage('the file holds no authority: name it by --authority FILE');
  verifyChain(content.certificatePem, authorityPem, { at: Date.now(), purpose: 'server' });
  await writeTlsIdentity(folder, { privateKeyPem: content.privateKeyPem, certificatePem: content.certificatePem, authorityPem });
  told(end, content.certificatePem, terminal);
}

/** What a partner, or the orderer's organisation, issued for our TLS key. */
async function importAdmission(what: string, home: string, flags: ImportFlags, terminal: Terminal): Promise<void> {
  if (what !== 'orderer' && (what !== 'partner' || flags.org === undefined))
    throw new WrongUsage('name inbox, broker, edge, exchange, notary, orderer, or partner with --org CC');
  const answer = await answerOf(flags, terminal);
  const { kid } = verifyChain(answer.certificatePem, answer.authorityPem, { at: Date.now(), purpose: 'client' });
  const folders = new CountryFolders(home);
  const vault = new FileKeyVault({ folder: folders.keys(what === 'partner' ? 'exchange' : 'notary'), clock: new SystemClock() });
  const own = (await vault.list('tls')).find((key) => key.kid === kid);
  if (own === undefined) throw new PortolanError('x509.certificate-invalid', 'certificate', 'it is for no TLS key of ours');
  const folder = what === 'partner' ? folders.partner(orgOf(flags.org ?? '')) : folders.orderer;
  await storeAdmission(folder, { kid: own.kid, ...answer });
  told(what === 'partner' ? `our key at ${flags.org ?? ''}` : 'our key at the orderer', answer.certificatePem, terminal);
}

async function answerOf(flags: ImportFlags, terminal: Terminal): Promise<{ certificatePem: string; authorityPem: string }> {
  if (flags.certificate === undefined || flags.authority === undefined)
    throw new WrongUsage('give --certificate FILE and --authority FILE');
  const [certificatePem, authorityPem] = [await readText(flags.certificate, terminal), await readText(flags.authority, terminal)];
  verifyChain(certificatePem, authorityPem, { at: Date.now() });
  return { certificatePem, authorityPem };
}

function isChainOf(certificatePem: string, authorityPem: string): boolean {
  try {
    verifyChain(certificatePem, authorityPem, { at: Date.now() });
    return true;
  } catch {
    return false;
  }
}

function orgOf(text: string): string {
  if (!/^[A-Z][A-Z0-9]{1,7}$/.test(text)) throw new WrongUsage('a partner is named as on the channel, such as PT');
  return text;
}

function told(what: string, certificatePem: string, terminal: Terminal): void {
  const { commonName, serial, notAfter } = describeCertificate(certificatePem);
  terminal.note(`${what}: ${commonName}, serial ${serial}, until ${notAfter}, is in force`);
}
