import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { openReferences, sharedIds } from '../testing/oracles.js';
import { translate } from '../translate.js';
import { buildAck, verdictOf } from './ack.js';
import { escapeOriginal, escapeText, unescaped, unescapeText } from './escapes.js';
import { messageTree } from './index.js';
import { parseHl7, readHl7, serialiseHl7 } from './message.js';
import { MllpDecoder, mllpFrame } from './mllp.js';
import { readSeparators, recommendedSeparators } from './separators.js';

const own = join(import.meta.dirname, '../../fixtures/hl7v2');
const messages = readdirSync(own)
  .filter((file) => file.endsWith('.hl7'))
  .map((file) => readFileSync(join(own, file)));
const pack = countryPack({
  'country.json': JSON.parse(readFileSync(join(import.meta.dirname, '../../../countries/ee/country.json'), 'utf8')),
});
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const sign = fc.constantFrom(...Array.from('|^~\\&\r\n.XFSTRE0AaäÕ€ '), '\\F\\', '\\X41\\', '\\.br\\', '""');
const anyText = fc.array(sign, { maxLength: 40 }).map((signs) => signs.join(''));

describe('the text of a message', () => {
  it('comes back exactly, whatever its segments hold and end in', () => {
    const segment = fc.tuple(fc.constantFrom('PID', 'OBX', 'ZZZ', 'x', ''), anyText, fc.constantFrom('\r', '\n', '\r\n'));
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), fc.constantFrom('cr' as const, 'any' as const), (segments, terminators) => {
        const text = `MSH|^~\\&|A|B\r${segments.map(([name, rest, end]) => `${name}|${rest}${end}`).join('')}`;
        expect(serialiseHl7(parseHl7(text, { terminators }))).toBe(text);
      }),
    );
  });

  it('comes back exactly for own messages', () => {
    for (const bytes of messages) {
      const message = readHl7(bytes, { maxBytes: 1e6, terminators: 'cr' });
      const encoding = message.charset === '8859/1' ? 'latin1' : 'utf8';
      expect(Buffer.from(serialiseHl7(message), encoding).equals(bytes)).toBe(true);
    }
  });
});

describe('escapes', () => {
  it('an escaped text reads back, and holds no sign that acts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom('|^~\\&', '#*%@!'), (text, signs) => {
        const [field = '', component = '', repetition = '', escape = '', subcomponent = ''] = signs;
        const separators = { field, component, repetition, escape, subcomponent };
        const escaped = escapeText(text, separators);
        const act = [field, component, repetition, subcomponent, '\r', '\n'];
        expect(act.filter((one) => escaped.includes(one))).toEqual([]);
        expect(unescapeText(escaped, separators, (bytes) => new TextDecoder().decode(bytes))).toBe(text);
      }),
    );
  });
  it.each([
    ['\\F\\\\S\\\\T\\\\R\\\\E\\', '|^&~\\'],
    ['a\\.br\\b', 'a\nb'],
    ['\\X48C3A4\\', 'Hä'],
    ['a\\.sp\\b\\.sp3\\c\\.sp +2\\d', 'a\nb\n\n\nc\n\nd'],
    ['a\\.sk3\\b\\.sk\\c', 'a   b c'],
    ['\\X1D\\ \\x41\\ \\X4\\', '\ufffd \\x41\\ \\X4\\', '\\X1D\\ \\E\\x41\\E\\ \\E\\X4\\E\\'],
    ['\\XFF\\', '\ufffd', '\\XFF\\'],
    ['\\H\\loud\\N\\', 'loud', '\\H\\loud\\N\\'],
    ['\\H\\', '', '\\H\\'],
    ['\\.in+4\\\\.ti-4\\1. Lungs \\T\\ heart', '1. Lungs & heart', '\\.in+4\\\\.ti-4\\1. Lungs & heart'],
    ['\\.ce\\Title\\.br\\\\.ce\\Line\\.nf\\a\\.ce\\b\\.fi\\', 'Title\nLine' + 'a\nb', '\\.ce\\Title\n\\.ce\\Line\\.nf\\a\\.ce\\b\\.fi\\'],
    ['\\.sp999\\|\\.sk999\\', `${'\n'.repeat(10)}|${' '.repeat(40)}`, '\\.sp999\\|\\.sk999\\'],
    ['\\.sp0\\', '', '\\.sp0\\'],
    ['\\Z7\\ \\q\\', '\ufffd \\q\\', '\\Z7\\ \\E\\q\\E\\'],
    ['\\C2842\\\\M242844\\', '\ufffd\ufffd', '\\C2842\\\\M242844\\'],
    ['open \\ end', 'open \\ end'],
    ['C:\\F', 'C:\\F'],
    ['C:\\Zip\\Nose\\.spx\\', 'C:\\Zip\\Nose\\.spx\\'],
    ['\\P\\', '\\P\\'],
  ])('%s', (raw, meant, original?: string) => {
    const decode = (bytes: Uint8Array): string | undefined => (bytes.includes(0xff) ? undefined : new TextDecoder().decode(bytes));
    expect(unescaped(raw, recommendedSeparators, decode)).toEqual({ text: meant, ...(original !== undefined && { original }) });
    if (original === undefined) return;
    const written = escapeOriginal(original, (text) => escapeText(text, recommendedSeparators));
    expect(written).not.toMatch(/[|^~&\r\n]/);
    expect(unescaped(written, recommendedSeparators, decode)).toEqual({ text: meant, original });
  });
  it('are those of the delimiters that a message declares, its truncation character among them', () => {
    const separators = readSeparators('MSH!*%@?#!')!;
    expect(separators).toEqual({ field: '!', component: '*', repetition: '%', escape: '@', subcomponent: '?', truncation: '#' });
    expect(unescaped('@P@@H@@E@\\', separators, () => undefined)).toEqual({ text: '#@\\', original: '#\\H\\@\\E\\' });
    expect(unescapeText(escapeText('a#b!', separators), separators, () => undefined)).toBe('a#b!');
  });
});

