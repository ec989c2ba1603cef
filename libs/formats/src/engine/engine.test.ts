import { describe, expect, it } from 'vitest';
import { DecimalText, fromFhirJson, parseSourcePath, select, SourceNode, stableUuid, toFhirJson } from './index.js';
import { readDecimal } from './conversions.js';
import { PathFinder } from './source-path.js';
import { parseTargetPath, putAt } from './target-path.js';
import { compactDate, compactDateTime, compactTime, isoDateTime, offsetAt } from './times.js';

const leaf = (name: string, value: string): SourceNode => SourceNode.leaf(name, name, value);
const tree = SourceNode.branch('document', '', [
  SourceNode.branch('PID', 'PID', [
    SourceNode.branch('3', 'PID-3', [leaf('1', 'A1'), leaf('5', 'MR')]),
    SourceNode.branch('3', 'PID-3[2]', [leaf('1', 'B2'), leaf('5', 'NI')]),
    leaf('8', 'F'),
    SourceNode.leaf('9', 'PID-9', '""', true),
  ]),
  SourceNode.branch('section', 'section', [
    SourceNode.branch('code', 'code', [leaf('@code', '48765-2')]),
    SourceNode.branch('entry', 'entry', [leaf('#text', 'one')]),
  ]),
  SourceNode.branch('section', 'section[2]', [
    SourceNode.branch('code', 'code', [leaf('@code', 'a/b]')]),
    SourceNode.branch('entry', 'entry', [leaf('#text', 'two')]),
  ]),
]);
const texts = (path: string, from = tree): string[] =>
  select(from, parseSourcePath(path)).flatMap((node) => node.leaves().map((one) => one.value!));

describe('source paths', () => {
  it.each([
    ['PID-3.1', ['A1', 'B2']],
    ["PID-3[5='NI']/1", ['B2']],
    ["PID-3[5='NI'][1]/1", ['B2']],
    ['PID-3[2]/1', ['B2']],
    ['PID-3[3]', []],
    ['PID-8.1', ['F']],
    ['PID-8.2', []],
    ['PID-9', []],
    ["section[code/@code='48765-2']/entry", ['one']],
    ["section[code/@code='a/b]']/entry", ['two']],
    ['section[nothing]', []],
    ['section/entry[#text]', ['one', 'two']],
    ['*/entry', ['one', 'two']],
    ['/PID-8', ['F']],
    ['PID/../PID-8', ['F']],
    ['..', []],
    ['//entry', ['one', 'two']],
    ["//section[code/@code='48765-2']/entry", ['one']],
    ['//PID-8', ['F']],
    ['//nothing', []],
  ])('%s', (path, expected) => expect(texts(path)).toEqual(expected));

  it('reads HL7 notation from the segment itself as well', () => {
    expect(texts('PID-8', tree.named('PID')[0])).toEqual(['F']);
  });

  it('that begin alike are followed together, and each finds its own', () => {
    const said = ['section', '//section', '*', 'PID', 'PID-3', 'PID/3', 'PID-9', 'PID/9/..', '..', '.', '/PID'];
    const tests = ['', '[1]', '[2]', '[code]', '[nothing]', "[code/@code='48765-2']", "[code/@code='a/b]']", "[5='NI']", "[5='NI'][1]"];
    const ends = ['', '/1', '/entry', '/entry/#text', '/../PID-8'];
    const paths = said.flatMap((path) =>
      tests.flatMap((test) => (/[.*]$/.test(path) && test !== '' ? [] : ends.map((end) => path + test + end))),
    );
    for (const from of [tree, tree.children[0]!])
      for (const order of [paths, paths.toReversed()]) {
        const finder = new PathFinder(from);
        for (const path of order) expect(finder.find(parseSourcePath(path)), path).toEqual(select(from, parseSourcePath(path)));
      }
  });

  it.each([
    '',
    'a//b',
    '//',
    '//8',
    '//*',
    '//..',
    'a/',
    'a[',
    'a[b',
    'a]',
    "a[b='c]",
    'a[0]',
    'a[b=c]',
    'a b',
    'a[b][',
    "a['x']",
    'a[b[1]]',
  ])('refuses %s', (path) => {
    if (path === '') expect(texts('')).toEqual(texts('.'));
    else expect(() => parseSourcePath(path)).toThrow();
  });
});

describe('target paths', () => {
  it('append, fill and never overwrite', () => {
    const object = {};
    expect(putAt(object, parseTargetPath('name[]'), { family: 'a' })).toBe('name[0]');
    expect(putAt(object, parseTargetPath('name[]'), { family: 'b' })).toBe('name[1]');
    expect(putAt(object, parseTargetPath('name[0].given[]'), 'c')).toBe('name[0].given[0]');
    expect(putAt(object, parseTargetPath('name[0].family'), 'd')).toBeUndefined();
    expect(putAt(object, parseTargetPath('name[1]'), { family: 'e', use: 'old' })).toBeUndefined();
    expect(object).toEqual({ name: [{ family: 'a', given: ['c'] }, { family: 'b' }] });
  });
  it.each(['', 'a..b', 'a[x]', 'A', 'a b', '__proto__', 'a[123]'])('refuses %s', (path) => expect(() => parseTargetPath(path)).toThrow());
});

