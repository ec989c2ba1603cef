import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromFhirJson, toFhirJson } from '@portolan/formats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHere, type Outcome } from '../test-support/run-here.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const fixtures = join(root, 'libs/formats/fixtures');
const chemistry = join(fixtures, 'hl7v2/ee-oru-r01-chemistry.hl7');

interface Report {
  readonly mapped: unknown[];
  readonly carried: { path: string; value: string }[];
  readonly rejects: { code: string }[];
}

let work: string;
beforeEach(() => (work = mkdtempSync(join(tmpdir(), 'portolan-translate-'))));
afterEach(() => rmSync(work, { recursive: true, force: true }));

const translate = (...args: string[]): Promise<Outcome> => runHere(['translate', ...args], { folder: work });
const text = (name: string): string => readFileSync(join(work, name), 'utf8');
const report = (name: string): Report => JSON.parse(text(`${name}.report.json`)) as Report;

describe('own fixtures, by the rules of their country', () => {
  const files = ['hl7v2', 'cda', 'kmehr', 'ldt'].flatMap((format) =>
    readdirSync(join(fixtures, format))
      .filter((name) => /^[a-z]{2}-(?!tables-).*\.(hl7|xml|ldt)$/.test(name))
      .map((name) => join(fixtures, format, name)),
  );
  it.each(files.map((file) => [basename(file), file]))('%s', async (name, file) => {
    const { exit, out, notes } = await translate('--country', name.slice(0, 2), file);
    expect(exit).toBe(name.includes('damaged') ? 1 : 0);
    expect(out.split('\n')).toEqual([join(work, `${name}.fhir.json`), join(work, `${name}.report.json`)]);
    expect(notes).toMatch(/resources; values: \d+ mapped, \d+ carried/);
    expect(Object.keys(report(name))).toEqual(['mapped', 'carried', 'ignored', 'constants', 'warnings', 'rejects', 'questions']);
    expect(report(name).mapped.length).toBeGreaterThan(0);
    for (const part of report(name).carried) expect(Object.keys(part)).toEqual(['path', 'value']);
    expect(text(`${name}.fhir.json`)).toMatch(/^\{"resourceType":"Bundle","type":"collection"/);
  });
  it('covers every format', () =>
    expect(new Set(files.map((file) => file.split('/').at(-2)))).toEqual(new Set(['hl7v2', 'cda', 'kmehr', 'ldt'])));
});

describe('foreign FHIR R4', () => {
  it('is read by HL7’s definitions: what is R4 is taken, what is not is told and carried', async () => {
    const { exit, out, notes } = await translate(join(fixtures, 'fhir/ee-ips-document.json'));
    expect(exit).toBe(0);
    expect(out.split('\n').map((file) => basename(file))).toEqual(['ee-ips-document.json.fhir.json', 'ee-ips-document.json.report.json']);
    expect(notes).toMatch(/fhir, 9 resources; values: \d+ mapped, \d+ carried, 0 ignored, \d+ warnings, 5 rejects/);
    expect(report('ee-ips-document.json').rejects.map(({ code }) => code)).toContain('fhir.resource-invalid');
    expect(text('ee-ips-document.json.fhir.json')).toContain('"value":5.20,');
  });
});

describe('a folder', () => {
  it('is all its files, without hidden ones and the results of an earlier run', async () => {
    mkdirSync(join(work, 'in/below/.git'), { recursive: true });
    const one = readFileSync(chemistry);
    for (const name of ['in/b.hl7', 'in/below/a.hl7', 'in/.hidden', 'in/below/.git/x.hl7']) writeFileSync(join(work, name), one);
    writeFileSync(join(work, 'in/many.hl7'), Buffer.concat([one, one]));
    cpSync(join(fixtures, 'fhir/ee-ips-document.json'), join(work, 'in/foreign.fhir.json'));
    const run = (): Promise<Outcome> => translate('--country', 'EE', '--out', 'in', 'in', 'in/b.hl7');
    const { exit, out } = await run();
    expect(exit).toBe(0);
    const inputs = out.split('\n').filter((name) => name.endsWith('report.json'));
    expect(inputs.map((name) => basename(name, '.report.json'))).toEqual([
      'b.hl7',
      'a.hl7',
      'foreign.fhir.json',
      'many.hl7.1',
      'many.hl7.2',
    ]);
    writeFileSync(join(work, 'in/b.hl7.fhir.json.new'), 'half');
    expect((await run()).out).toBe(out);
  });
  it('of nothing is nothing', async () => {
    mkdirSync(join(work, 'empty'));
    expect(await translate('empty')).toEqual({ exit: 0, out: '', notes: '' });
  });
});

describe('--json', () => {
  it('prints the account of each document on a line of its own, and why there is none', async () => {
    writeFileSync(join(work, 'none.hl7'), 'MSH|');
    const { exit, out, notes } = await translate('--json', '--country', 'EE', chemistry, 'none.hl7', 'absent.hl7');
    expect(exit).toBe(1);
    const [first, second, third, ...more] = out.split('\n').map((line) => JSON.parse(line) as { account: Report; written: string[] });
    expect(more).toEqual([]);
    expect(first).toEqual({
      written: ['fhir', 'report'].map((kind) => join(work, `ee-oru-r01-chemistry.hl7.${kind}.json`)),
      refused: false,
      account: report('ee-oru-r01-chemistry.hl7'),
    });
    expect(second).toMatchObject({ refused: true, account: { rejects: [{ severity: 'document' }] } });
    expect(third).toEqual({ code: 'cli.file-unreadable', where: join(work, 'absent.hl7') });
    expect(notes.split('\n')).toHaveLength(3);
  });
  it('prints what is written back, too', async () => {
    await translate('--country', 'EE', chemistry);
    const { exit, out } = await translate('--json', '--country', 'EE', '--to', 'hl7v2', 'ee-oru-r01-chemistry.hl7.fhir.json');
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ account: { mapped: expect.any(Array) as unknown, left: expect.any(Array) as unknown } });
  });
});

