import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBounded, PortolanError, type Kid, type OrgId } from '@portolan/contracts';
import { parsePartnerName } from '@portolan/domain';
import { orMissing, privateFolder, writePrivately } from '../files.js';
import type { IssuedEntry, RegisterEntry } from './register.js';

/** What a country's own door turns away although the channel calls the key live: made of the register of its authority. */
export interface RefusedKeys {
  /** Partners' keys: revoked as known to others, or without a certificate that was not revoked. */
  readonly keys: readonly { readonly org: OrgId; readonly kid: Kid }[];
  /** Serial numbers of revoked certificates, hexadecimal, lower case. */
  readonly serials: readonly string[];
}

const FILE = 'refused.json';
const MAX_CHARS = 8_000_000;
const VERSION = 1;

/** What the register says of certificates that have not ended yet. */
export function refusedBy(entries: readonly RegisterEntry[], now: string): RefusedKeys {
  const issued = entries.filter((entry): entry is IssuedEntry => entry.act === 'issued' && entry.notAfter > now);
  const reasons = new Map(entries.flatMap((entry) => (entry.act === 'revoked' ? [[entry.serial, entry.reason] as const] : [])));
  const isRevoked = ({ serial }: IssuedEntry): boolean => reasons.has(serial);
  const partners = Map.groupBy(
    issued.filter(({ purpose }) => purpose === 'partner'),
    ({ commonName }) => commonName,
  );
  const refused = [...partners].filter(
    ([, all]) => all.every(isRevoked) || all.some(({ serial }) => reasons.get(serial) === 'keyCompromise'),
  );
  return {
    keys: refused.flatMap(([commonName]) => parsePartnerName(commonName) ?? []),
    serials: issued.filter(isRevoked).map(({ serial }) => serial),
  };
}

/** Into the folder of the inbox's TLS identity, whole or not at all. */
export async function writeRefusedKeys(folder: string, { keys, serials }: RefusedKeys): Promise<void> {
  await privateFolder(folder);
  await writePrivately(join(folder, FILE), `${JSON.stringify({ v: VERSION, keys, serials })}\n`);
}

/** Nothing is refused where there is no such file. Throws `keys.file-invalid`: a door must not open wider because a file is damaged. */
export async function readRefusedKeys(folder: string): Promise<RefusedKeys> {
  const text = await orMissing(readFile(join(folder, FILE), 'utf8'));
  if (text === undefined) return { keys: [], serials: [] };
  const value = parseBounded(text, MAX_CHARS, 'keys.file-invalid', FILE) as Record<string, unknown> | null;
  const { v, keys, serials } = value ?? {};
  if (v !== VERSION || !Array.isArray(keys) || !Array.isArray(serials) || !keys.every(isName) || !serials.every(isText))
    throw new PortolanError('keys.file-invalid', FILE);
  return { keys, serials };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isName = (value: unknown): value is { org: OrgId; kid: Kid } =>
  typeof value === 'object' && value !== null && 'org' in value && 'kid' in value && isText(value.org) && isText(value.kid);

/** The same, looked up by a running door: what another process writes counts within `rememberMs`. */
export class RefusedKeysFile {
  private known: { until: number; names: Promise<ReadonlySet<string>> } | undefined;

  constructor(
    private readonly folder: string,
    private readonly rememberMs = 500,
  ) {}

  /** Whether a partner's key, or the certificate that it shows, is refused. Rejects with `keys.file-invalid`. */
  async refuses({ org, kid, serial }: { org: OrgId; kid: Kid; serial?: string }): Promise<boolean> {
    const names = await this.names();
    return names.has(`${org}-${kid}`) || (serial !== undefined && names.has(serial));
  }

  private names(): Promise<ReadonlySet<string>> {
    if (this.known !== undefined && performance.now() < this.known.until) return this.known.names;
    const names = readRefusedKeys(this.folder).then(
      ({ keys, serials }) => new Set([...keys.map(({ org, kid }) => `${org}-${kid}`), ...serials]),
    );
    this.known = { until: performance.now() + this.rememberMs, names };
    names.catch(() => (this.known = undefined));
    return names;
  }
}