/** One random change: a byte replaced, taken out, put in, a piece doubled, the end cut off. */
const mutation = fc.record({
  kind: fc.nat(4),
  at: fc.nat(100_000),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(...Array.from('|^~\\&\r\n"').map((c) => c.charCodeAt(0)))),
});
function mutate(bytes: Uint8Array, { kind, at, byte }: { kind: number; at: number; byte: number }): Uint8Array {
  const i = at % Math.max(1, bytes.length);
  const [head, tail] = [[...bytes.subarray(0, i)], [...bytes.subarray(i)]];
  const changed = [
    [...head, byte, ...tail.slice(1)],
    [...head, ...tail.slice(1)],
    [...head, byte, ...tail],
    [...head, ...tail.slice(0, 50), ...tail],
    head,
  ];
  return Uint8Array.from(changed[kind] ?? head);
}

describe('damaged messages', () => {
  it('never crash: an answer that accounts for itself, or a coded refusal', () => {
    fc.assert(
      fc.property(fc.nat(messages.length - 1), fc.array(mutation, { minLength: 1, maxLength: 6 }), (which, mutations) => {
        const bytes = mutations.reduce<Uint8Array>(mutate, messages[which]!);
        try {
          const answer = translate({ bytes, format: 'hl7v2', country: pack, sha256, received: '2026-11-21T10:00:00.000Z' });
          expect(openReferences(answer.resources)).toEqual([]);
          expect(sharedIds(answer.resources)).toEqual([]);
          const message = readHl7(bytes, { maxBytes: 1e6, terminators: 'any' });
          const leaves = messageTree(message)
            .leaves()
            .map(({ path }) => path);
          expect(new Set(leaves).size).toBe(leaves.length);
          const { mapped, carried, ignored } = answer.account;
          const told = new Set([...mapped, ...carried, ...ignored].map(({ path }) => path));
          expect(leaves.filter((path) => !told.has(path))).toEqual([]);
          const ack = buildAck({ message, verdict: verdictOf(answer.account.rejects), now: '2026-11-21T10:00:00.000Z', controlId: 'A1' });
          expect(
            parseHl7(ack, { terminators: 'cr' })
              .segments.map(({ name }) => name)
              .filter((name) => !/^(MSH|MSA|ERR)$/.test(name)),
          ).toEqual([]);
        } catch (error) {
          if (!(error instanceof PortolanError)) throw error;
          expect(error.code).toMatch(/^ingest\./);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['many results under one order', `OBR|1||F1|A\r${'OBX||ST|1||a\r'.repeat(6_000)}`],
    ['many orders', 'OBR|1||F1|A\rOBX||ST|1||a\r'.repeat(3_000)],
    ['many strays', 'ZZZ|1\r'.repeat(19_000)],
    ['many repetitions', `PID|||${'1~'.repeat(100_000)}\r`],
    ['many escapes', `PID|||1||${'\\'.repeat(200_000)}\r`],
    ['many components', `PID|||${'^&'.repeat(200_000)}\r`],
  ])(
    'take bounded time: %s',
    (_name, segments) => {
      const bytes = utf8(`MSH|^~\\&|A|B|||20261101||ORU^R01|1|P|2.5\rPID|||1^^^EE-PIN\r${segments}`);
      const start = process.threadCpuUsage();
      translate({ bytes, format: 'hl7v2', country: pack, sha256, received: '2026-11-21T10:00:00.000Z' });
      expect(process.threadCpuUsage(start).user / 1000).toBeLessThan(5_000);
    },
    60_000,
  );
});

describe('MLLP', () => {
  it('gives the messages back however the stream is cut', () => {
    const content = fc.uint8Array({ maxLength: 60 }).map((bytes) => bytes.filter((byte) => byte !== 0x0b && byte !== 0x1c));
    fc.assert(
      fc.property(fc.array(content, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (contents, cuts) => {
        const stream = Uint8Array.from(contents.flatMap((one) => [...mllpFrame(one)]));
        const decoder = new MllpDecoder(100);
        const got: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i += 1) {
          const size = cuts[i % cuts.length]!;
          got.push(...decoder.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(got).toEqual(contents);
        expect(decoder.pending).toBe(false);
      }),
    );
  });
});
