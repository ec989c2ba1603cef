import { InvalidArgumentError, Option, type Command } from 'commander';
import { nodeOptions } from '../files/node-options.js';
import type { Run } from '../terminal.js';
import type { ExportFlags, ImportFlags } from './carry.js';
import type { HomeFlags } from './home.js';
import type { AuthorityFlags, IssueFlags, KeyFlags, RenewFlags, RequestFlags } from './issue.js';
import type { ListFlags } from './list.js';
import type { RevocationsFlags, RevokeFlags } from './revoke.js';

const ENDS = 'inbox, broker, edge, exchange, notary';
const reasons = ['unspecified', 'keyCompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation'];

export function addCert(program: Command, run: Run): void {
  const cert = program
    .command('cert')
    .description('certificates of a country: request, issue, renew, revoke, list, export, import')
    .addHelpText('after', '\nWho issues what for whom: docs/recipes/certificates.md.');
  for (const add of [addAuthority, addIssue, addRenew, addRequest, addRevoke, addRevocations, addKey, addList, addExport, addImport])
    add(cert, run);
}

/** The country's folder: named itself, or by the node's configuration. */
const homeOptions = (command: Command): Command =>
  nodeOptions(command).addOption(
    new Option('--home <dir>', "the country's folder, with authority/ in it where it issues").conflicts(['config', 'country', 'folder']),
  );

/** The same for what signs: the authorities' keys may be in a token. */
const officeOptions = (command: Command): Command =>
  homeOptions(command).option('--pkcs11 <file>', "JSON that names the token with the authorities' keys: module, binding, token, pinFile");

const hostOption = (): Option =>
  new Option('--host <name...>', 'DNS name or address under which it is reached, beside localhost and 127.0.0.1');
const daysOption = (): Option => new Option('--days <n>', 'how long it holds').argParser(count);
const jsonOption = (): Option => new Option('--json', 'print one line of JSON').default(false);

function passphraseOptions(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'the first line of a file, or of standard input by -')
    .addOption(new Option('--passphrase-fd <n>', 'the first line of an open file descriptor').argParser(count).conflicts('passphraseFile'));
}

function count(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('A whole number is wanted.');
  return Number(text);
}

function addAuthority(cert: Command, run: Run): void {
  officeOptions(cert.command('authority'))
    .description("make a country's authorities where they are missing, and print the certificate that partners pin")
    .requiredOption('--org <cc>', 'the country, such as EE')
    .action((flags: AuthorityFlags) => run(async (terminal) => (await import('./issue.js')).authority(flags, terminal)));
}

function addIssue(cert: Command, run: Run): void {
  officeOptions(cert.command('issue'))
    .description('issue a certificate: for an end of this node, for a request of one, or for a partner')
    .argument('<what>', `${ENDS}, or partner`)
    .option(
      '--request <file>',
      "the certificate signing request, by - from standard input (a partner's always; an end's whose key is elsewhere)",
    )
    .option('--org <cc>', 'the partner, such as PT')
    .option('--kid <kid>', "the partner's registered key: a request for any other is refused")
    .addOption(hostOption())
    .addOption(daysOption())
    .option('--again', 'issue another one although one lives', false)
    .option('--out <dir>', 'write certificate.pem and authority.pem there instead of to standard output')
    .addOption(jsonOption())
    .action((what: string, flags: IssueFlags) => run(async (terminal) => (await import('./issue.js')).issue(what, flags, terminal)));
}

function addRenew(cert: Command, run: Run): void {
  officeOptions(cert.command('renew'))
    .description('renew what ends soon: an end of this node under a new key, or what was issued for a key under the same')
    .argument('<what>', `${ENDS}; or serial number, key id or name of what was issued`)
    .addOption(hostOption())
    .addOption(daysOption())
    .option('--now', 'also where it does not end soon', false)
    .option('--out <dir>', 'write certificate.pem and authority.pem there instead of to standard output')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe certificate before lives on to its own end. Where nothing is due nothing is done, so it may run every day.',
    )
    .action((what: string, flags: RenewFlags) => run(async (terminal) => (await import('./issue.js')).renew(what, flags, terminal)));
}

