import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { toFhirJson, type FhirResource } from '../engine/index.js';
import { detectFormat } from '../formats.js';
import { openReferences, sharedIds } from '../testing/oracles.js';
import { translate, type Translation } from '../translate.js';
import { readExtract } from './index.js';

const columns = ['Patient', 'Family', 'Given', 'Born', 'Sex', 'Order', 'Test', 'Name', 'Value', 'Unit', 'Taken', 'Comment'];
const extract = {
  id: 'lab-result',
  delimiter: ';' as const,
  encoding: 'UTF-8' as const,
  header: true,
  columns: columns.map((title) => ({ name: title.toLowerCase(), title })) as [
    { name: string; title: string },
    { name: string; title: string },
  ],
  document: ['patient', 'order'],
  organisation: 'urn:portolan:demo:zz:lab',
};
const country = {
  country: 'ZZ',
  name: 'Made up',
  illustrative: true,
  languages: ['en'],
  personIdentifiers: [{ system: 'urn:portolan:demo:zz:person', name: 'number' }],
  search: { identifierSystems: ['urn:portolan:demo:zz:person'], traits: [] },
  formats: ['csv'],
  extracts: [extract],
};
const map = {
  map: 'zz/lab',
  format: 'csv',
  resources: [
    {
      id: 'patient',
      resource: 'Patient',
      each: ['lab-result'],
      subject: true,
      key: [['patient']],
      elements: [
        { to: 'identifier[0].value', from: 'patient', as: 'string', required: 'entry' },
        { to: 'identifier[0].system', constant: 'urn:portolan:demo:zz:person' },
        { to: 'name[0].family', from: 'family', as: 'string' },
        { to: 'name[0].given[]', from: 'given', as: 'string' },
        { to: 'birthDate', from: 'born', as: 'iso-date' },
      ],
    },
    {
      id: 'result',
      resource: 'Observation',
      each: ['lab-result'],
      under: 'patient',
      key: [['order', 'test']],
      elements: [
        { to: 'status', constant: 'final' },
        { to: 'code.coding[0].code', from: 'test', as: 'code', required: 'entry' },
        { to: 'code.text', from: 'name', as: 'string' },
        { to: 'subject', as: 'reference', rule: 'patient', required: 'entry' },
        { to: 'effectiveDateTime', from: 'taken', as: 'iso-dateTime' },
        { to: 'valueQuantity.value', from: 'value', as: 'decimal', strict: 'entry' },
        { to: 'valueQuantity.unit', from: 'unit', as: 'string' },
        { to: 'note[0].text', from: 'comment', as: 'string' },
      ],
    },
  ],
};
const pack = countryPack({ 'country.json': country, 'maps/lab.json': map });
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const fixture = readFileSync(join(import.meta.dirname, '../../fixtures/csv/zz-lab.csv'));
const read = (bytes: Uint8Array): Translation =>
  translate({ bytes, format: 'auto', country: pack, sha256, received: '2026-11-28T10:00:00.000Z' });
const results = ({ resources }: Translation): FhirResource[] => resources.filter(({ resourceType }) => resourceType === 'Observation');
const withRow = (row: string): Buffer => Buffer.from(`${columns.join(';')}\r\n${row}\r\n`);
const limits = { maxMessages: 10, maxBytes: 10_000 };

