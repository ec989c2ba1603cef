import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { translate, type Translation } from '../translate.js';
import { BatchReader, isBatch, readBatch } from './batch.js';
import { decodeCharset, encodeCharset, encodeExactly, ianaName } from '../bytes/charset.js';
import { readHl7, serialiseHl7 } from './message.js';
import { personParts } from './swap-parts.js';

const own = join(import.meta.dirname, '../../fixtures/hl7v2');
const country = countryPack({
  'country.json': JSON.parse(readFileSync(join(import.meta.dirname, '../../../countries/ee/country.json'), 'utf8')),
});
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const translated = (bytes: Uint8Array): Translation =>
  translate({ bytes, format: 'auto', country, sha256, received: '2026-11-21T10:00:00.000Z' });

const message = (name: string, charset: string): string =>
  `MSH|^~\\&|HIS|HOSP|PTL|EE|20261102||ADT^A28^ADT_A05|C-1|P|2.5.1||||||${charset}\rEVN||20261102\rPID|1||4711^^^HOSP^MR||Test^${name}\rPV1|1|N\r`;
const utf16le = (text: string): Buffer => Buffer.from(text, 'utf16le');
const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const given = (bytes: Uint8Array): unknown => translated(bytes).persons.map((person) => person.given);

describe('the character set that MSH-18 names', () => {
  it.each([
    ['8859/1', 'Ñé', [0xd1, 0xe9]],
    ['ISO-8859-1', 'ÿ', [0xff]],
    ['8859/2', 'Łőž', [0xa3, 0xf5, 0xbe]],
    ['8859/3', 'Ħġ', [0xa1, 0xf5]],
    ['8859/4', 'Ķņ', [0xd3, 0xf1]],
    ['8859/5', 'Дж', [0xb4, 0xd6]],
    ['8859/6', 'سن', [0xd3, 0xe6]],
    ['8859/7', 'Λω', [0xcb, 0xf9]],
    ['8859/8', 'שא', [0xf9, 0xe0]],
    ['8859/9', 'ŞığÑ', [0xde, 0xfd, 0xf0, 0xd1]],
    ['8859/10', 'Đŋ', [0xa9, 0xbf]],
    ['8859/11', 'สมชาย', [0xca, 0xc1, 0xaa, 0xd2, 0xc2]],
    ['8859/13', 'Āž', [0xc2, 0xfe]],
    ['8859/14', 'Ŵŷ', [0xd0, 0xfe]],
    ['8859/15', '€Š', [0xa4, 0xa6]],
    ['8859/16', 'Șț', [0xaa, 0xfe]],
    ['UNICODE UTF-8', 'Ł', [0xc5, 0x81]],
    ['', 'Ł', [0xc5, 0x81]],
    ['ISO IR6', 'Jan', [0x4a, 0x61, 0x6e]],
    ['ISO IR14', 'ﾔﾏﾀﾞ¥', [0xd4, 0xcf, 0xc0, 0xde, 0x5c]],
    ['GB 18030-2000', '张伟', [0xd5, 0xc5, 0xce, 0xb0]],
    ['BIG-5', '陳許功', [0xb3, 0xaf, 0xb3, 0x5c, 0xa5, 0x5c]],
    ['KS X 1001', '김철수', [0xb1, 0xe8, 0xc3, 0xb6, 0xbc, 0xf6]],
  ])('%s is read, and an acknowledgement is written in it', (charset, text, bytes) => {
    expect(decodeCharset(Uint8Array.from(bytes), charset)).toBe(text);
    expect([...encodeCharset(text, charset)]).toEqual(bytes);
    const [before, after] = message('@', charset).split('@');
    expect(given(Buffer.concat([Buffer.from(before!), Buffer.from(bytes), Buffer.from(after!)]))).toEqual([[text]]);
  });

  it.each([
    ['a byte that the set has not', '8859/7', Buffer.from([0xff])],
    ['a byte above ASCII', 'ASCII', Buffer.from([0xe9])],
    ['what is no UTF-8', 'UNICODE UTF-8', Buffer.from([0xe9])],
    ['a byte of Windows-874 that the set has not', '8859/11', Buffer.from([0x80])],
    ['half a sign', 'BIG-5', Buffer.from([0xb3])],
    ['what is no katakana', 'ISO IR14', Buffer.from([0xe0])],
    ['UTF-16 that is none', 'UNICODE UTF-16', Buffer.from('A')],
  ])('%s is refused', (_name, charset, bytes) => {
    const [before, after] = message('@', charset).split('@');
    expect(() => translated(Buffer.concat([Buffer.from(before!), bytes, Buffer.from(after!)]))).toThrow('ingest.encoding-invalid');
  });

  it.each<[string, string, string, number | number[]]>([
    ['8859/1', 'iso-8859-1', 'aé', [0x61, 0xe9]],
    ['8859/1', 'iso-8859-1', 'aéŁ', 2],
    ['8859/15', 'iso-8859-15', 'a😀', 1],
    ['ASCII', 'us-ascii', 'aé', 1],
    ['BIG-5', 'big5', 'a功b', [0x61, 0xa5, 0x5c, 0x62]],
    ['BIG-5', 'big5', '功😀', 1],
    ['UNICODE UTF-8', 'utf-8', 'Ł', [0xc5, 0x81]],
    ['UNICODE UTF-8', 'utf-8', 'a\ud83d', 1],
    ['UNICODE UTF-16', 'utf-16', 'Ł', [0xfe, 0xff, 0x01, 0x41]],
    ['UNICODE UTF-16', 'utf-16', '\ude00', 0],
  ])('%s (%s) holds %s, or says where it does not', (charset, iana, text, expected) => {
    const written = encodeExactly(text, charset);
    expect(typeof written === 'number' ? written : [...written]).toEqual(expected);
    expect(ianaName(charset)).toBe(iana);
  });

  it.each(['CNS 11643-1992', 'UNICODE UTF-32', 'JAS2020', 'EBCDIC'])('%s is none that is read, and says so', (charset) => {
    expect(() => translated(Buffer.from(message('\xe9', charset), 'latin1'))).toThrow('ingest.charset-unsupported');
  });

  it.each(['BIG-5', 'GB 18030-2000'])('%s is found where a byte before MSH-18 looks like a delimiter', (charset) => {
    // The second byte of this sign is that of `|`.
    const bytes = Buffer.concat([Buffer.from('MSH|^~\\&|HIS|'), Buffer.from([0xb3, 0x7c]), Buffer.from(message('A', charset).slice(17))]);
    expect(bytes.toString('latin1')).toContain('MSH|^~\\&|HIS|\xb3||PTL|EE|');
    expect(given(bytes)).toEqual([['A']]);
  });

  it('is answered with a question mark where it has no such sign', () => {
    expect([...encodeCharset('aŁ', '8859/1')]).toEqual([0x61, 0x3f]);
    expect([...encodeCharset('aé', 'ASCII')]).toEqual([0x61, 0x3f]);
    expect([...encodeCharset('aŁ', 'UNICODE UTF-16')]).toEqual([0xfe, 0xff, 0, 0x61, 0x01, 0x41]);
  });
});

