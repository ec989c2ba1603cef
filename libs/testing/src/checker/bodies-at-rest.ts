import { createDecipheriv } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const NONCE = 12;
const TAG = 16;
const WRAP_HEADER = 9;

export interface DataKeyRow {
  readonly id: string;
  readonly wrapped: Buffer | null;
}

/** What a body is after reading: text, or that its key was destroyed, or that it does not open though its key is there. */
export type Opened = { readonly text: string } | 'destroyed' | 'broken';

/** Opens what a role keeps encrypted, with the role's master keys as they lie in its folder (AES-256-GCM, NIST SP 800-38D). */
export class BodiesAtRest {
  private constructor(
    private readonly masters: ReadonlyMap<string, Buffer>,
    private readonly keys: ReadonlyMap<string, Buffer | null>,
  ) {}

  static async open(folder: string, keys: readonly DataKeyRow[]): Promise<BodiesAtRest> {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.master'));
    const read = names.map(async (name): Promise<[string, Buffer]> => {
      const text = await readFile(join(folder, name), 'utf8');
      return [name.replace('.master', ''), Buffer.from(text.trim(), 'base64url')];
    });
    return new BodiesAtRest(new Map(await Promise.all(read)), new Map(keys.map(({ id, wrapped }) => [id, wrapped])));
  }

  isDestroyed(keyId: string): boolean {
    return this.keys.get(keyId) == null;
  }

  /** `place`: `<schema>.<table>:<row>`, to which the ciphertext is bound. */
  read(keyId: string, body: Buffer, place: string): Opened {
    const wrapped = this.keys.get(keyId);
    if (wrapped == null) return 'destroyed';
    try {
      const master = this.masters.get(wrapped.subarray(1, WRAP_HEADER).toString('hex'));
      if (master === undefined) return 'broken';
      const key = unbox(master, wrapped.subarray(WRAP_HEADER), wrapped.subarray(0, WRAP_HEADER));
      return { text: unbox(key, body.subarray(1), Buffer.concat([Buffer.of(1), Buffer.from(place)])).toString('utf8') };
    } catch {
      return 'broken';
    }
  }
}

function unbox(key: Buffer, box: Buffer, additional: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(additional);
  decipher.setAuthTag(box.subarray(box.length - TAG));
  return Buffer.concat([decipher.update(box.subarray(NONCE, box.length - TAG)), decipher.final()]);
}