function addRequest(cert: Command, run: Run): void {
  homeOptions(cert.command('request'))
    .description('print a certificate signing request: for our TLS key at a partner or orderer, or for an end of this node')
    .argument('<what>', `partner, orderer, or ${ENDS}`)
    .addOption(hostOption())
    .action((what: string, flags: RequestFlags) => run(async (terminal) => (await import('./issue.js')).request(what, flags, terminal)));
}

function addRevoke(cert: Command, run: Run): void {
  officeOptions(cert.command('revoke'))
    .description('revoke a certificate, or all of a key; says what was done and what remains to be done by whom')
    .argument('<id>', 'serial number, key id or name, as cert list shows them')
    .addOption(new Option('--reason <reason>', 'why').choices(reasons).makeOptionMandatory())
    .addOption(jsonOption())
    .action((id: string, flags: RevokeFlags) => run(async (terminal) => (await import('./revoke.js')).revoke(id, flags, terminal)));
}

function addKey(cert: Command, run: Run): void {
  cert
    .command('key')
    .description("make the notary's ledger key in a PKCS#11 token, where there is no live one, and print its public half as JSON")
    .requiredOption('--pkcs11 <file>', 'JSON that names the token: module, binding, token, pinFile')
    .addOption(daysOption())
    .option('--again', 'make the next one although one lives', false)
    .action((flags: KeyFlags) => run(async (terminal) => (await import('./issue.js')).key(flags, terminal)));
}

function addRevocations(cert: Command, run: Run): void {
  officeOptions(cert.command('revocations'))
    .description('make the list of revocations anew, before the last one ends')
    .addOption(new Option('--authority <name>', 'whose').choices(['exchange', 'internal']).default('exchange'))
    .addOption(jsonOption())
    .action((flags: RevocationsFlags) => run(async (terminal) => (await import('./revoke.js')).revocations(flags, terminal)));
}

function addList(cert: Command, run: Run): void {
  homeOptions(cert.command('list'))
    .description('list the certificates of a country with state, end and days left')
    .addOption(new Option('--within <days>', 'exit with 1 where one ends within so many days and has no successor').argParser(count))
    .option('--all', 'also what ended long ago', false)
    .addOption(jsonOption())
    .action((flags: ListFlags & HomeFlags) => run(async (terminal) => (await import('./list.js')).list(flags, terminal)));
}

function addExport(cert: Command, run: Run): void {
  passphraseOptions(homeOptions(cert.command('export')))
    .description('write key and certificates of an end of this node, or of our key at a partner, as PKCS#12')
    .argument('<what>', `${ENDS}, or partner`)
    .option('--org <cc>', 'the partner that let our key in')
    .requiredOption('--out <file>', 'the file to write, for its owner alone')
    .option('--legacy', 'SHA-1 MAC and 3DES, for software that reads nothing else (RSA keys alone)', false)
    .action((what: string, flags: ExportFlags) =>
      run(async (terminal) => (await import('./carry.js')).exportIdentity(what, flags, terminal)),
    );
}

function addImport(cert: Command, run: Run): void {
  passphraseOptions(homeOptions(cert.command('import')))
    .description('take in what another authority issued: a PKCS#12 file, or the certificate for a key that was requested here')
    .argument('<what>', `${ENDS}, partner, or orderer`)
    .option('--file <file>', 'PKCS#12 with key, certificate and chain')
    .addOption(new Option('--certificate <file>', 'PEM, the answer to cert request').conflicts('file'))
    .option('--authority <file>', 'PEM of the authority that the other end must come from (default: the first of the chain)')
    .option('--org <cc>', 'the partner that issued it')
    .option('--legacy', 'also read files made with old algorithms (3DES, RC2, SHA-1)', false)
    .action((what: string, flags: ImportFlags) =>
      run(async (terminal) => (await import('./carry.js')).importIdentity(what, flags, terminal)),
    );
}
