import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Validators, type NodeConfig } from '@portolan/contracts';
import type { Wording } from '@portolan/formats';
import { readCountry } from '@portolan/nest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeConfig } from '../test-support/node-config.js';
import { runHere, type Outcome } from '../test-support/run-here.js';

const LOINC = 'http://loinc.org';
const table = (name: string, version = '2.81'): string =>
  `LOINC_NUM,STATUS,LONG_COMMON_NAME,VersionLastChanged\n99998-1,ACTIVE,${name},${version}\n99996-5,ACTIVE,Other,2.7\n`;

let work: string;
let config: NodeConfig;
beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), 'portolan-terms-'));
  config = await nodeConfig(join(work, 'ee'), { country: 'EE' });
  mkdirSync(join(work, 'ee'));
  writeFileSync(join(work, 'ee/node.json'), JSON.stringify(config));
  writeFileSync(join(work, 'Loinc.csv'), table('Made up'));
  writeFileSync(join(work, 'etEE99LinguisticVariant.csv'), 'LOINC_NUM,LinguisticVariantDisplayName\n99998-1,Välja mõeldud\n');
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

const imports = (...args: string[]): Promise<Outcome> =>
  runHere(['terms', 'import', ...args, '--country', 'EE', '--folder', work], { folder: work });
/** What the node reads at its start. */
const wording = async (code = '99998-1', languages = ['et', 'en']): Promise<Wording | undefined> =>
  (await readCountry(config, new Validators())).pack.displays.wording(LOINC, code, languages);
const aboutFolder = (): string => readdirSync(store()).find((name) => name.startsWith('20260301')) ?? '';
const store = (): string => join(work, 'ee/terminology', readdirSync(join(work, 'ee/terminology'))[0] ?? '');

describe('a release', () => {
  it('is imported, told with its checksum, and read by the country’s node', async () => {
    expect(await wording()).toBeUndefined();
    const { exit, out, notes } = await imports('loinc', 'Loinc.csv', 'etEE99LinguisticVariant.csv', '--json');
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      system: LOINC,
      version: '2.81',
      concepts: 2,
      isNew: true,
      files: [{ name: 'Loinc.csv', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string }, { name: 'etEE99LinguisticVariant.csv' }],
    });
    expect(notes).toContain('available at no cost under the license at http://loinc.org/license');
    expect(await wording()).toEqual({ text: 'Välja mõeldud', language: 'et-EE' });
    expect(await wording('99996-5')).toEqual({ text: 'Other', language: 'en' });
  });
  it('imported twice is there once; another version takes its place, and the first one is kept', async () => {
    await imports('loinc', 'Loinc.csv');
    expect((await imports('loinc', 'Loinc.csv')).out).toBe(`${LOINC} 2.81: 2 codes were there already`);
    writeFileSync(join(work, 'Loinc.csv'), table('Newer', '2.82'));
    expect((await imports('loinc', 'Loinc.csv')).out).toBe(`${LOINC} 2.82: 2 codes imported`);
    expect((await wording())?.text).toBe('Newer');
    expect(readdirSync(store())).toHaveLength(3);
  });
  it('with its hierarchy serves the filters of value sets', async () => {
    const countries = join(work, 'countries/ee');
    const own = join(config.countries, 'ee');
    for (const name of readdirSync(own, { recursive: true, encoding: 'utf8' }).filter((one) => one.endsWith('.json'))) {
      mkdirSync(join(countries, name, '..'), { recursive: true });
      writeFileSync(join(countries, name), readFileSync(join(own, name)));
    }
    const filter = [{ property: 'concept', op: 'is-a', value: 'A10' }];
    const set = { resourceType: 'ValueSet', url: 'urn:vs', compose: { include: [{ system: 'http://www.whocc.no/atc', filter }] } };
    mkdirSync(join(countries, 'value-sets'));
    writeFileSync(join(countries, 'value-sets/medicines.json'), JSON.stringify(set));
    const there = { ...config, countries: join(work, 'countries') };
    await expect(readCountry(there, new Validators())).rejects.toThrow(/medicines\.json.*not at hand in full/);
    writeFileSync(join(work, 'atc.csv'), 'code,name\nA,x\nA10,y\nA10B,z\n');
    expect((await imports('atc', 'atc.csv', '--release', '2026')).exit).toBe(0);
    await expect(readCountry(there, new Validators())).resolves.toBeDefined();
    // `portolan translate` reads what the node reads: by its name, or of the country's node in the demonstration's data folder.
    const message = fileURLToPath(new URL('../../../../libs/formats/fixtures/hl7v2/ee-oru-r01-chemistry.hl7', import.meta.url));
    const translates = (...args: string[]): Promise<Outcome> =>
      runHere(['translate', message, '--country', 'EE', '--countries', 'countries', ...args], { folder: work });
    expect(await translates()).toMatchObject({
      exit: 1,
      notes: expect.stringMatching(/medicines\.json:1 .*not at hand in full/) as string,
    });
    expect(await translates('--terminology', 'ee/terminology')).toMatchObject({ exit: 0 });
    expect(await translates('--terminology', 'nowhere')).toMatchObject({ exit: 1, notes: expect.stringContaining('nowhere') as string });
    mkdirSync(join(work, '.portolan'));
    symlinkSync(work, join(work, '.portolan/demo'));
    expect(await translates()).toMatchObject({ exit: 0 });
  });
  it('of SNOMED CT’s free set for patient summaries names codes, and says nothing of those that are not in it', async () => {
    const [name, terms] = ['sct2_Concept_Snapshot_IPS_20260301.txt', 'sct2_Description_Snapshot-en_IPS_20260301.txt'];
    writeFileSync(join(work, name), 'id\tactive\tdefinitionStatusId\n100000000\t1\tx\n');
    const columns = 'id\tactive\tconceptId\tlanguageCode\ttypeId\tterm\n';
    writeFileSync(join(work, terms), `${columns}1\t1\t100000000\ten\t900000000000013009\tMade up\n`);
    const { exit, notes } = await imports('snomed-ips', name, terms);
    expect(exit).toBe(0);
    expect(notes).toContain('Creative Commons Attribution 4.0 International');
    expect(JSON.parse(readFileSync(join(store(), aboutFolder(), 'about.json'), 'utf8'))).toMatchObject({ isPart: true, concepts: 1 });
    const { pack } = await readCountry(config, new Validators());
    expect(pack.displays.wording('http://snomed.info/sct', '100000000', ['en'])?.text).toBe('Made up');
  });
});

