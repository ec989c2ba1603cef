import type { Tried } from '@portolan/fabric-channel';
import type { EndorsementResponse } from 'fabric-common';
import { describe, expect, it } from 'vitest';
import type { Connection } from './connection.js';
import { Endorsing } from './endorsing.js';

const said = (org: string, status: number, text = '', payload = 'results'): EndorsementResponse => ({
  connection: { type: 'Endorser', name: `peer of ${org}`, url: '', options: {} },
  response: { status, message: text, payload: Buffer.alloc(0) },
  payload: Buffer.from(payload),
});
const failed = (text: string, more: object = {}): Error => Object.assign(new Error(text), more);
const refusal = (code: string): string => JSON.stringify({ code, where: 'args' });

/** A channel on which EE acts, and what is told where its act is endorsed so. */
async function endorsedBy(responses: readonly EndorsementResponse[], errors: readonly Error[] = []): Promise<Tried | 'endorsed'> {
  let asked = 0;
  const step = { send: async () => ({ responses, errors }) };
  const connection = {
    options: { org: 'EE', chaincode: 'portolan' },
    channel: { newEndorsement: () => step, getEndorsers: (org: string) => [{ name: `peer of ${org}` }] },
    ready: async () => step,
    discover: async () => {
      asked += 1;
      return {};
    },
  } as unknown as Connection;
  const told = await new Endorsing(connection).endorse('put-permit', []);
  expect(asked).toBe(1);
  return 'is' in told ? told : 'endorsed';
}

describe('an act that is to be endorsed', () => {
  const again: Tried = { is: 'again', code: 'ledger.endorsement-failed' };
  const refused: Tried = { is: 'refused', code: 'ledger.not-owner', where: 'args' };

  it.each<[string, EndorsementResponse[], Error[], Tried | 'endorsed']>([
    ['is endorsed where all say the same', [said('EE', 200), said('PT', 200)], [], 'endorsed'],
    ['is not where two say different things', [said('EE', 200), said('PT', 200, '', 'others')], [], again],
    ['is not where nobody was asked', [], [], again],
    ['is refused where our own peer refuses', [said('EE', 500, refusal('ledger.not-owner')), said('PT', 200)], [], refused],
    [
      'is refused also where the SDK tells of it within an error',
      [],
      [failed('do not match', { endorsements: [said('EE', 500, refusal('ledger.not-owner')), said('PT', 200)] })],
      refused,
    ],
    ['may be tried again where another’s peer refuses', [said('EE', 200), said('PT', 500, refusal('ledger.not-owner'))], [], again],
    ['may be tried again where our peer refuses by no code', [said('EE', 500, 'out of order'), said('PT', 200)], [], again],
    ['may be tried again where our peer refuses by a code of its own', [said('EE', 500, refusal('no.such-code'))], [], again],
    ['may be tried again where a peer does not answer', [said('EE', 200)], [failed('REQUEST TIMEOUT')], again],
    [
      'is refused where it is larger than a message to our peer may be',
      [],
      [failed('failed', { endorsements: [failed('too large', { code: 8, connection: { name: 'peer of EE' } })] })],
      { is: 'refused', code: 'ledger.transaction-too-large', where: 'transaction' },
    ],
    [
      'may be tried again where another’s peer says that',
      [said('EE', 200)],
      [failed('no', { code: 8, connection: { name: 'peer of PT' } })],
      again,
    ],
  ])('%s', async (_, responses, errors, told) => {
    expect(await endorsedBy(responses, errors)).toEqual(told);
  });
});
