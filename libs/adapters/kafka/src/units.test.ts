import fc from 'fast-check';
import { PortolanError } from '@portolan/contracts';
import { logLevel } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff.js';
import { handleBatch, type Fate } from './batch.js';
import { firstError, quotaRequest } from './client-quotas.js';
import { inboxRecord, refusalOf } from './inbox-records.js';
import { isRefusal, kafkaReason } from './kafka-errors.js';
import { kafkajsLog, QuietLog } from './log.js';
import { ID_HEADER, partnerPrincipal, senderOf, topicFrom } from './topics.js';

describe('handleBatch', () => {
  const batches = fc.record({
    records: fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), ticks: fc.nat(3), fate: fc.constantFrom<Fate>('done', 'done', 'done', 'later') }),
      {
        maxLength: 25,
      },
    ),
    most: fc.integer({ min: 1, max: 6 }),
  });

  it('keeps each key’s order and the bound, begins nothing after a failure, and counts what is done from the front', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async ({ records, most }) => {
        const begun: number[] = [];
        const done = new Set<number>();
        const busy = new Set<string>();
        let [running, peak] = [0, 0];
        const numbered = records.map((record, i) => ({ ...record, i }));
        const count = await handleBatch(numbered, most, async ({ key, ticks, fate, i }) => {
          expect(busy.has(key)).toBe(false);
          busy.add(key);
          begun.push(i);
          peak = Math.max(peak, (running += 1));
          for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
          running -= 1;
          busy.delete(key);
          if (fate === 'done') done.add(i);
          return fate;
        });
        expect(peak).toBeLessThanOrEqual(most);
        expect(Array.from({ length: count }, (_, i) => done.has(i)).every(Boolean)).toBe(true);
        expect(count === records.length || !done.has(count)).toBe(true);
        for (const key of ['a', 'b', 'c']) {
          const order = begun.filter((i) => records[i]?.key === key);
          expect(order).toEqual([...order].sort((a, b) => a - b));
          const failed = order.findIndex((i) => records[i]?.fate === 'later');
          if (failed !== -1) expect(order).toHaveLength(failed + 1);
        }
      }),
    );
  });

  it('stops where it may not go on, and a handler that throws fails the batch', async () => {
    let begun = 0;
    const records = Array.from({ length: 10 }, (_, i) => ({ key: `${i}` }));
    expect(
      await handleBatch(
        records,
        1,
        async () => ((begun += 1), 'done'),
        () => begun < 3,
      ),
    ).toBe(3);
    await expect(handleBatch(records, 2, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await handleBatch([], 2, () => Promise.resolve('done'))).toBe(0);
  });
});

describe('Backoff', () => {
  it('waits twice as long after each failure, up to its most, and is over at a success', () => {
    let now = 0;
    const backoff = new Backoff(100, 350, () => now);
    expect([backoff.failed(), backoff.failed(), backoff.failed(), backoff.failed()]).toEqual([100, 200, 350, 350]);
    expect(backoff.isWaiting).toBe(true);
    now = 350;
    expect(backoff.isWaiting).toBe(false);
    backoff.failed();
    backoff.succeeded();
    expect([backoff.isWaiting, backoff.failed()]).toEqual([false, 100]);
  });
});

describe('a record of a partner’s topic', () => {
  const raw = {
    key: Buffer.from('t-1'),
    value: Buffer.from('x'),
    headers: { [ID_HEADER]: Buffer.from('m-1') },
    offset: '7',
    timestamp: '0',
    attributes: 0,
  };
  it('is a message from the country of the topic', () => {
    const record = inboxRecord('exchange.v1.from.pt', 2, raw);
    expect(record).toMatchObject({ from: 'PT', read: { message: { id: 'm-1', key: 't-1' } } });
  });
  it.each([
    ['no id', { headers: {} }, 'exchange.message-malformed'],
    ['two ids', { headers: { [ID_HEADER]: [Buffer.from('a'), Buffer.from('b')] } }, 'exchange.message-malformed'],
    ['an id with a blank', { headers: { [ID_HEADER]: Buffer.from('a b') } }, 'exchange.message-malformed'],
    ['no key', { key: null }, 'exchange.message-malformed'],
    ['a long key', { key: Buffer.alloc(201, 'x') }, 'exchange.message-malformed'],
    ['no body', { value: null }, 'exchange.message-malformed'],
    ['too large a body', { value: Buffer.alloc(3_000_001) }, 'exchange.message-too-large'],
  ])('is refused with %s', (_what, change, code) => {
    expect(inboxRecord('exchange.v1.from.pt', 0, { ...raw, ...change }).read).toEqual({ refused: code });
  });
  it.each(['exchange.v1.from.', 'exchange.v1.from.ptx', 'exchange.v1.dead-letters', 'pt', 'exchange.v1.from.p1'])(
    'is of no partner in %s',
    (topic) => {
      expect(() => senderOf(topic)).toThrow(TypeError);
    },
  );
  it('names its topic by the country both ways', () => {
    expect(senderOf(topicFrom('PT'))).toBe('PT');
    expect(partnerPrincipal('PT', 'x'.repeat(43))).toBe(`User:CN=PT-${'x'.repeat(43)}`);
  });
});

