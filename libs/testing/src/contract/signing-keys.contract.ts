import { createPublicKey, verify } from 'node:crypto';
import type { OwnKey, SigningKeys, Validity } from '@portolan/domain';
import type { SetClock } from './set-clock.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface SigningKeysFixture {
  /** Another process's view of the same keys. */
  open(clock: SetClock): SigningKeys & {
    generate(use: 'sign' | 'ledger', validity: Validity): Promise<OwnKey>;
    destroy(kid: string): Promise<void>;
  };
  close(): Promise<void>;
}

const DAY = 86_400_000;
const START = Date.parse('2026-11-21T10:00:00.000Z');
const days = (from: number, to: number): Validity => ({
  notBefore: new Date(START + from * DAY).toISOString(),
  notAfter: new Date(START + to * DAY).toISOString(),
});

/** What every store of signing keys does: files, or a token. */
export function signingKeysContract(name: string, make: () => Promise<SigningKeysFixture>, clockAt: (ms: number) => SetClock): void {
  describe(`signing keys in ${name}`, () => {
    let fixture: SigningKeysFixture;
    beforeAll(async () => {
      fixture = await make();
    });
    afterAll(() => fixture.close());

    it('sign exactly the bytes, so that the public key verifies them and no others', async () => {
      const keys = fixture.open(clockAt(START));
      const key = await keys.generate('sign', days(0, 30));
      const bytes = new TextEncoder().encode('what is signed');
      const signature = await keys.sign(key.kid, bytes);
      expect(signature).toHaveLength(64);
      const publicKey = { key: createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const };
      expect(verify('sha256', bytes, publicKey, signature)).toBe(true);
      expect(verify('sha256', new TextEncoder().encode('what is Signed'), publicKey, signature)).toBe(false);
      await keys.destroy(key.kid);
    });

    it('are used by their validity, the youngest live one first, and stay listed until they are destroyed', async () => {
      const clock = clockAt(START);
      const keys = fixture.open(clock);
      const first = await keys.generate('ledger', days(-30, 2));
      const second = await keys.generate('ledger', days(1, 31));
      expect((await keys.current('ledger')).kid).toBe(first.kid);
      clock.at = START + 1.5 * DAY;
      expect(await keys.current('ledger')).toEqual(second);
      clock.at = START + 3 * DAY;
      expect((await keys.list('ledger')).map(({ kid }) => kid)).toEqual([second.kid, first.kid]);
      expect(await keys.list('sign')).toEqual([]);
      clock.at = START + 31 * DAY;
      await expect(keys.current('ledger')).rejects.toMatchObject({ code: 'keys.none-live' });
      for (const { kid } of [first, second]) await keys.destroy(kid);
    });

    it('that another process makes or destroys are noticed within a second', async () => {
      const clock = clockAt(START);
      const [running, tool] = [fixture.open(clock), fixture.open(clock)];
      const old = await tool.generate('ledger', days(-1, 30));
      expect((await running.current('ledger')).kid).toBe(old.kid);
      const fresh = await tool.generate('ledger', days(0, 30));
      await tool.destroy(old.kid);
      clock.at += 1_000;
      expect((await running.current('ledger')).kid).toBe(fresh.kid);
      await expect(running.sign(old.kid, new Uint8Array(1))).rejects.toMatchObject({ code: 'keys.unknown' });
      await tool.destroy(old.kid);
      await tool.destroy(fresh.kid);
    });

    it('sign two hundred times at once', async () => {
      const keys = fixture.open(clockAt(START));
      const { kid, publicJwk } = await keys.generate('ledger', days(0, 30));
      const texts = Array.from({ length: 200 }, (_, i) => new TextEncoder().encode(`text ${i}`));
      const signatures = await Promise.all(texts.map((text) => keys.sign(kid, text)));
      const key = { key: createPublicKey({ key: { ...publicJwk }, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const };
      expect(signatures.every((signature, i) => verify('sha256', texts[i] ?? new Uint8Array(), key, signature))).toBe(true);
      await keys.destroy(kid);
    });

    it('that are not there are unknown', async () => {
      await expect(fixture.open(clockAt(START)).sign('x'.repeat(43), new Uint8Array(1))).rejects.toMatchObject({ code: 'keys.unknown' });
    });
  });
}