describe('a batch file', () => {
  it('is its messages, and a bad one stops none of the others', async () => {
    const one = readFileSync(chemistry, 'utf8');
    const bad = one.replace('|EE-ORU-0001|', '||');
    writeFileSync(join(work, 'many.hl7'), `FHS|^~\\&|A\rBHS|^~\\&|A\r${one}${bad}${one}BTS|3\rFTS|1\r`);
    const { exit, notes } = await translate('--country', 'EE', 'many.hl7');
    expect(exit).toBe(1);
    expect(notes).toContain('many.hl7.2: not read. ingest.header-incomplete');
    await translate('--country', 'EE', chemistry);
    for (const i of [1, 3]) expect(text(`many.hl7.${i}.fhir.json`)).toBe(text('ee-oru-r01-chemistry.hl7.fhir.json'));
    expect(existsSync(join(work, 'many.hl7.2.fhir.json'))).toBe(false);
    expect(report('many.hl7.2').rejects).toMatchObject([{ code: 'ingest.header-incomplete' }]);
  });

  it.each([
    ['none', 0, 'FHS|^~\\&|A\rBHS|^~\\&|A\rBTS|0\rFTS|1\r'],
    ['one', 1, `FHS|^~\\&|A\r${readFileSync(chemistry, 'utf8')}FTS\r`],
  ])('says how many messages it holds: %s', async (_, count, content) => {
    writeFileSync(join(work, 'many.hl7'), content);
    const { exit, out, notes } = await translate('--country', 'EE', 'many.hl7');
    expect(exit).toBe(0);
    expect(notes).toMatch(new RegExp(`many\\.hl7: a batch file of ${count} messages?$`));
    expect(out.split('\n').filter(Boolean)).toHaveLength(2 * count);
  });
  it('is read as it comes where it is longer than a document may be', { timeout: 30_000 }, async () => {
    const one = readFileSync(chemistry, 'utf8');
    writeFileSync(join(work, 'long.hl7'), `${one}${one}NTE|1|L|${'x'.repeat(20_000_000)}\r${one}`);
    const { exit, notes } = await translate('--country', 'EE', 'long.hl7');
    expect(exit).toBe(1);
    expect(notes).toContain('long.hl7.2: not read. ingest.too-large');
    await translate('--country', 'EE', chemistry);
    for (const i of [1, 3]) expect(text(`long.hl7.${i}.fhir.json`)).toBe(text('ee-oru-r01-chemistry.hl7.fhir.json'));
  });
});