describe('a declared CSV extract', () => {
  const translation = read(fixture);
  it('is known by its header alone, and by nothing where no country declares it', () => {
    expect(detectFormat(fixture, [extract])).toBe('csv');
    expect(detectFormat(fixture)).toBeUndefined();
    expect(detectFormat(Buffer.from('Patient;Family\r\n'), [extract])).toBeUndefined();
  });
  it('becomes resources; digits, quotes, line breaks and formula texts stay', () => {
    expect(results(translation).map((one) => toFhirJson(one['valueQuantity']!))).toEqual([
      '{"value":7.80,"unit":"mmol/L"}',
      '{"value":1.0,"unit":"mg/L"}',
      '{"value":5.20,"unit":"mmol/L"}',
    ]);
    expect(results(translation).map((one) => toFhirJson(one['note']!))).toEqual([
      '[{"text":"fasting; said \\"yes\\""}]',
      '[{"text":"=1+1"}]',
      '[{"text":"two\\nlines"}]',
    ]);
    expect(openReferences(translation.resources)).toEqual([]);
    expect(sharedIds(translation.resources)).toEqual([]);
  });
  it('says of each value where it stood, and carries what no rule reads', () => {
    expect(translation.account.mapped).toContainEqual(expect.objectContaining({ path: 'lab-result[2]/value' }));
    expect(translation.account.carried).toContainEqual({ path: 'lab-result[2]/sex', value: 'F' });
    expect(translation.account.carried).toContainEqual({ path: 'lab-result[4]/value', value: 'not a number' });
  });
  it('refuses the row that is wrong alone', () => {
    expect(translation.account.rejects).toEqual([expect.objectContaining({ path: 'lab-result[4]/value', severity: 'entry' })]);
    expect(translation.persons).toHaveLength(3);
  });
  it('gives the same ids the second time', () => expect(read(fixture).resources).toEqual(translation.resources));
  it.each([
    ['too few cells', 'P-0009;x'],
    ['a quote that is never closed', 'P-0009;"x;Eva;;;;;;;;;'],
  ])('carries a row with %s, and reads its neighbours', (_, row) => {
    const after = read(Buffer.concat([fixture, Buffer.from(`${row}\nP-0004;Last;Ida;;F;A-4;GLU;Glucose;1;g;;\n`)]));
    expect(after.account.rejects).toContainEqual(expect.objectContaining({ code: 'ingest.malformed', path: 'lab-result[6]' }));
    expect(after.account.carried).toContainEqual({ path: 'lab-result[6]', value: expect.stringContaining(row) });
    expect(after.persons).toHaveLength(4);
  });
});

it('a quote inside of a cell is a sign like others', () => {
  const { resources } = read(withRow('P-0009;a"b"c;Eva;;;A-9;GLU;;;;;'));
  expect(toFhirJson([...resources])).toContain('"family":"a\\"b\\"c"');
});