describe('decimals', () => {
  it.each(['1.50', '0.10', '100', '-0.0', '12345678901234567890.123456789012345678901'])('%s keeps its digits through JSON', (text) => {
    const written = toFhirJson({ value: new DecimalText(text) });
    expect(written).toBe(`{"value":${text}}`);
    expect(toFhirJson(fromFhirJson(written))).toBe(written);
    expect(JSON.stringify({ deep: [{ value: new DecimalText(text) }] })).toContain(text);
  });
  it.each([
    ['+5.0', '5.0'],
    ['007', '7'],
    ['.5', '0.5'],
    ['-00.50', '-0.50'],
    [' 1.5 ', '1.5'],
  ])('%s is read as %s', (text, digits) => expect(readDecimal(text)?.text).toBe(digits));
  it.each(['', '.', '1,5', '1e3', 'NaN', '1.', '--1', '1 2', '0x10'])('%s is none', (text) => expect(readDecimal(text)).toBeUndefined());
  it('refuses to hold what is none', () => expect(() => new DecimalText('1.')).toThrow(RangeError));
});

describe('times', () => {
  const none = { documentOffset: undefined, assumedZone: undefined };
  it.each([
    ['2026', '2026'],
    ['202611', '2026-11'],
    ['20261103', '2026-11-03'],
    ['20261103+0200', '2026-11-03'],
    ['202611030730+0200', '2026-11-03T07:30:00+02:00'],
    ['20261103073015.123-0330', '2026-11-03T07:30:15.123-03:30'],
    ['20240229', '2024-02-29'],
  ])('HL7 %s', (text, value) => expect(compactDateTime(text, none)).toEqual({ value, partial: false }));
  it.each(['19801350', '20260230', '2026110325', '20261103076', '202611030730+9900', '0000', 'gestern', '2026-11-03', '20261103073000.'])(
    'HL7 %s is none',
    (text) => expect(compactDateTime(text, none)).toBeUndefined(),
  );
  it('takes an offset from the document, else the country’s zone, else only the date', () => {
    expect(compactDateTime('202607010800', { ...none, documentOffset: '+01:00' })?.value).toBe('2026-07-01T08:00:00+01:00');
    expect(compactDateTime('202607010800', { ...none, assumedZone: 'Europe/Tallinn' })).toEqual({
      value: '2026-07-01T08:00:00+03:00',
      partial: false,
      note: 'translate.zone-assumed',
    });
    expect(compactDateTime('202607010800', none)).toEqual({ value: '2026-07-01', partial: true, note: 'translate.zone-unknown' });
  });
  it.each([
    ['2026-01-15T12:00:00', 'Europe/Lisbon', '+00:00'],
    ['2026-07-15T12:00:00', 'Europe/Lisbon', '+01:00'],
    ['2026-03-29T02:30:00', 'Europe/Tallinn', '+02:00'],
    ['2026-03-29T04:30:00', 'Europe/Tallinn', '+03:00'],
    ['2026-10-25T02:30:00', 'Europe/Tallinn', '+03:00'],
    ['2026-10-25T04:30:00', 'Europe/Tallinn', '+02:00'],
    ['2026-01-15T12:00:00', 'America/St_Johns', '-03:30'],
  ])('%s in %s', (local, zone, offset) => expect(offsetAt(local, zone)).toBe(offset));
  it('a date with a time of day is only in part a date', () =>
    expect(compactDate('198808181126')).toEqual({ value: '1988-08-18', partial: true }));
  it.each([
    ['0730', '07:30:00'],
    ['07', '07:00:00'],
    ['07:30:15', '07:30:15'],
    ['0730+0100', undefined],
    ['2460', undefined],
  ])('clock %s', (text, value) => expect(compactTime(text)?.value).toBe(value));
  it('ISO', () => expect(isoDateTime('2026-11-03T07:30Z', none)?.value).toBe('2026-11-03T07:30:00Z'));
});

describe('stable ids', () => {
  const fake = (bytes: Uint8Array): string =>
    Array.from(new Uint8Array(32), (_, i) => ((bytes[i % bytes.length] ?? 0) ^ i).toString(16).padStart(2, '0')).join('');
  it('are UUIDs of version 8', () =>
    expect(stableUuid(fake, ['a', 'b'])).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/));
  it('do not run parts together', () => {
    const seen: string[] = [];
    const spy = (bytes: Uint8Array): string => (seen.push(new TextDecoder().decode(bytes)), fake(bytes));
    stableUuid(spy, ['a', 'b,c']);
    stableUuid(spy, ['a,b', 'c']);
    expect(seen[0]).not.toBe(seen[1]);
  });
});
