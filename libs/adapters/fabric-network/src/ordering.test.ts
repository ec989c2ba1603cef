import type { Tried } from '@portolan/fabric-channel';
import type { Commit, Committer } from 'fabric-common';
import { describe, expect, it } from 'vitest';
import type { Connection } from './connection.js';
import { Ordering } from './ordering.js';

type Answer = { readonly status: string; readonly info?: string } | Error | 'away';

/** Orderers that answer so, in this order, and which of them were sent to. */
function orderersOf(answers: Readonly<Record<string, Answer>>): { ordering: Ordering; commit: Commit; sent: string[] } {
  const sent: string[] = [];
  const committers = Object.entries(answers).map(([name, answer]) => ({ name, checkConnection: async () => answer !== 'away' }));
  const send = async ({ targets: [one] }: { targets: [Committer] }): Promise<unknown> => {
    sent.push(one.name);
    const answer = answers[one.name];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const connection = { channel: { getCommitters: () => committers } } as unknown as Connection;
  return { ordering: new Ordering(connection), commit: { send } as unknown as Commit, sent };
}

const taken = { status: 'SUCCESS' };
const lost = new Error('REQUEST TIMEOUT');
const no = { status: 'SERVICE_UNAVAILABLE', info: 'no Raft leader' };

describe('a transaction handed to the orderers', () => {
  it.each<[string, Record<string, Answer>, string[], Tried | undefined]>([
    ['is with the first that takes it', { a: taken, b: taken }, ['a'], undefined],
    ['passes by who cannot be reached', { a: 'away', b: taken }, ['b'], undefined],
    ['goes to the next where one says no', { a: no, b: taken }, ['a', 'b'], undefined],
    ['may be tried again where all say no', { a: no, b: no }, ['a', 'b'], { is: 'again', code: 'ledger.endorsement-failed' }],
    ['may be tried again where none can be reached', { a: 'away', b: 'away' }, [], { is: 'again', code: 'ledger.unreachable' }],
    ['may have been ordered where one does not answer, and goes to no other', { a: lost, b: taken }, ['a'], { is: 'unknown', cause: lost }],
    [
      'is refused where it is too large',
      { a: { status: 'BAD_REQUEST', info: 'message payload is 9 bytes and exceeds maximum allowed 8 bytes' }, b: taken },
      ['a'],
      { is: 'refused', code: 'ledger.transaction-too-large', where: 'transaction' },
    ],
  ])('%s', async (_, answers, wanted, told) => {
    const { ordering, commit, sent } = orderersOf(answers);
    expect(await ordering.hand(commit)).toEqual(told);
    expect(sent).toEqual(wanted);
  });

  it('comes to those last that failed the time before', async () => {
    const { ordering, commit, sent } = orderersOf({ a: lost, b: taken, c: taken });
    await ordering.hand(commit);
    await ordering.hand(commit);
    expect(sent).toEqual(['a', 'b']);
  });
});