describe('failures', () => {
  it('are the message’s where the receiver says so for good, and else are tried again', () => {
    expect(refusalOf(new PortolanError('exchange.envelope-invalid', 'inbox'))).toBe('exchange.envelope-invalid');
    expect(refusalOf(new PortolanError('exchange.busy', 'inbox'))).toBeUndefined();
    expect(refusalOf(new PortolanError('keys.none-live', 'inside'))).toBeUndefined();
    expect(refusalOf(new Error('database'))).toBeUndefined();
  });
  it('are named by what is below, never by words', () => {
    const protocol = Object.assign(new Error('quotes a topic'), { type: 'TOPIC_AUTHORIZATION_FAILED' });
    expect(kafkaReason(new Error('retries', { cause: protocol }))).toBe('TOPIC_AUTHORIZATION_FAILED');
    expect(kafkaReason(new AggregateError([protocol]))).toBe('TOPIC_AUTHORIZATION_FAILED');
    expect(kafkaReason(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
    expect(kafkaReason(new TypeError('secret'))).toBe('TypeError');
    expect(kafkaReason('secret')).toBe('unknown');
    expect([isRefusal('TOPIC_AUTHORIZATION_FAILED'), isRefusal('ECONNREFUSED')]).toEqual([true, false]);
  });
  it('are logged once in a while, and without kafkajs’ words', () => {
    const lines: string[] = [];
    const log = new QuietLog({ failure: (message, code) => void lines.push(`${code} ${message}`) });
    const say = kafkajsLog(log, 'exchange.inbox-unavailable')();
    const entry = { namespace: 'Connection', level: logLevel.ERROR, label: 'ERROR', log: { timestamp: '', message: 'secret' } };
    say(entry);
    say(entry);
    say({ ...entry, level: logLevel.WARN, namespace: 'Runner' });
    const answer = 'Response JoinGroup(key: 11, version: 5)';
    for (const namespace of ['Connection', 'Consumer']) say({ ...entry, namespace, log: { timestamp: '', message: answer } });
    const told = ['exchange.inbox-unavailable kafka client, Connection', 'exchange.inbox-unavailable kafka client, Consumer'];
    expect(lines).toEqual(told);
  });
});

describe('a quota', () => {
  it('is asked for as KIP-546 lays it out', () => {
    const set = quotaRequest([{ user: 'CN=PT-k', producerBytesPerSecond: 1000 }]);
    expect(set.readInt32BE(0)).toBe(set.length - 4);
    expect(set.subarray(4).toString('hex')).toBe(
      ['0031', '0000', '00000001', '0008', hex('portolan'), '00000001', '00000001', '0004', hex('user'), '0007', hex('CN=PT-k')].join('') +
        ['00000001', '0012', hex('producer_byte_rate'), '408f400000000000', '00', '00'].join(''),
    );
    expect(
      quotaRequest([{ user: 'a', producerBytesPerSecond: undefined }])
        .subarray(-2)
        .toString('hex'),
    ).toBe('0100');
  });
  it('tells the first refusal of an answer', () => {
    const entry = (code: string, text: string): string => `${code}${text}000000010004${hex('user')}0001${hex('a')}`;
    const answer = (...entries: string[]): Buffer =>
      Buffer.from(`0000000100000000${entries.length.toString(16).padStart(8, '0')}${entries.join('')}`, 'hex');
    expect(firstError(answer(entry('0000', 'ffff'), entry('0000', 'ffff')))).toBe(0);
    expect(firstError(answer(entry('0000', '0000'), entry('001f', 'ffff')))).toBe(31);
    expect(() => firstError(Buffer.from('0000000100000000000000ff', 'hex'))).toThrow(RangeError);
  });
});

const hex = (text: string): string => Buffer.from(text).toString('hex');
