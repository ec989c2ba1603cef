import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CountryClient } from '../client/country-client.js';
import { entriesOf, parameterOf } from '../story/fhir-asks.js';
import { demoClinicians } from '../world/demo-people.js';
import { repository, World } from '../world/world.js';

const OWN = join(repository, 'libs/testing/demo/new-country');
const MESSAGE = join(OWN, 'messages/xq-oru-r01.hl7');
const ondo = { system: 'urn:oid:2.999.88.1', value: 'XQ-000-001' };

/** What docs/recipes/add-a-country.md tells to do, done with a country that nobody compiled in. */
describe('a made-up country, of which only a folder of data exists', () => {
  let folder: string;
  let world: World;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-new-country-'));
    await chmod(folder, 0o755);
    const countries = join(folder, 'countries');
    await cp(join(repository, 'libs/countries/ee'), join(countries, 'ee'), { recursive: true });
    await cp(join(OWN, 'xq'), join(countries, 'xq'), { recursive: true });
    world = await World.start({
      folder: join(folder, 'world'),
      reachableFolder: folder,
      countries: ['EE', 'XQ'],
      countriesFolder: countries,
      fsync: false,
      sink: () => undefined,
    });
  });
  afterAll(async () => {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const translate = (...more: readonly string[]): { status: number | null; text: string } => {
    const cli = join(repository, 'apps/cli/dist/main.js');
    const args = [cli, 'translate', '--country', 'XQ', ...more, '--out', join(folder, 'out'), MESSAGE];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };

  it('is tried with its own messages before anything runs', async () => {
    expect(translate('--countries', OWN)).toMatchObject({ status: 0, text: expect.stringContaining('0 rejects') });
    const report = JSON.parse(await readFile(join(folder, 'out', 'xq-oru-r01.hl7.report.json'), 'utf8')) as {
      warnings: { code: string }[];
    };
    // A local code that the folder does not know is told, and stays as it came.
    expect(report.warnings.map(({ code }) => code)).toContain('translate.code-unmapped');
  });

  it('is told which rule of which file is wrong', async () => {
    const broken = join(folder, 'broken');
    await cp(join(OWN, 'xq'), join(broken, 'xq'), { recursive: true });
    const file = join(broken, 'xq/maps/sea.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"as": "decimal"', '"as": "decimale"'));
    const { status, text } = translate('--countries', broken);
    expect(status).not.toBe(0);
    expect(text).toMatch(/maps\/sea\.json/);
    expect(text).toContain('decimale');
  });

  it('takes what its laboratory sends, and another country sees it in codes that both know', async () => {
    const [ee, xq] = [new CountryClient(world.country('EE')), new CountryClient(world.country('XQ'))];
    const body = new Uint8Array(await readFile(MESSAGE));
    const sent = await xq.call('/ingest', { token: await xq.systemToken(), body, type: 'x-application/hl7-v2+er7' });
    expect(sent.status, sent.text).toBe(200);
    const doctor = demoClinicians['EE']!;
    const asked = { resourceType: 'Patient', identifier: [ondo], birthDate: '1975-05-05' };
    const found = await ee.clinical(doctor, '/fhir/Patient/$match', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'resource', resource: asked },
        { name: 'onlyCertainMatches', valueBoolean: true },
        { name: 'country', valueCode: 'XQ' },
        { name: 'purpose', valueCode: 'TREAT' },
      ],
    });
    const handle = entriesOf(found)[0]?.id ?? '';
    expect(handle, found.text).not.toBe('');
    const obtained = await ee.clinical(doctor, '/fhir/$request-record', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'patient', valueReference: { reference: `Patient/${handle}` } },
        { name: 'category', valueCode: 'laboratory' },
        { name: 'category', valueCode: 'summary' },
        { name: 'purpose', valueCode: 'TREAT' },
      ],
    });
    expect(obtained.status, obtained.text).toBe(200);
    const { text } = await ee.clinical(doctor, `/fhir/Observation?patient=Patient/${handle}`);
    expect(text).toContain('"14749-6"');
    expect(text).toMatch(/"value":5\.40,/);
    expect(text).toContain('"mmol/L"');
    // The original code beside the common one, the time in the country's zone, and what its own segment says by its own map.
    expect(text).toContain('SUKERO');
    expect(text).toContain('2026-11-10T08:00:00-01:00');
    expect(text).toContain('Tagoj sur maro');
    const view = await ee.clinical(doctor, `/fhir/${parameterOf(obtained, 'view')}`);
    // The summary speaks the language of its source.
    expect(view.text).toContain('Resumo pri paciento');
    expect(view.text).toContain('povas esti nekompleta');
  });
});