describe('the Bundle', () => {
  const bundle = async (): Promise<string> => {
    await translate('--country', 'EE', chemistry);
    return text('ee-oru-r01-chemistry.hl7.fhir.json');
  };
  it('keeps the digits that the source wrote', async () => {
    const fhir = await bundle();
    const sent = [...readFileSync(chemistry, 'utf8').matchAll(/^OBX\|\d+\|NM\|[^|]*\|[^|]*\|(\d+\.\d*0)\|/gm)].map(
      (match) => match[1] ?? '',
    );
    expect(sent.length).toBeGreaterThan(0);
    for (const number of sent) expect(fhir).toContain(`"value":${number},`);
    expect(`${toFhirJson(fromFhirJson(fhir))}\n`).toBe(fhir);
  });
  it('is the same the second time, and refers to nothing outside', async () => {
    const first = await bundle();
    expect(await bundle()).toBe(first);
    const { entry } = JSON.parse(first) as { entry: { fullUrl: string }[] };
    const own = new Set(entry.map(({ fullUrl }) => fullUrl.split('/').slice(-2).join('/')));
    const references = [...first.matchAll(/"reference":"([^"]+)"/g)].map((match) => match[1]);
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) expect(own).toContain(reference);
  });
  it.skipIf(process.platform === 'win32')('is for its owner alone', async () => {
    await bundle();
    expect(statSync(join(work, 'ee-oru-r01-chemistry.hl7.fhir.json')).mode & 0o077).toBe(0);
  });
});

