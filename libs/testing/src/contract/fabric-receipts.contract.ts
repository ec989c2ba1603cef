import { webcrypto } from 'node:crypto';
import { canonicalJson, Validators, type FabricReceipt, type FabricTrust } from '@portolan/contracts';
import { sha256 } from '@portolan/keys';
import { verifyReceipt, type StepReport } from '@portolan/verify';
import { expect, it } from 'vitest';
import { takeReceipts } from './fabric-receipts.js';
import type { FabricCountry } from './fabric-world.js';

/** What a channel gives is evidence to whoever has the trust file alone, whichever SDK made the transactions. */
export function receiptContract(countries: () => { readonly from: FabricCountry; readonly to: FabricCountry }): void {
  it('gives receipts that are verified offline, and none for a batch that no head read', { timeout: 120_000 }, async () => {
    const { from, to } = countries();
    const { trust, receipts, unread } = await takeReceipts(from, to);
    const deps = { sha256, subtle: webcrypto.subtle, validators: new Validators() };
    for (const receipt of Object.values(receipts)) {
      const report = await verifyReceipt(canonicalJson(receipt), trust, deps);
      expect(report.steps.filter(({ ok }) => !ok)).toEqual([]);
      expect(report.ok).toBe(true);
    }
    const failed = async (receipt: FabricReceipt, pinned: FabricTrust): Promise<StepReport | undefined> =>
      (await verifyReceipt(canonicalJson(receipt), pinned, deps)).steps.find(({ ok }) => !ok);
    expect(await failed(unread, trust)).toMatchObject({ step: 'batch-in-head' });
    const lonely = trust.participants.map((one) => (one.org === from.org ? one : { ...one, endorsers: [] }));
    expect(await failed(receipts.released, { ...trust, participants: lonely })).toMatchObject({ step: 'endorsements' });
    expect(await failed(receipts.released, { ...trust, otherEndorsers: 2 })).toMatchObject({ step: 'endorsements' });
  });
}
