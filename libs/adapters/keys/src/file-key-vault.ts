import { webcrypto } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { PortolanError, type Kid } from '@portolan/contracts';
import {
  liveKey,
  instant,
  KeyVault,
  type Clock,
  type KeyUse,
  type OwnKey,
  type PrivateKeyHandle,
  type SigningKeys,
  type Validity,
} from '@portolan/domain';
import { orMissing } from './files.js';
import { createKeyFile, importHandle, kidOfFile, readDescription, readPrivateKeyPem, removeKeyFile } from './key-file.js';

export interface FileKeyVaultConfig {
  /** Folder of one role's keys; nobody else's user reads it. */
  readonly folder: string;
  readonly clock: Clock;
  /** How long a listing is believed before the folder is looked at again, milliseconds. Another process may rotate keys. */
  readonly refreshMs?: number;
}

/** Keys of one role in a folder (layout: README). Keys that another process adds or removes are noticed within `refreshMs`. */
export class FileKeyVault extends KeyVault implements SigningKeys {
  private readonly handles = new Map<Kid, Promise<PrivateKeyHandle>>();
  private listed: { at: number; keys: Promise<readonly OwnKey[]> } | undefined;

  constructor(private readonly config: FileKeyVaultConfig) {
    super();
  }

  async current(use: KeyUse): Promise<OwnKey> {
    return liveKey(await this.list(use), use, instant(this.config.clock.now()));
  }

  /** Youngest first; also those that have ended and were not destroyed yet. */
  async list(use: KeyUse): Promise<readonly OwnKey[]> {
    return (await this.all()).filter((key) => key.use === use);
  }

  async privateKey(kid: Kid): Promise<PrivateKeyHandle> {
    const key = await this.find(kid);
    const known = this.handles.get(kid);
    if (known !== undefined) return known;
    const handle = readPrivateKeyPem(this.config.folder, key).then((pem) => importHandle(pem, key.use));
    this.handles.set(kid, handle);
    handle.catch(() => this.handles.delete(kid));
    return handle;
  }

  async sign(kid: Kid, bytes: Uint8Array): Promise<Uint8Array> {
    const { use } = await this.find(kid);
    if (use === 'seal') throw new PortolanError('keys.purpose-mismatch', kid, 'a key for seal');
    return new Uint8Array(
      await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, await this.privateKey(kid), new Uint8Array(bytes)),
    );
  }

  /**
   * PKCS#8 PEM of a `tls` key: Node's TLS takes no handle. Beside `ledger` keys no other use leaves the vault.
   * Throws `keys.purpose-mismatch`, `keys.unknown`.
   */
  tlsKeyPem(kid: Kid): Promise<string> {
    return this.pem(kid, 'tls');
  }

  /** PKCS#8 PEM of a `ledger` key: a Fabric client signs digests, which no handle does. Throws as `tlsKeyPem`. */
  ledgerKeyPem(kid: Kid): Promise<string> {
    return this.pem(kid, 'ledger');
  }

  /** For the setup tool: makes a key that is used for new acts within `validity`. Older keys of the use stay until destroyed. */
  async generate(use: KeyUse, validity: Validity): Promise<OwnKey> {
    const key = await createKeyFile(this.config.folder, use, validity);
    this.listed = undefined;
    return key;
  }

  /** Removes a key for good: what was sealed to it opens no more. Idempotent. */
  async destroy(kid: Kid): Promise<void> {
    await removeKeyFile(this.config.folder, kid);
    this.handles.delete(kid);
    this.listed = undefined;
  }

  private async pem(kid: Kid, use: KeyUse): Promise<string> {
    const key = await this.find(kid);
    if (key.use !== use) throw new PortolanError('keys.purpose-mismatch', kid, `a key for ${key.use}`);
    return readPrivateKeyPem(this.config.folder, key);
  }

  private async find(kid: Kid): Promise<OwnKey> {
    const key = (await this.all()).find((one) => one.kid === kid);
    if (key === undefined) throw new PortolanError('keys.unknown', kid);
    return key;
  }

  private async all(): Promise<readonly OwnKey[]> {
    const now = this.config.clock.now();
    const fresh = this.listed !== undefined && Math.abs(now - this.listed.at) < (this.config.refreshMs ?? 1000);
    if (this.listed !== undefined && fresh) return this.listed.keys;
    const keys = this.readFolder();
    this.listed = { at: now, keys };
    keys.catch(() => (this.listed = undefined));
    return keys;
  }

  private async readFolder(): Promise<readonly OwnKey[]> {
    const names = (await orMissing(readdir(this.config.folder))) ?? [];
    const kids = names.map(kidOfFile).filter((kid) => kid !== undefined);
    const keys = (await Promise.all(kids.map((kid) => readDescription(this.config.folder, kid)))).filter((key) => key !== undefined);
    const here = new Set(keys.map((key) => key.kid));
    for (const kid of this.handles.keys()) if (!here.has(kid)) this.handles.delete(kid);
    return keys.sort((a, b) => b.notBefore.localeCompare(a.notBefore) || a.kid.localeCompare(b.kid));
  }
}
