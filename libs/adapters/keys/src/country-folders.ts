import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseBounded, PortolanError, type OrgId } from '@portolan/contracts';
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

  /** Whom a role erased (`FileErasureRegister`): backed up apart from its database, and its newest copy kept. */
  erasures(role: Role): string {
    return join(this.root, role, 'erasures.jsonl');
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
const PARTS = ['privateKeyPem', 'authorityPem', 'certificatePem'] as const;
/** A whole identity in one file: it counts before the three, so that a change of them is there at once or not at all. */
const NEXT = 'next.json';
const MAX_NEXT_CHARS = 100_000;
const TRIES = 5;
const BETWEEN_TRIES_MS = 20;

/** Undefined where the folder does not hold all three files. Throws `keys.file-invalid` where key and certificate are no pair. */
export async function findTlsIdentity(folder: string): Promise<TlsIdentity | undefined> {
  for (let tries = 1; ; tries += 1) {
    const found = (await readNext(folder)) ?? (await readThree(folder));
    if (found === undefined || isPair(found)) return found;
    // Another process may be between two files.
    if (tries === TRIES) throw new PortolanError('keys.file-invalid', 'TLS identity', 'key and certificate are no pair');
    await pause(BETWEEN_TRIES_MS);
  }
}

async function readNext(folder: string): Promise<TlsIdentity | undefined> {
  const text = await orMissing(readFile(join(folder, NEXT), 'utf8'));
  if (text === undefined) return undefined;
  const value = parseBounded(text, MAX_NEXT_CHARS, 'keys.file-invalid', 'TLS identity') as Record<string, unknown> | null;
  if (!PARTS.every((name) => typeof value?.[name] === 'string')) throw new PortolanError('keys.file-invalid', 'TLS identity');
  return value as unknown as TlsIdentity;
}

async function readThree(folder: string): Promise<TlsIdentity | undefined> {
  const read = (name: string): Promise<string | undefined> => orMissing(readFile(join(folder, name), 'utf8'));
  const [privateKeyPem, authorityPem, certificatePem] = await Promise.all(Object.values(FILES).map(read));
  if (privateKeyPem === undefined || authorityPem === undefined || certificatePem === undefined) return undefined;
  return { privateKeyPem, certificatePem, authorityPem };
}

function isPair({ privateKeyPem, certificatePem }: TlsIdentity): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    return false;
  }
}

/** Throws `keys.none-live` where the folder holds no identity, `keys.file-invalid` where it is no pair. */
export async function readTlsIdentity(folder: string): Promise<TlsIdentity> {
  const identity = await findTlsIdentity(folder);
  if (identity === undefined) throw new PortolanError('keys.none-live', 'TLS identity');
  return identity;
}

/** A killed process leaves the old identity or the new one, and never half of each; running readers see the new one from then on. */
export async function writeTlsIdentity(folder: string, identity: TlsIdentity): Promise<void> {
  await privateFolder(folder);
  const next = join(folder, NEXT);
  const { privateKeyPem, authorityPem, certificatePem } = identity;
  await writePrivately(next, `${JSON.stringify({ privateKeyPem, authorityPem, certificatePem })}\n`);
  for (const name of PARTS) await writePrivately(join(folder, FILES[name]), identity[name]);
  await orMissing(unlink(next));
}
