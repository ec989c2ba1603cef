import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OrgId } from '@portolan/contracts';
import { PortolanError } from '@portolan/contracts';
import type { Role } from '@portolan/domain';
import { orMissing, privateFolder, writePrivately } from './files.js';

/** Where a country's keys and certificates lie under one folder (README). */
export class CountryFolders {
  constructor(private readonly root: string) {}

  /** Authorities with their private keys. The setup tool's alone: no running process reads it. */
  get authority(): string {
    return join(this.root, 'authority');
  }

  /** Key that signs registry acts. The setup tool's alone, and best on another machine. */
  get governanceKeys(): string {
    return join(this.root, 'governance', 'keys');
  }

  /** `FileKeyVault` of a role. */
  keys(role: 'exchange' | 'notary'): string {
    return join(this.root, role, 'keys');
  }

  /** Master keys of a role, for its data at rest: edge and exchange have the same, the notary its own. */
  master(role: Role): string {
    return join(this.root, role, 'master');
  }

  /** TLS identity of a role towards the other roles of its country. */
  internal(role: Role): string {
    return join(this.root, role, 'internal');
  }

  /** TLS identity of the country's own broker towards its roles; the inbox's serves it towards partners. */
  get broker(): string {
    return join(this.root, 'broker');
  }

  /** TLS identity of the inbox towards partners. */
  get inbox(): string {
    return join(this.root, 'exchange', 'inbox');
  }

  /** What a partner issued for our exchange. */
  partner(org: OrgId): string {
    return join(this.root, 'exchange', 'partners', org);
  }

  /** What the orderer's organisation issued for our notary (embedded ledger). */
  get orderer(): string {
    return join(this.root, 'notary', 'orderer');
  }

  /** What our organisation's MSP issued for our notary (Fabric), with the authority of our own peer's TLS certificate. */
  get fabric(): string {
    return join(this.root, 'notary', 'fabric');
  }
}

/** One end of mutual TLS, as PEM: own key, own certificate, and the authority that the other end must come from. */
export interface TlsIdentity {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  readonly authorityPem: string;
}

const FILES = { privateKeyPem: 'key.pem', authorityPem: 'authority.pem', certificatePem: 'certificate.pem' } as const;

/** Undefined where the folder does not hold all three files. */
export async function findTlsIdentity(folder: string): Promise<TlsIdentity | undefined> {
  const read = (name: string): Promise<string | undefined> => orMissing(readFile(join(folder, name), 'utf8'));
  const [privateKeyPem, authorityPem, certificatePem] = await Promise.all(Object.values(FILES).map(read));
  if (privateKeyPem === undefined || authorityPem === undefined || certificatePem === undefined) return undefined;
  return { privateKeyPem, certificatePem, authorityPem };
}

/** Throws `keys.none-live` where the folder holds no identity. */
export async function readTlsIdentity(folder: string): Promise<TlsIdentity> {
  const identity = await findTlsIdentity(folder);
  if (identity === undefined) throw new PortolanError('keys.none-live', 'TLS identity');
  return identity;
}

/** The certificate is written last: with it the identity is there. */
export async function writeTlsIdentity(folder: string, identity: TlsIdentity): Promise<void> {
  await privateFolder(folder);
  for (const name of ['privateKeyPem', 'authorityPem', 'certificatePem'] as const) {
    await writePrivately(join(folder, FILES[name]), identity[name]);
  }
}
