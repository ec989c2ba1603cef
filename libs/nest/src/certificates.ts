// The certificates of a country for a tool that is no node (`portolan cert`): a light door, without Nest or a database.
import { parseBounded, PortolanError } from '@portolan/contracts';
import { isLiveAt, type OwnKey } from '@portolan/domain';
import { CertificateOffice, SystemClock, validFor } from '@portolan/keys';
import { Token, TokenSigningKeys, type TokenConfig } from '@portolan/pkcs11';
import { X509Authorities } from '@portolan/x509';

export {
  certificateInventory,
  CountryFolders,
  FileKeyVault,
  findPartnerIdentity,
  findTlsIdentity,
  ownEnds,
  readTlsIdentity,
  storeAdmission,
  SystemClock,
  TlsIdentityRequests,
  writeTlsIdentity,
  type AuthorityName,
  type CertificateOffice,
  type InventoryRow,
  type Issued,
  type OwnEnd,
  type Revocation,
  type TlsIdentity,
} from '@portolan/keys';
export { describeCertificate, isHost, openPkcs12, verifyChain, writePkcs12, X509Authorities } from '@portolan/x509';

const MAX_TOKEN_CHARS = 10_000;
const TOKEN_TEXTS = ['module', 'binding', 'token', 'pinFile'] as const;

/**
 * Runs `act` with the office of the country whose folder this is (CountryFolders). `tokenText` is the JSON that says in which token its
 * authorities' keys are (`ledgerKey` of the node's configuration has the same form). Throws `config.invalid` where it is not of that form.
 */
export async function withOffice<T>(
  home: string,
  tokenText: string | undefined,
  act: (office: CertificateOffice) => Promise<T>,
): Promise<T> {
  const clock = new SystemClock();
  const token = tokenText === undefined ? undefined : new Token(tokenOf(tokenText));
  const keys = token === undefined ? {} : { token: new TokenSigningKeys(token, { clock }) };
  try {
    return await act(new CertificateOffice({ home, authorities: new X509Authorities(), clock, ...keys }));
  } finally {
    await token?.close();
  }
}

/** The ledger key in a token: the live one, or a new one where there is none or another is wanted. */
export async function ledgerKeyInToken(tokenText: string, days: number, again: boolean): Promise<{ key: OwnKey; fresh: boolean }> {
  const clock = new SystemClock();
  const token = new Token(tokenOf(tokenText));
  try {
    const keys = new TokenSigningKeys(token, { clock });
    const now = new Date(clock.now()).toISOString();
    const live = (await keys.list('ledger')).find((key) => isLiveAt(key, now));
    if (live !== undefined && !again) return { key: live, fresh: false };
    return { key: await keys.generate('ledger', validFor(days, clock)), fresh: true };
  } finally {
    await token.close();
  }
}

function tokenOf(text: string): TokenConfig {
  const value = parseBounded(text, MAX_TOKEN_CHARS, 'config.invalid', 'token') as Record<string, unknown> | null;
  const missing = TOKEN_TEXTS.find((name) => typeof value?.[name] !== 'string');
  if (missing !== undefined) throw new PortolanError('config.invalid', 'token', `${missing} is missing`);
  return value as unknown as TokenConfig;
}
