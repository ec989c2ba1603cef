import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchReader, isBatch, readBatch, type BatchItem } from './batch.js';

const limits = { maxMessages: 100, maxBytes: 200 };
const message = (id: string): string => `MSH|^~\\&|A|B|||20261101||ADT^A01|${id}|P|2.5\rPID|1||${id}\r`;
const file = (...messages: readonly string[]): string =>
  `FHS|^~\\&|A\rBHS|^~\\&|A\r${messages.map(message).join('')}BTS|${messages.length}\rFTS|1\r`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const memory = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
const shown = (items: readonly BatchItem[]): string[] =>
  items.map((item) => (item.kind === 'message' ? new TextDecoder().decode(item.bytes) : `${item.code} ${item.place}`));

describe('a batch file', () => {
  it('is its messages, each as if it had come alone', () => {
    expect(shown(readBatch(bytes(file('1', '2', '3')), limits))).toEqual(['1', '2', '3'].map(message));
  });

  it.each([
    ['without frames', message('1') + message('2'), [message('1'), message('2')]],
    ['with line feeds', file('1', '2').replaceAll('\r', '\r\n'), [message('1'), message('2')]],
    ['with a byte order mark', `\ufeff${file('1')}`, [message('1')]],
    [
      'with fewer messages than it says',
      file('1', '2').replace('BTS|2', 'BTS|3'),
      [message('1'), message('2'), 'ingest.batch-incomplete BTS-1'],
    ],
    ['with other batches than it says', file('1').replace('FTS|1', 'FTS|2'), [message('1'), 'ingest.batch-incomplete FTS-1']],
    [
      'that was cut off',
      file('1', '2').slice(0, -12),
      [message('1'), message('2'), 'ingest.batch-incomplete FHS', 'ingest.batch-incomplete BHS'],
    ],
    [
      'with words between',
      file('1').replace('BTS', 'hello there\rBTS').replace('BHS', 'what\rBHS'),
      ['ingest.malformed after message[0]', `${message('1')}hello there\r`],
    ],
    ['with one message too long', file('1', `2${'x'.repeat(200)}`, '3'), [message('1'), 'ingest.too-large message[2]', message('3')]],
    ['that is empty', '', []],
  ])('%s', (_name, text, expected) => {
    expect(shown(readBatch(bytes(text), limits)).map((one) => one.replaceAll('\r\n', '\r'))).toEqual(expected);
  });

  it('takes the memory of its bytes, though a message has millions of lines', () => {
    const lines = 'N\r'.repeat(1_000_000);
    const reader = new BatchReader({ maxMessages: 2, maxBytes: 8_000_000 });
    const before = memory();
    const items = [...reader.push(bytes(`${message('1')}${lines}`)), ...reader.push(bytes(lines))];
    expect(memory() - before).toBeLessThan(100_000_000);
    expect([...items, ...reader.end()].map((item) => item.kind === 'message' && item.bytes.length)).toEqual([
      message('1').length + 4_000_000,
    ]);
  });

  it('is refused where it has more messages than are taken', () => {
    expect(() => readBatch(bytes(file('1', '2', '3')), { ...limits, maxMessages: 2 })).toThrow('ingest.batch-too-long');
  });

  it('is the same in whatever pieces it comes', () => {
    const whole = bytes(file('1', `2${'x'.repeat(300)}`, '3'));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const reader = new BatchReader(limits);
        const items: BatchItem[] = [];
        let at = 0;
        for (const size of sizes) {
          items.push(...reader.push(whole.subarray(at, at + size)));
          at += size;
        }
        items.push(...reader.push(whole.subarray(at)), ...reader.end());
        expect(shown(items)).toEqual(shown(readBatch(whole, limits)));
      }),
      { numRuns: 50 },
    );
  });

  it('is told from a message that came alone', () => {
    expect([message('1'), file('1'), message('1') + message('2'), 'PID|1\r', '{}'].map((text) => isBatch(bytes(text)))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
});
