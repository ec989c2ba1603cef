import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PortolanError } from '@portolan/contracts';
import { DataKeys, type WrappedKey } from '@portolan/domain';
import { readMasterKeys, type MasterKey, type MasterKeyRing } from './master-keys.js';

/*
 * AES-256-GCM (NIST SP 800-38D), 96-bit random nonce, 128-bit tag.
 *   box         nonce (12) ‖ ciphertext ‖ tag (16)
 *   wrapped key version (1) ‖ id of the master key (8) ‖ box of 32 bytes     = 69 bytes; bound to its first nine
 *   ciphertext  version (1) ‖ box                                            bound to version and context
 */
const VERSION = 1;
const NONCE = 12;
const TAG = 16;
const DATA_KEY = 32;
const WRAP_HEADER = 9;
export const WRAPPED_KEY_BYTES = WRAP_HEADER + NONCE + DATA_KEY + TAG;

const utf8 = new TextEncoder();
const versioned = Uint8Array.of(VERSION);

/** Data keys wrapped by master keys that lie in a folder. A master key that another process added is found when it is met. */
export class MasterKeyDataKeys extends DataKeys {
  private constructor(
    private readonly folder: string,
    private ring: MasterKeyRing,
  ) {
    super();
  }

  /** Throws `keys.none-live`, `keys.file-invalid`, `keys.too-open`. */
  static async open(folder: string): Promise<MasterKeyDataKeys> {
    return new MasterKeyDataKeys(folder, await readMasterKeys(folder));
  }

  async create(): Promise<WrappedKey> {
    return wrap(this.ring.current, randomBytes(DATA_KEY));
  }

  async encrypt(key: WrappedKey, plaintext: Uint8Array, context: string): Promise<Uint8Array> {
    const dataKey = await this.unwrap(key);
    return concat(versioned, box(dataKey, plaintext, bound(context)));
  }

  async decrypt(key: WrappedKey, ciphertext: Uint8Array, context: string): Promise<Uint8Array> {
    if (ciphertext[0] !== VERSION) throw undecryptable('ciphertext', 'unknown version');
    const dataKey = await this.unwrap(key);
    return unbox(dataKey, ciphertext.subarray(1), bound(context), 'ciphertext');
  }

  /** The same data key under the current master key: after a rotation all stored keys pass here, then the old master can go. */
  async rewrap(key: WrappedKey): Promise<WrappedKey> {
    const dataKey = await this.unwrap(key);
    return wrap(this.ring.current, dataKey);
  }

  /** Looks at the folder again; new data keys are wrapped by what is current there. */
  async refresh(): Promise<void> {
    this.ring = await readMasterKeys(this.folder);
  }

  private async unwrap(key: WrappedKey): Promise<Uint8Array> {
    if (key.length !== WRAPPED_KEY_BYTES || key[0] !== VERSION) throw undecryptable('wrapped key', 'unknown version or length');
    const master = await this.master(Buffer.from(key.subarray(1, WRAP_HEADER)).toString('hex'));
    return unbox(master.bytes, key.subarray(WRAP_HEADER), key.subarray(0, WRAP_HEADER), 'wrapped key');
  }

  private async master(id: string): Promise<MasterKey> {
    if (!this.ring.all.has(id)) await this.refresh();
    const master = this.ring.all.get(id);
    if (master === undefined) throw undecryptable('wrapped key', `no master key ${id}`);
    return master;
  }
}

function wrap(master: MasterKey, dataKey: Uint8Array): WrappedKey {
  const header = concat(versioned, Buffer.from(master.id, 'hex'));
  return concat(header, box(master.bytes, dataKey, header));
}

/** The context is bound together with the version. */
const bound = (context: string): Uint8Array => concat(versioned, utf8.encode(context));

function box(key: Uint8Array, plaintext: Uint8Array, additional: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  cipher.setAAD(additional);
  return concat(nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

function unbox(key: Uint8Array, sealed: Uint8Array, additional: Uint8Array, where: string): Uint8Array {
  if (sealed.length < NONCE + TAG) throw undecryptable(where, 'truncated');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(additional);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const plaintext = decipher.update(sealed.subarray(NONCE, sealed.length - TAG));
  try {
    decipher.final();
  } catch {
    throw undecryptable(where, 'key, context or bytes do not fit');
  }
  return new Uint8Array(plaintext);
}

function undecryptable(where: string, detail: string): PortolanError {
  return new PortolanError('keys.undecryptable', where, detail);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
