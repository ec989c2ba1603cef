import { copyFile, readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MasterKeyDataKeys, WRAPPED_KEY_BYTES } from './master-key-data-keys.js';
import { addMasterKey } from './master-keys.js';
import { inFolder } from './test-support.js';

const opened = async (folder: string): Promise<MasterKeyDataKeys> => {
  await addMasterKey([folder]);
  return MasterKeyDataKeys.open(folder);
};
const undecryptable = { code: 'keys.undecryptable' };
const bytes = fc.uint8Array({ maxLength: 400 });

describe('MasterKeyDataKeys', () => {
  it('decrypts what it encrypted, in the same context', () =>
    inFolder(async (folder) => {
      const keys = await opened(folder);
      const key = await keys.create();
      expect(key).toHaveLength(WRAPPED_KEY_BYTES);
      await fc.assert(
        fc.asyncProperty(bytes, fc.string(), async (plaintext, context) => {
          expect(await keys.decrypt(key, await keys.encrypt(key, plaintext, context), context)).toEqual(plaintext);
        }),
      );
    }));

  it('refuses every single altered bit of key and ciphertext', () =>
    inFolder(async (folder) => {
      const keys = await opened(folder);
      const key = await keys.create();
      const ciphertext = await keys.encrypt(key, new TextEncoder().encode('kept'), 'row 1');
      const flipped = (original: Uint8Array, bit: number): Uint8Array =>
        original.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      for (let bit = 0; bit < ciphertext.length * 8; bit += 1) {
        await expect(keys.decrypt(key, flipped(ciphertext, bit), 'row 1')).rejects.toMatchObject(undecryptable);
      }
      for (let bit = 0; bit < key.length * 8; bit += 7) {
        await expect(keys.decrypt(flipped(key, bit), ciphertext, 'row 1')).rejects.toMatchObject(undecryptable);
      }
    }));

  it('refuses another context, another key, and anything cut or made up', () =>
    inFolder(async (folder) => {
      const keys = await opened(folder);
      const [key, other] = [await keys.create(), await keys.create()];
      await fc.assert(
        fc.asyncProperty(bytes, fc.string(), fc.string(), fc.nat(), async (plaintext, context, elsewhere, cut) => {
          fc.pre(context !== elsewhere);
          const ciphertext = await keys.encrypt(key, plaintext, context);
          await expect(keys.decrypt(key, ciphertext, elsewhere)).rejects.toMatchObject(undecryptable);
          await expect(keys.decrypt(other, ciphertext, context)).rejects.toMatchObject(undecryptable);
          await expect(keys.decrypt(key, ciphertext.slice(0, cut % ciphertext.length), context)).rejects.toMatchObject(undecryptable);
          await expect(keys.decrypt(key, plaintext, context)).rejects.toMatchObject(undecryptable);
          await expect(keys.decrypt(plaintext, ciphertext, context)).rejects.toMatchObject(undecryptable);
        }),
        { numRuns: 40 },
      );
    }));

  it('never makes the same ciphertext or the same wrapped key twice', () =>
    inFolder(async (folder) => {
      const keys = await opened(folder);
      const key = await keys.create();
      const made = await Promise.all(Array.from({ length: 50 }, () => keys.encrypt(key, Uint8Array.of(1), '')));
      const wrapped = await Promise.all(Array.from({ length: 50 }, () => keys.create()));
      expect(new Set([...made, ...wrapped].map((one) => Buffer.from(one).toString('hex'))).size).toBe(100);
    }));
});

describe('the rotation of master keys', () => {
  it('opens under the old key what it wrapped, until it is wrapped anew and the old key is gone', () =>
    inFolder(async (folder) => {
      const running = await opened(folder);
      const key = await running.create();
      const ciphertext = await running.encrypt(key, Uint8Array.of(1, 2), 'row');
      const [oldFile = ''] = (await readdir(folder)).filter((name) => name.endsWith('.master'));

      await addMasterKey([folder]);
      const restarted = await MasterKeyDataKeys.open(folder);
      const rewrapped = await restarted.rewrap(key);
      expect(await running.decrypt(rewrapped, ciphertext, 'row')).toEqual(Uint8Array.of(1, 2));
      expect(await restarted.decrypt(key, ciphertext, 'row')).toEqual(Uint8Array.of(1, 2));

      await unlink(join(folder, oldFile));
      await restarted.refresh();
      expect(await restarted.decrypt(rewrapped, ciphertext, 'row')).toEqual(Uint8Array.of(1, 2));
      await expect(restarted.decrypt(key, ciphertext, 'row')).rejects.toMatchObject(undecryptable);
    }));

  it('gives two roles the same keys', () =>
    inFolder(async (folder) => {
      const folders = [join(folder, 'edge'), join(folder, 'exchange')];
      await addMasterKey(folders);
      const [edge, exchange] = await Promise.all(folders.map((one) => MasterKeyDataKeys.open(one)));
      const key = await edge!.create();
      expect(await exchange!.decrypt(key, await edge!.encrypt(key, Uint8Array.of(7), 'x'), 'x')).toEqual(Uint8Array.of(7));
    }));

  it('refuses a folder without a current key, a damaged key, and a key under a false name', () =>
    inFolder(async (folder) => {
      await expect(MasterKeyDataKeys.open(folder)).rejects.toMatchObject({ code: 'keys.none-live' });
      const id = await addMasterKey([folder]);
      const file = join(folder, `${id}.master`);
      await copyFile(file, join(folder, '0123456789abcdef.master'));
      await expect(MasterKeyDataKeys.open(folder)).rejects.toMatchObject({ code: 'keys.file-invalid' });
      await unlink(join(folder, '0123456789abcdef.master'));
      await writeFile(file, 'short');
      await expect(MasterKeyDataKeys.open(folder)).rejects.toMatchObject({ code: 'keys.file-invalid' });
      await unlink(file);
      await expect(MasterKeyDataKeys.open(folder)).rejects.toMatchObject({ code: 'keys.file-invalid' });
    }));
});
