import { join } from 'node:path';
import type { NodeConfig } from '@portolan/contracts';
import { roles, type KeyUse } from '@portolan/domain';
import {
  certificateInventory,
  CountryFolders,
  describeCertificate,
  FileKeyVault,
  findFabricIdentity,
  findPartnerIdentity,
  findTlsIdentity,
  MasterKeyDataKeys,
  SystemClock,
  Token,
  TokenSigningKeys,
} from '@portolan/nest';
import { bad, good, looked, type Finding } from './finding.js';
import { lasting } from './lasting.js';

/** What each role signs, seals and speaks with, and how many days before its end somebody should act. A sealing key lives a month. */
const KEYS: readonly { role: 'exchange' | 'notary'; use: KeyUse; early: number }[] = [
  { role: 'exchange', use: 'sign', early: 30 },
  { role: 'exchange', use: 'seal', early: 5 },
  { role: 'exchange', use: 'tls', early: 30 },
  { role: 'notary', use: 'ledger', early: 30 },
  { role: 'notary', use: 'tls', early: 30 },
];
const CERTIFICATE_EARLY = 30;
const TOKEN_KEY_EARLY = 30;
const MEND = 'Restore the files from their backup, or let the setup tool make new ones and register the keys';

/** Keys of each role and the master keys of its data at rest. */
export async function keyFindings({ country, home, ledgerKey }: NodeConfig): Promise<readonly Finding[]> {
  const folders = new CountryFolders(home);
  const clock = new SystemClock();
  const inToken =
    ledgerKey === undefined ? [] : [looked(`${country} key notary/ledger`, MEND, () => tokenKeyFinding(country, ledgerKey, clock))];
  const inFiles = KEYS.filter(({ use }) => use !== 'ledger' || ledgerKey === undefined);
  const keys = inFiles.map(({ role, use, early }) => {
    const check = `${country} key ${role}/${use}`;
    return looked(check, MEND, async () => {
      const vault = new FileKeyVault({ folder: folders.keys(role), clock });
      const { kid, notAfter } = await vault.current(use);
      // Reading it shows that the private half is there, belongs to it, and is not open to everybody.
      await vault.privateKey(kid);
      return lasting(
        check,
        notAfter,
        clock.now(),
        early,
        'Make the next key, register it on the channel, and destroy this one when nothing under it can still arrive',
      );
    });
  });
  const masters = roles.map((role) => {
    const check = `${country} master key ${role}`;
    return looked(check, MEND, async () => {
      await MasterKeyDataKeys.open(folders.master(role));
      return good(check, 'opens');
    });
  });
  return (await Promise.all([...keys, ...inToken, ...masters])).flat();
}

/** The ledger key in a token: that it is there and signs shows that module, binding, label and PIN are right. */
async function tokenKeyFinding(country: string, place: NonNullable<NodeConfig['ledgerKey']>, clock: SystemClock): Promise<Finding> {
  const token = new Token(place);
  try {
    const keys = new TokenSigningKeys(token, { clock });
    const { kid, notAfter } = await keys.current('ledger');
    await keys.sign(kid, new Uint8Array(1));
    return lasting(
      `${country} key notary/ledger`,
      notAfter,
      clock.now(),
      TOKEN_KEY_EARLY,
      'Make the next key in the token, and register it on the channel',
    );
  } finally {
    await token.close();
  }
}

/** Certificates of our doors, and those that partners and the channel's side issued for us. */
export async function certificateFindings({
  country,
  home,
  partners,
  transport,
  ledger,
  ledgerKey,
}: NodeConfig): Promise<readonly Finding[]> {
  const folders = new CountryFolders(home);
  const inner = transport.kind === 'tcp' ? roles.map((role) => ({ name: `internal ${role}`, folder: folders.internal(role) })) : [];
  const own = [{ name: 'inbox', folder: folders.inbox }, ...inner].map(({ name, folder }) => {
    const check = `${country} certificate ${name}`;
    return looked(check, MEND, async () => certificateFinding(check, (await findTlsIdentity(folder))?.certificatePem));
  });
  const issued = [
    ...partners.map(({ country: at }) => ({
      ...{ name: `at ${at}`, role: 'exchange' as const, folder: folders.partner(at), find: findPartnerIdentity },
    })),
    ...(ledger.kind === 'embedded'
      ? [{ name: 'at the orderer', role: 'notary' as const, folder: folders.orderer, find: findPartnerIdentity }]
      : []),
    // A key in a token is matched with its certificate when our peer is asked.
    ...(ledger.kind === 'fabric' && ledgerKey === undefined
      ? [{ name: 'on the channel', role: 'notary' as const, folder: folders.fabric, find: findFabricIdentity }]
      : []),
  ].map(({ name, role, folder, find }) => {
    const check = `${country} certificate ${name}`;
    return looked(check, MEND, async () => {
      const vault = new FileKeyVault({ folder: join(home, role, 'keys'), clock: new SystemClock() });
      return certificateFinding(check, (await find(folder, vault))?.certificatePem);
    });
  });
  return (await Promise.all([...own, ...issued, authorityFindings(country, home)])).flat();
}

/** Our authorities, and what they issued to partners, where they lie on this machine. */
async function authorityFindings(country: string, home: string): Promise<readonly Finding[]> {
  const check = `${country} certificates issued`;
  return looked(check, 'Restore the register of the authority from its backup', async () => {
    const rows = (await certificateInventory(home, new SystemClock().now())).filter(
      ({ purpose, by }) => purpose !== 'server' && isOurs(by),
    );
    const due = rows.filter((row) => row.due);
    if (rows.length === 0) return [];
    if (due.length === 0) return good(check, `${rows.length}, none to renew`);
    const [first] = due;
    const next =
      first?.purpose === 'authority'
        ? 'Make the next authority in time (docs/recipes/certificates.md)'
        : 'portolan cert list, then cert renew';
    return bad(check, `${due.length} to renew, first ${first?.commonName ?? ''} in ${first?.daysLeft ?? 0} days`, next);
  });
}

const isOurs = (by: string): boolean => by === 'exchange' || by === 'internal';

function certificateFinding(check: string, pem: string | undefined): Finding {
  if (pem === undefined)
    return bad(check, 'missing', 'Ask the authority of the door for a certificate for our registered TLS key, and store it');
  const { notAfter } = describeCertificate(pem);
  return lasting(
    check,
    notAfter,
    new SystemClock().now(),
    CERTIFICATE_EARLY,
    'Renew it: portolan cert renew where our own authority signed it, portolan cert request for another',
  );
}