describe('a message that changes its character set within (MSH-18 repeats, MSH-20)', () => {
  const esc = (text: string): string => text.replaceAll('<', '\x1b');
  const hl7 = (text: string): string =>
    text.replace(/<(\(B|\(J|\)I|-[A-Z]|\$B|\$\(D|\$\)G)/g, (_, signs: string) => {
      const hex = Buffer.from(signs).toString('hex').toUpperCase();
      return `\\${signs.startsWith('$') ? 'M' : 'C'}${hex}\\`;
    });
  const named = (name: string, sets: string, scheme: string): Buffer => Buffer.from(message(name, `${sets}||${scheme}`), 'latin1');
  const cases: [string, string, string, string][] = [
    ['kanji, and ASCII again', '~ISO IR87', '<$B;3ED<(B', '山田'],
    ['kanji and a name in ASCII', 'ISO IR6~ISO IR87', '<$B;3ED<(B Taro', '山田 Taro'],
    ['two bytes that look like delimiters', 'ASCII~ISO IR87', '<$B0|0^0~0\\0&<(B', '淫緯蔭移愛'],
    ['further kanji', 'ISO IR6~ISO IR159', '<$(D0!<(B', '丂'],
    ['katakana above', 'ISO IR14~ISO IR87', '\xd4\xcf<$B;3<(J', 'ﾔﾏ山'],
    ['Greek in a message of Latin 1', '8859/1~8859/7', '\xe9<-F\xcb\xf9<-A\xe9', 'éΛωé'],
    ['Cyrillic in a message of ASCII', 'ASCII~8859/5', '<-L\xb4\xd6', 'Дж'],
  ];
  it.each(cases)('%s', (_, sets, name, meant) => {
    expect(given(named(esc(name), sets, 'ISO 2022-1994'))).toEqual([[meant]]);
    expect(given(named(hl7(name), sets, '2.3'))).toEqual([[meant]]);
  });

  it('is read without MSH-20 where MSH-18 names a set that only sequences reach', () => {
    expect(given(named(esc('<$B;3ED<(B'), 'ISO IR87', ''))).toEqual([['山田']]);
  });

  it('begins each line in its own set, so that nothing swallows a segment', () => {
    const answer = translated(named(esc('<$B;3ED'), '~ISO IR87', 'ISO 2022-1994'));
    expect(answer.persons[0]?.given).toEqual(['山田']);
    expect([...answer.account.mapped, ...answer.account.carried].map(({ path }) => path)).toContain('PV1-2');
  });

  it.each([
    ['half a sign', '~ISO IR87', '<$B;3E<(B', 'ingest.encoding-invalid'],
    ['a byte that kanji have not', '~ISO IR87', '<$B\xbb3<(B', 'ingest.encoding-invalid'],
    ['a sequence of no set', '~ISO IR87', '<$)G;3<(B', 'ingest.encoding-invalid'],
    ['a set that is not read', '~CNS 11643-1992', '<$)G\xc4\xe3', 'ingest.charset-unsupported'],
  ])('is refused where it holds %s', (_, sets, name, code) => {
    expect(() => translated(named(esc(name), sets, 'ISO 2022-1994'))).toThrow(code);
  });

  it('is not switched where it names no other set: the sequences are kept beside', () => {
    const answer = translated(named('\\M2442\\;3', '8859/1', ''));
    expect(answer.persons[0]?.given).toEqual(['\ufffd;3']);
    expect(answer.account.carried).toContainEqual({ path: 'PID-5.2', value: '\\M2442\\;3', escaped: true });
  });
});

describe('UTF-16', () => {
  const text = message('Łucja\u{1f600}', 'UNICODE UTF-16');
  const forms: [string, Buffer][] = [
    ['little end first', utf16le(text)],
    ['big end first', utf16be(text)],
    ['with a mark, little end first', utf16le(`\ufeff${text}`)],
    ['with a mark, big end first', utf16be(`\ufeff${text}`)],
  ];

  it.each(forms)('is read: %s', (_name, bytes) => {
    expect(serialiseHl7(readHl7(bytes, { maxBytes: 10_000, terminators: 'cr' }))).toBe(text);
    expect(given(bytes)).toEqual([['Łucja\u{1f600}']]);
    expect(translated(bytes).resources.map(({ id }) => id)).toEqual(
      translated(Buffer.from(message('Łucja\u{1f600}', 'UNICODE UTF-8'))).resources.map(({ id }) => id),
    );
  });

  it('is refused where MSH-18 says otherwise, or half a sign stands in it', () => {
    expect(() => translated(utf16le(message('A', '8859/1')))).toThrow('ingest.encoding-invalid');
    expect(() => translated(utf16le(message('\ud83d', 'UNICODE UTF-16')))).toThrow('ingest.encoding-invalid');
  });

  it('keeps hexadecimal digits beside, of which nobody says what they count; line ends are read', () => {
    const answer = translated(utf16le(message('A\\X4E2D\\', 'UNICODE UTF-16')));
    expect(answer.persons[0]?.given).toEqual(['A\ufffd']);
    expect(answer.account.carried).toContainEqual({ path: 'PID-5.2', value: 'A\\X4E2D\\', escaped: true });
    expect(given(utf16le(message('A\\X0D0A\\B', 'UNICODE UTF-16')))).toEqual([['A\r\nB']]);
  });

  it.each(['utf-16le', 'utf-16be'])('a batch file comes apart into messages of it, in whatever pieces it comes: %s', (order) => {
    const wide = order === 'utf-16le' ? utf16le : utf16be;
    const messages = [text, text.replace('C-1', 'C-2')];
    const whole = wide(`\ufeffFHS|^~\\&|A\rBHS|^~\\&|A\r${messages.join('')}BTS|2\rFTS|1\r`);
    const limits = { maxMessages: 10, maxBytes: 1000 };
    expect(isBatch(whole)).toBe(true);
    const expected = messages.map((one, i) => ({ kind: 'message', place: `message[${i + 1}]`, bytes: new Uint8Array(wide(one)) }));
    expect(readBatch(whole, limits)).toEqual(expected);
    for (const size of [1, 3, 64]) {
      const reader = new BatchReader(limits);
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => whole.subarray(i * size, (i + 1) * size));
      expect([...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()]).toEqual(expected);
    }
  });

  it('a swap of places comes apart into one message a person', () => {
    const swap = readFileSync(join(own, 'ee-tables-adt-a17.hl7'), 'utf8');
    const parts = personParts(Buffer.from(swap)).map((part) => Buffer.from(part).toString());
    expect(parts).toHaveLength(2);
    expect(personParts(utf16be(swap)).map((part) => Buffer.from(part).swap16().toString('utf16le'))).toEqual(parts);
  });
});
