import { createPublicKey, verify, webcrypto } from 'node:crypto';
import { chmod, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileKeyVault } from './file-key-vault.js';
import { inFolder, SetClock } from './test-support.js';

const DAY = 86_400_000;
const START = Date.parse('2026-11-21T10:00:00.000Z');
const at = (ms: number): string => new Date(ms).toISOString();
const days = (from: number, to: number): { notBefore: string; notAfter: string } => ({
  notBefore: at(START + from * DAY),
  notAfter: at(START + to * DAY),
});
const open = (folder: string, clock = new SetClock(START)): FileKeyVault => new FileKeyVault({ folder, clock, refreshMs: 1000 });

describe('FileKeyVault', () => {
  it('signs with a handle that cannot be read out, and its public key verifies', () =>
    inFolder(async (folder) => {
      const vault = open(folder);
      const key = await vault.generate('sign', days(0, 30));
      const handle = await vault.privateKey(key.kid);
      expect(handle.extractable).toBe(false);
      await expect(webcrypto.subtle.exportKey('pkcs8', handle)).rejects.toThrow();
      const text = Buffer.from('what is signed');
      const signature = new Uint8Array(await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, handle, text));
      const publicKey = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' });
      expect(verify('sha256', text, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    }));

  it('agrees on secrets with a seal key, and with no other', () =>
    inFolder(async (folder) => {
      const vault = open(folder);
      const seal = await vault.generate('seal', days(0, 30));
      expect(await vault.privateKey(seal.kid)).toMatchObject({ algorithm: { name: 'ECDH' }, usages: ['deriveBits'], extractable: false });
    }));

  it('uses the youngest live key and lists all that can still be needed', () =>
    inFolder(async (folder) => {
      const clock = new SetClock(START);
      const vault = open(folder, clock);
      const first = await vault.generate('seal', days(-30, 2));
      const second = await vault.generate('seal', days(1, 31));
      await vault.generate('sign', days(0, 1));
      expect((await vault.current('seal')).kid).toBe(first.kid);
      clock.at = START + 1.5 * DAY;
      expect((await vault.current('seal')).kid).toBe(second.kid);
      clock.at = START + 3 * DAY;
      expect((await vault.list('seal')).map((key) => key.kid)).toEqual([second.kid, first.kid]);
      clock.at = START + 31 * DAY;
      await expect(vault.current('seal')).rejects.toMatchObject({ code: 'keys.none-live' });
    }));

  it('notices within its refresh time what another process generates and destroys', () =>
    inFolder(async (folder) => {
      const clock = new SetClock(START);
      const [running, tool] = [open(folder, clock), open(folder, clock)];
      const old = await tool.generate('tls', days(-1, 30));
      expect((await running.current('tls')).kid).toBe(old.kid);
      await running.privateKey(old.kid);
      const fresh = await tool.generate('tls', days(0, 30));
      await tool.destroy(old.kid);
      clock.at += 1000;
      expect((await running.current('tls')).kid).toBe(fresh.kid);
      await expect(running.privateKey(old.kid)).rejects.toMatchObject({ code: 'keys.unknown' });
      await tool.destroy(old.kid);
    }));

  it('leaves no key half there and nothing for others to read', () =>
    inFolder(async (folder) => {
      const keys = join(folder, 'exchange', 'keys');
      const key = await open(keys).generate('sign', days(0, 1));
      expect((await readdir(keys)).sort()).toEqual([`${key.kid}.json`, `${key.kid}.key.pem`].sort());
      for (const name of await readdir(keys)) expect((await stat(join(keys, name))).mode & 0o777).toBe(0o600);
      for (const path of [keys, join(folder, 'exchange')]) expect((await stat(path)).mode & 0o777).toBe(0o700);
    }));

  it('gives the PEM of a TLS key only', () =>
    inFolder(async (folder) => {
      const vault = open(folder);
      const tls = await vault.generate('tls', days(0, 1));
      const sign = await vault.generate('sign', days(0, 1));
      expect(await vault.tlsKeyPem(tls.kid)).toContain('BEGIN PRIVATE KEY');
      await expect(vault.tlsKeyPem(sign.kid)).rejects.toMatchObject({ code: 'keys.purpose-mismatch' });
    }));

  it('has no keys where there is no folder', () =>
    inFolder(async (folder) => {
      const vault = open(join(folder, 'none'));
      expect(await vault.list('sign')).toEqual([]);
      await expect(vault.privateKey('x'.repeat(43))).rejects.toMatchObject({ code: 'keys.unknown' });
    }));

  it('refuses a private key that everybody may read', () =>
    inFolder(async (folder) => {
      const vault = open(folder);
      const key = await vault.generate('sign', days(0, 1));
      await chmod(join(folder, `${key.kid}.key.pem`), 0o644);
      await expect(vault.privateKey(key.kid)).rejects.toMatchObject({ code: 'keys.too-open' });
    }));

  it('refuses a private key that stands under the name of another', () =>
    inFolder(async (folder) => {
      const vault = open(folder);
      const [one, two] = [await vault.generate('sign', days(0, 1)), await vault.generate('sign', days(0, 1))];
      await rename(join(folder, `${two.kid}.key.pem`), join(folder, `${one.kid}.key.pem`));
      await expect(vault.privateKey(one.kid)).rejects.toMatchObject({ code: 'keys.file-invalid' });
      await expect(vault.privateKey(two.kid)).rejects.toMatchObject({ code: 'keys.unknown' });
    }));

  it.each([
    ['is no JSON', '{'],
    ['is empty', '{}'],
    ['names another use', '{"use":"all","notBefore":"2026-01-01T00:00:00.000Z","notAfter":"2027-01-01T00:00:00.000Z","publicJwk":{}}'],
    [
      'has another public key',
      '{"use":"sign","notBefore":"2026-01-01T00:00:00.000Z","notAfter":"2027-01-01T00:00:00.000Z","publicJwk":{}}',
    ],
  ])('refuses a description that %s', (_what, text) =>
    inFolder(async (folder) => {
      const kid = 'k'.repeat(43);
      await writeFile(join(folder, `${kid}.json`), text);
      await expect(open(folder).list('sign')).rejects.toMatchObject({ code: 'keys.file-invalid', where: kid });
    }),
  );
});
