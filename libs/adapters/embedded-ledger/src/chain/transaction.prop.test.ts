import { canonicalJson, PortolanError } from '@portolan/contracts';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { newPair, PairSigner, TestChannel } from '../test-support.js';
import { nodeTools } from './tools.js';
import { openTransaction, typ } from './transaction.js';

const tools = nodeTools(TestChannel.validators);
const time = '2026-11-21T10:00:00.000Z';
const payload = {
  v: 1,
  channel: 'trial',
  org: 'EE',
  role: 'notary',
  id: '00000000-0000-4000-8000-000000000001',
  time,
  fn: 'put-permit',
  args: {},
};

/** The code for which a text is refused; undefined where it opens. */
function refusal(text: string): string | undefined {
  try {
    openTransaction(text, 'trial', tools);
    return undefined;
  } catch (error) {
    return error instanceof PortolanError ? error.code : String(error);
  }
}

describe('opening a transaction', () => {
  let jws: string;
  beforeAll(async () => {
    jws = await new PairSigner(await newPair()).sign('ledger', typ('transaction'), canonicalJson(payload));
  });

  it('gives back what was signed', () => {
    expect(openTransaction(jws, 'trial', tools).payload).toEqual(payload);
    expect(refusal(jws)).toBeUndefined();
  });

  it('refuses any other text with one code', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String(), fc.json()), (text) => {
        expect(refusal(text)).toBe('ledger.transaction-malformed');
      }),
      { numRuns: 200 },
    );
  });

  it('refuses a cut or altered header and payload, and never fails otherwise', () => {
    fc.assert(
      fc.property(fc.nat(jws.length - 1), fc.string({ minLength: 0, maxLength: 3 }), (at, put) => {
        const altered = `${jws.slice(0, at)}${put}${jws.slice(at + 1)}`;
        const code = refusal(altered);
        // A changed signature still has the form of one: it falls when it is verified.
        if (code !== undefined) expect(code).toBe('ledger.transaction-malformed');
        else expect(openTransaction(altered, 'trial', tools).payload).toMatchObject({ v: 1, channel: 'trial' });
      }),
      { numRuns: 300 },
    );
  });
});