describe('what was in force stays so', () => {
  it('where a file is not in its layout', async () => {
    await imports('loinc', 'Loinc.csv');
    writeFileSync(join(work, 'Loinc.csv'), `${table('Newer', '2.82')}99995-7,ACTIVE\n`);
    const { exit, notes } = await imports('loinc', 'Loinc.csv');
    expect(exit).toBe(1);
    expect(notes).toMatch(/terms\.release-invalid.*Loinc\.csv:4/);
    expect((await wording())?.text).toBe('Made up');
  });
  it('where an import is killed half way, and the next one ends as if nothing had been', { timeout: 120_000 }, async () => {
    await imports('loinc', 'Loinc.csv');
    const rows = Array.from({ length: 150_000 }, (_, i) => `${i}-0,ACTIVE,Test number ${i},2.82\n`);
    writeFileSync(join(work, 'Loinc.csv'), table('Newer', '2.82') + rows.join(''));
    const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const child = spawn(process.execPath, [main, 'terms', 'import', 'loinc', 'Loinc.csv', '--country', 'EE', '--folder', work], {
      cwd: work,
      stdio: 'ignore',
    });
    while (child.exitCode === null && !readdirSync(store()).some((name) => name.startsWith('.part-')))
      await new Promise((resolve) => setTimeout(resolve, 2));
    child.kill('SIGKILL');
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    expect((await wording())?.text).toBe('Made up');
    expect((await imports('loinc', 'Loinc.csv')).out).toBe(`${LOINC} 2.82: 150002 codes imported`);
    expect((await wording())?.text).toBe('Newer');
  });
});

it('a node does not start over an import that was changed since', async () => {
  await imports('loinc', 'Loinc.csv');
  const version = readdirSync(store()).find((name) => name.startsWith('2.81')) ?? '';
  appendFileSync(join(store(), version, 'concepts.ndjson'), '{"c":"x","l":[["en","y"]],"p":[]}\n');
  await expect(wording()).rejects.toThrow(/terms\.store-invalid.*concepts\.ndjson/);
});

describe('a wrong command line', () => {
  it.each<[string, string[], number, RegExp]>([
    ['no such publisher', ['cpt', 'a.csv'], 2, /Allowed choices are loinc, snomed, snomed-ips, atc, edqm, icd10/],
    ['no such file', ['loinc', 'gone.csv'], 1, /cli\.file-unreadable.*gone\.csv/],
    ['a folder', ['loinc', 'ee'], 1, /cli\.folder-given/],
    ['no language', ['atc', 'Loinc.csv', '--language', 'eesti keel'], 2, /BCP 47/],
    ['no URI', ['icd10', 'Loinc.csv', '--system', 'icd'], 2, /absolute URI/],
  ])('%s', async (_name, args, exit, what) => {
    const ended = await imports(...args);
    expect(ended.exit).toBe(exit);
    expect(ended.notes).toMatch(what);
  });
});