describe('what spreadsheets and national systems write beside RFC 4180', () => {
  const text = fixture.toString('utf8');
  const wide = (order: 'le' | 'be', mark = '\ufeff'): Buffer => {
    const bytes = Buffer.from(`${mark}${text}`, 'utf16le');
    return order === 'le' ? bytes : bytes.swap16();
  };
  const trailing = text.replaceAll(/^(.*[^s]|Comment)$/gm, (line) =>
    /^(P-|Patient)/.test(line) && !line.endsWith('"two') ? `${line};;` : line,
  );
  it.each<[string, Uint8Array]>([
    ['CR LF', Buffer.from(text.replaceAll('\n', '\r\n').replace('"two\r\n', '"two\n'))],
    ['CR alone', Buffer.from(text.replaceAll('\n', '\r').replace('"two\r', '"two\n'))],
    ['UTF-16, low byte first', wide('le')],
    ['UTF-16, high byte first', wide('be')],
    ['UTF-16 without a mark', wide('le', '')],
    ['a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['the delimiter in a line of its own', Buffer.from(`sep=;\r\n${text}`)],
    ['another delimiter in such a line', Buffer.from(`SEP=|\n${text.replaceAll(';', '|').replace('fasting|', 'fasting;')}`)],
    ['empty cells behind the last', Buffer.from(trailing)],
    ['rows without a value at the end', Buffer.from(`${text}\n;;;;;;;;;;;\n;;\n\n`)],
    ['blanks around titles', Buffer.from(text.replace('Family;Given', ' Family ;Given\t'))],
  ])('%s changes nothing', (_, bytes) => {
    expect(trailing).toContain('Comment;;\n');
    const { resources, account } = read(bytes);
    expect(toFhirJson([...resources])).toBe(toFhirJson([...read(fixture).resources]));
    expect(account.rejects).toHaveLength(1);
    const items = readExtract(bytes, [extract], limits) ?? [];
    expect(items).toHaveLength(3);
    expect(items.flatMap((item) => (item.kind === 'message' ? results(read(item.bytes)) : []))).toEqual(results(read(fixture)));
  });
  it('a mark says more than the declared character set', () => {
    const latin = { ...extract, encoding: 'Windows-1252' as const };
    const bytes = Buffer.from(`\ufeff${text}`);
    const [, probe] = readExtract(bytes, [latin], limits) ?? [];
    expect(probe?.kind === 'message' && Buffer.from(probe.bytes).toString('utf8')).toMatch(/^\ufeffPatient;[^]*Jörg/);
  });
  it.each([
    ['Windows-1252', 0x80, '€'],
    ['Windows-1257', 0xd0, 'Š'],
    ['Windows-1250', 0xe8, 'č'],
    ['ISO-8859-2', 0xe8, 'č'],
  ] as const)('%s is read, and its documents are the bytes of the file', (encoding, byte, sign) => {
    const bytes = Buffer.concat([Buffer.from(`${columns.join(';')}\r\nP-1;x`), Buffer.of(byte), Buffer.from(';;;;;;;;;;\r\n')]);
    const other = countryPack({ 'country.json': { ...country, extracts: [{ ...extract, encoding }] }, 'maps/lab.json': map });
    const { resources } = translate({ bytes, format: 'auto', country: other, sha256, received: '2026-11-28T10:00:00.000Z' });
    expect(toFhirJson([...resources])).toContain(`"family":"x${sign}"`);
    const [item] = readExtract(bytes, [{ ...extract, encoding }], limits) ?? [];
    expect(item?.kind === 'message' && Buffer.from(item.bytes).equals(bytes)).toBe(true);
  });
  it('rows keep their numbers behind rows without a value', () => {
    const { account } = read(Buffer.from(`${columns.join(';')}\n\n;;;\nP-0009;x\n`));
    expect(account.rejects).toContainEqual(expect.objectContaining({ path: 'lab-result[4]' }));
  });
});

it.each([
  ['comma-decimal', '7,80', '"value":7.80'],
  ['comma-decimal', '1.234,5', undefined],
  ['decimal', '7,80', undefined],
])('as %s, %s is %s', (as, value, told) => {
  const elements = map.resources[1]!.elements.map((one) => (one.to === 'valueQuantity.value' ? { ...one, as } : one));
  const other = countryPack({
    'country.json': country,
    'maps/lab.json': { ...map, resources: [map.resources[0], { ...map.resources[1], elements }] },
  });
  const bytes = withRow(`P-1;x;;;;A-1;GLU;;${value};g;;`);
  const { resources, account } = translate({ bytes, format: 'auto', country: other, sha256, received: '2026-11-28T10:00:00.000Z' });
  if (told === undefined) expect(account.rejects).toHaveLength(1);
  else expect(toFhirJson([...resources])).toContain(told);
});
it.each([
  ['3.2.1970', '1970-02-03'],
  ['03/02/1970', '1970-02-03'],
  ['03-02-1970', '1970-02-03'],
  ['31.02.1970', undefined],
  ['03.02/1970', undefined],
  ['02.1970', undefined],
])('the day first: %s is %s', (born, told) => {
  const elements = map.resources[0]!.elements.map((one) => (one.to === 'birthDate' ? { ...one, as: 'dmy-date' } : one));
  const other = countryPack({ 'country.json': country, 'maps/lab.json': { ...map, resources: [{ ...map.resources[0], elements }] } });
  const bytes = withRow(`P-1;x;;${born};;;;;;;;`);
  const [patient] = translate({ bytes, format: 'auto', country: other, sha256, received: '2026-11-28T10:00:00.000Z' }).resources;
  expect(patient?.['birthDate']).toBe(told);
});

describe('its documents', () => {
  it('are the rows of one person and order, each with the header, as they stand in the file', () => {
    const items = readExtract(fixture, [extract], limits) ?? [];
    expect(items.map(({ kind, place }) => `${kind} ${place}`)).toEqual(['message row[2] row[3]', 'message row[4]', 'message row[5]']);
    const all = items.flatMap((item) => (item.kind === 'message' ? results(read(item.bytes)) : []));
    expect(all).toEqual(results(read(fixture)));
  });
  it('are kept in the character set of the file', () => {
    const latin = { ...extract, encoding: 'ISO-8859-15' as const };
    const bytes = Buffer.from(withRow('P-1;Jörg;;;;;;;;;;').toString('utf8'), 'latin1');
    const [item] = readExtract(bytes, [latin], limits) ?? [];
    expect(item?.kind === 'message' && Buffer.from(item.bytes).equals(bytes)).toBe(true);
  });
  it('stop at none that is bad', () => {
    const items = readExtract(Buffer.concat([fixture, Buffer.from('P-0009;x\nP-0004;;;;;;;;;;;\n')]), [extract], limits) ?? [];
    const bad = items[3]?.kind === 'message' ? read(items[3].bytes).account.rejects : [];
    expect(bad.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['ingest.malformed entry', 'translate.nothing-mapped document']);
    expect(items.slice(3).map(({ kind, place }) => `${kind} ${place}`)).toEqual(['message row[6]', 'message row[7]']);
  });
  it('are no more, and no longer, than may be', () => {
    expect(() => readExtract(fixture, [extract], { ...limits, maxMessages: 2 })).toThrow(
      expect.objectContaining({ code: 'ingest.too-large' }),
    );
    const items = readExtract(fixture, [extract], { ...limits, maxBytes: 100 }) ?? [];
    expect(items.map((item) => item.kind === 'problem' && item.code)).toEqual(Array(3).fill('ingest.too-large'));
  });
});

describe('what cannot be read', () => {
  it.each([
    ['another character set', Buffer.concat([withRow('P-1'), Buffer.from([0xff])]), 'ingest.encoding-invalid'],
    ['more than may be', Buffer.concat([withRow('P-1'), Buffer.alloc(2_000_000, 'x')]), 'ingest.too-large'],
    ['more rows than may be', Buffer.concat([withRow('P-1'), Buffer.alloc(40_100, 'x\n')]), 'ingest.too-large'],
  ])('%s', (_, bytes, code) => expect(() => read(bytes)).toThrow(expect.objectContaining({ code })));
  it.each([
    ['a title', 'Patient;Family;First', 'lab-result: column 3 is not called Given'],
    ['the number of columns', [...columns, 'More'].join(';'), 'lab-result: 13 columns, not 12'],
    ['the delimiter', columns.join(','), 'lab-result: separated by "," and not by ";"'],
    ['everything', 'a;b;c', 'no declared extract'],
  ])('says in what the header differs: %s', (_, header, detail) => {
    const error = expect.objectContaining({ code: 'ingest.format-unknown', detail }) as Error;
    expect(() => read(Buffer.from(`${header}\nSecret;x\n`))).toThrow(error);
    expect(() =>
      translate({ bytes: Buffer.from(header), format: 'csv', country: pack, sha256, received: '2026-11-28T10:00:00.000Z' }),
    ).toThrow(error);
  });
  it('says on which line bytes are no text', () => {
    expect(() => read(Buffer.concat([fixture, Buffer.from('P-1;J'), Buffer.from([0xf6]), Buffer.from('rg;;;;;;;;;;\n')]))).toThrow(
      expect.objectContaining({ code: 'ingest.encoding-invalid', where: 'line 7', detail: 'not UTF-8, which lab-result declares' }),
    );
  });
  it('is told with a code, whatever the bytes are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(';', '"', '\n', '\r\n', '\r', 'sep=;', '\0', 'a', 'é', '=', ',', '""', ' '), { maxLength: 60 }),
        (signs) => {
          const translation = attempt(() => read(withRow(signs.join(''))));
          if (translation instanceof Error) expect(translation).toHaveProperty('code', expect.stringMatching(/^ingest\./));
        },
      ),
      { numRuns: 300 },
    );
  });
});

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error as Error;
  }
}
