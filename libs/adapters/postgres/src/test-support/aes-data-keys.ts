import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PortolanError } from '@portolan/contracts';
import { DataKeys, type WrappedKey } from '@portolan/domain';

/** Data keys for this package's tests: AES-256-GCM as the port says, the key itself standing in for its wrapped form. */
export class AesDataKeys extends DataKeys {
  override async create(): Promise<WrappedKey> {
    return randomBytes(32);
  }

  override async encrypt(key: WrappedKey, plaintext: Uint8Array, context: string): Promise<Uint8Array> {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
    return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  override async decrypt(key: WrappedKey, ciphertext: Uint8Array, context: string): Promise<Uint8Array> {
    const decipher = createDecipheriv('aes-256-gcm', key, ciphertext.subarray(0, 12)).setAAD(Buffer.from(context));
    try {
      decipher.setAuthTag(ciphertext.subarray(-16));
      return new Uint8Array(Buffer.concat([decipher.update(ciphertext.subarray(12, -16)), decipher.final()]));
    } catch {
      throw new PortolanError('keys.undecryptable', 'test');
    }
  }
}