describe('--to hl7v2', () => {
  it('writes what was translated back as a message that is read as the same', async () => {
    await translate('--country', 'EE', chemistry);
    const { exit, out, notes } = await translate('--to', 'hl7v2', '--country', 'EE', 'ee-oru-r01-chemistry.hl7.fhir.json');
    expect(exit).toBe(0);
    expect(out.split('\n').map((file) => basename(file))).toEqual([
      'ee-oru-r01-chemistry.hl7.fhir.json.hl7',
      'ee-oru-r01-chemistry.hl7.fhir.json.report.json',
    ]);
    expect(notes).toMatch(/ORU\^R01; values: \d+ mapped, \d+ left out/);
    const message = text('ee-oru-r01-chemistry.hl7.fhir.json.hl7');
    expect(message).toContain('||7.80|mmol/L^mmol/l^UCUM|');
    writeFileSync(join(work, 'again.hl7'), message);
    await translate('--country', 'EE', 'again.hl7');
    const values = (...names: string[]): unknown[] =>
      names.flatMap((name) => [...text(name).matchAll(/"valueQuantity":\{"value":[\d.]+/g)].map(([value]) => value));
    // The stay is told in a message of its own.
    expect(values('again.hl7.1.fhir.json', 'again.hl7.2.fhir.json')).toEqual(values('ee-oru-r01-chemistry.hl7.fhir.json'));
  });
  it('in the character set that is asked for, or not at all', async () => {
    await translate('--country', 'EE', chemistry);
    const file = 'ee-oru-r01-chemistry.hl7.fhir.json';
    expect((await translate('--to', 'hl7v2', '--country', 'EE', '--charset', '8859/15', file)).exit).toBe(0);
    const bytes = readFileSync(join(work, `${file}.hl7`));
    expect(bytes.toString('latin1')).toContain('|8859/15\r');
    expect(bytes.toString('latin1')).toContain('Näidis');
    rmSync(join(work, `${file}.hl7`));
    const { exit, notes } = await translate('--to', 'hl7v2', '--country', 'EE', '--charset', 'ASCII', file);
    expect(exit).toBe(1);
    expect(notes).toContain('translate.charset-lacking');
    expect(existsSync(join(work, `${file}.hl7`))).toBe(false);
  });
  it.each([
    ['no JSON', '{', 'ingest.malformed'],
    ['no resource', '[]', 'ingest.malformed'],
    ['an entry without an id', '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}]}', 'ingest.malformed'],
    ['nested too deep', '['.repeat(100) + ']'.repeat(100), 'ingest.malformed'],
    ['nobody', '{"resourceType":"Bundle"}', 'translate.back-unwritable'],
  ])('refuses %s', async (_, content, code) => {
    writeFileSync(join(work, 'x.json'), content);
    const { exit, notes } = await translate('--to', 'hl7v2', 'x.json');
    expect(exit).toBe(1);
    expect(notes).toContain(code);
    expect(existsSync(join(work, 'x.json.hl7'))).toBe(false);
  });
});

describe('--to cda', () => {
  it('writes what was translated back as a document that is read as the same', async () => {
    const name = 'ee-mari-naidis-summary.xml';
    await translate('--country', 'EE', join(fixtures, 'cda', name));
    const { exit, out, notes } = await translate('--to', 'cda', '--country', 'EE', `${name}.fhir.json`);
    expect(exit).toBe(0);
    expect(out.split('\n').map((file) => basename(file))).toEqual([`${name}.fhir.json.xml`, `${name}.fhir.json.report.json`]);
    expect(notes).toMatch(/CDA patient summary; values: \d+ mapped, \d+ left out/);
    await translate('--country', 'EE', `${name}.fhir.json.xml`);
    // But for its table of contents: it names the sections that every summary has, also those that are empty.
    const entries = (file: string): unknown[] =>
      (JSON.parse(text(file)) as { entry: { resource: { resourceType: string } }[] }).entry
        .map(({ resource }) => resource)
        .filter(({ resourceType }) => resourceType !== 'Composition');
    expect(entries(`${name}.fhir.json.xml.fhir.json`)).toEqual(entries(`${name}.fhir.json`));
  });
  it('refuses nobody', async () => {
    writeFileSync(join(work, 'x.json'), '{"resourceType":"Bundle"}');
    const { exit, notes } = await translate('--to', 'cda', 'x.json');
    expect(exit).toBe(1);
    expect(notes).toContain('translate.back-unwritable');
  });
});

describe('where results go', () => {
  it('is the folder that is named, made where it is missing', async () => {
    const { exit } = await translate('--out', 'new/folder', chemistry);
    expect(exit).toBe(0);
    expect(readdirSync(join(work, 'new/folder')).sort()).toEqual([
      'ee-oru-r01-chemistry.hl7.fhir.json',
      'ee-oru-r01-chemistry.hl7.report.json',
    ]);
  });
  it('is told apart for files of one name, and a file named twice is read once', async () => {
    for (const folder of ['a', 'b']) mkdirSync(join(work, folder));
    for (const file of ['a/x.hl7', 'b/x.hl7']) writeFileSync(join(work, file), readFileSync(chemistry));
    const { exit, out } = await translate('a/x.hl7', 'b/x.hl7', 'b/../a/x.hl7');
    expect(exit).toBe(0);
    expect(out.split('\n').map((file) => basename(file))).toEqual([
      'x.hl7.fhir.json',
      'x.hl7.report.json',
      'x.hl7.2.fhir.json',
      'x.hl7.2.report.json',
    ]);
  });
  it('is refused where it is a file', async () => {
    writeFileSync(join(work, 'taken'), '');
    expect(await translate('--out', 'taken', chemistry)).toMatchObject({
      exit: 1,
      out: '',
      notes: expect.stringContaining('cli.output-unwritable'),
    });
  });
});

describe('what cannot be read ends with 1, and the other files are translated all the same', () => {
  it('a file that is missing: nothing is written of it', async () => {
    const { exit, out, notes } = await translate('none.hl7', chemistry);
    expect(exit).toBe(1);
    expect(notes).toContain('cli.file-unreadable');
    expect(out.split('\n')).toHaveLength(2);
  });
  it.each([
    ['an empty file', '', 'ingest.format-unknown'],
    ['a file of no format', 'not a message', 'ingest.format-unknown'],
    [
      'bytes of no character set',
      Buffer.from('MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5||||||UNICODE UTF-8\rPID|||\xff\xfe', 'latin1'),
      'ingest.encoding-invalid',
    ],
  ])('%s: its report says so, and there is no Bundle', async (_, content, code) => {
    writeFileSync(join(work, 'x.hl7'), content);
    writeFileSync(join(work, 'x.hl7.fhir.json'), 'of an earlier run');
    const { exit, notes } = await translate('x.hl7', chemistry);
    expect(exit).toBe(1);
    expect(notes).toContain(code);
    expect(report('x.hl7').rejects).toMatchObject([{ code, severity: 'document' }]);
    expect(existsSync(join(work, 'x.hl7.fhir.json'))).toBe(false);
    expect(existsSync(join(work, 'ee-oru-r01-chemistry.hl7.fhir.json'))).toBe(true);
  });
  it('says it also of the one format that was named', async () => {
    const { exit, notes } = await translate('--format', 'cda', chemistry);
    expect(exit).toBe(1);
    expect(notes).toMatch(/ingest\.[a-z-]+/);
  });
});

describe('what a node would refuse as a whole ends with 1, and is written with what is wrong', () => {
  it('a message with a broken birth date', async () => {
    const { exit, notes } = await translate('--country', 'PT', join(fixtures, 'hl7v2/pt-adt-a08-damaged.hl7'));
    expect(exit).toBe(1);
    expect(notes).toMatch(/ 2 rejects; refused\. translate\.value-invalid: .* at PID-7\./);
    expect(existsSync(join(work, 'pt-adt-a08-damaged.hl7.fhir.json'))).toBe(true);
  });
  it('a message whose header is not taken, by the same code as at the door of a node', async () => {
    const refused: [number, string, string, string][] = [
      [12, '2.1', 'ingest.version-unsupported', 'MSH-12.1'],
      [12, '2.9', 'ingest.version-unsupported', 'MSH-12.1'],
      [12, '3.0', 'ingest.version-unsupported', 'MSH-12.1'],
      [12, '', 'ingest.version-unsupported', 'MSH-12.1'],
      [11, '', 'ingest.processing-unsupported', 'MSH-11.1'],
      [9, 'ZZZ^Z01', 'ingest.type-unsupported', 'MSH-9.1'],
      [9, 'ADT^Z99', 'ingest.event-unsupported', 'MSH-9.2'],
    ];
    const taken = ['2.3', '2.3.1', '2.4', '2.5.1', '2.6', '2.7.1', '2.8.2'].map((version): [number, string] => [12, version]);
    const messages = [...refused, ...taken].map(([field, value]) => {
      const [head = '', ...segments] = readFileSync(chemistry, 'utf8').split('\r');
      return [
        head
          .split('|')
          .with(field - 1, value)
          .join('|'),
        ...segments,
      ].join('\r');
    });
    for (const [i, message] of messages.entries()) writeFileSync(join(work, `${i}.hl7`), message);
    const { exit, notes } = await translate('--country', 'EE', ...messages.map((_, i) => `${i}.hl7`));
    expect(exit).toBe(1);
    const lines = notes.split('\n');
    for (const [i, [, , code, path]] of refused.entries()) {
      expect(lines[i]).toContain(`; refused. ${code}: `);
      expect(report(`${i}.hl7`).rejects).toMatchObject([{ code, path, severity: 'document' }]);
    }
    for (const line of lines.slice(refused.length)) expect(line).toMatch(/ 0 rejects$/);
  });
});
it.each([
  ['that has no folder', 'XX', 'cli.country-unknown'],
  ['that is no code', '../../etc', 'cli.country-unknown'],
])('a country %s ends with 1', async (_, country, code) => {
  expect(await translate('--country', country, chemistry)).toMatchObject({ exit: 1, out: '', notes: expect.stringContaining(code) });
});
describe('a mistake in a country’s folder, which may lie elsewhere, is told with file and line', () => {
  const rule = { id: 'own.gender', to: 'gender', from: 'PID-8', as: 'magic' };
  const own = { map: 'ee/a', format: 'hl7v2', resources: [{ id: 'patient', elements: [rule] }] };
  const slip = { ...own, resources: [{ id: 'patient', elements: [{ ...rule, to: 'gendr', as: 'string' }] }] };
  const foreign = readFileSync(join(root, 'libs/countries/pt/country.json'), 'utf8');
  const set = { resourceType: 'ValueSet', url: 'urn:vs', compose: { include: [{ system: 'urn:s', concept: [{ display: 'no code' }] }] } };
  it.each([
    ['what is no JSON', 'country.json', '{\n  "country": "EE",,\n}', 'translate.country-invalid', 'country.json:2'],
    ['another country', 'country.json', foreign, 'translate.country-invalid', 'country.json:2'],
    [
      'an element that R4 has not',
      'maps/a.json',
      JSON.stringify(slip, null, 2),
      'translate.map-invalid',
      'maps/a.json:8 own.gender: writes gendr',
    ],
    ['a file that ends early', 'code-maps/units.json', '{\n\n', 'translate.country-invalid', 'code-maps/units.json:1'],
    ['a value set', 'value-sets/a.json', JSON.stringify(set, null, 2), 'translate.map-invalid', 'value-sets/a.json:9 (value set)'],
    ['a rule', 'maps/a.json', JSON.stringify(own, null, 2), 'translate.map-invalid', 'maps/a.json:8 own.gender: as magic'],
    ['a code map', 'code-maps/a.json', '{\n"resourceType":\n"ValueSet" }', 'translate.map-invalid', 'code-maps/a.json:2 (concept map)'],
  ])('%s', async (_, name, content, code, place) => {
    const folder = join(work, 'countries/ee');
    cpSync(join(root, 'libs/countries/ee'), folder, { recursive: true });
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
    const { exit, notes } = await translate('--countries', 'countries', '--country', 'EE', chemistry);
    expect(exit).toBe(1);
    expect(notes).toContain(code);
    expect(notes).toContain(place);
  });
});

const shared = join(root, '../shared/fixtures');
describe.skipIf(!existsSync(shared))('public documents (skipped where ../shared/fixtures is absent)', () => {
  const folders: [string, string[]][] = [
    ['hl7v2', ['ADT-A45-01.hl7']],
    ['ccda', []],
    ['ehdsi-patient-summary', []],
    ['kmehr/medication-scheme', []],
  ];
  // The message of A45 does not say which stay it moves.
  it.each(folders)('of %s are all read, and a node would refuse %j', async (folder, refused) => {
    const files = existsSync(join(shared, folder)) ? readdirSync(join(shared, folder)).filter((name) => !name.endsWith('.fhir.json')) : [];
    expect(files.length).toBeGreaterThan(0);
    const { exit, notes } = await translate(...files.map((name) => join(shared, folder, name)));
    expect(notes.split('\n').filter((line) => !line.includes('resources; values:'))).toEqual([]);
    const told = notes.split('\n').filter((line) => line.includes('; refused'));
    expect(told.map((line) => basename(line.split(': ')[0] ?? ''))).toEqual(refused);
    expect(exit).toBe(refused.length === 0 ? 0 : 1);
  });
});
