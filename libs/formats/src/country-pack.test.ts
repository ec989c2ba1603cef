import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Validators, type Country, type TranslationMap } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { countryPack as packOf, type CountryPack } from './country-pack.js';
import { translate, type Translation } from './translate.js';

const countries = join(import.meta.dirname, '../../countries');
const message = readFileSync(join(import.meta.dirname, '../fixtures/hl7v2/ee-oru-r01-chemistry.hl7'));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function folder(cc: string): Record<string, unknown> {
  const files = readdirSync(join(countries, cc), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /^(country\.json|((code-)?maps|value-sets|code-systems)\/.*\.json)$/.test(file),
  );
  return Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(countries, cc, file), 'utf8'))]));
}
const validators = new Validators();
const countryPack = (files: Record<string, unknown>): CountryPack => packOf(files, validators);
const ee = folder('ee');
const withMap = (map: object): Record<string, unknown> => ({ ...ee, 'maps/own.json': { map: 'ee/own', format: 'hl7v2', ...map } });
function translated(files: Record<string, unknown>): Translation {
  return translate({ bytes: message, format: 'auto', country: countryPack(files), sha256, received: '2026-11-21T10:00:00.000Z' });
}

describe('the countries of the demonstration', () => {
  const all = readdirSync(countries, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  it.each(all)('%s loads', (cc) => {
    const pack = countryPack(folder(cc));
    expect(pack.country).toBe(cc.toUpperCase());
    expect(pack.illustrative).toBe(true);
    expect(pack.search.identifierSystems.every((system) => pack.personIdentifiers.some((one) => one.system === system))).toBe(true);
  });
  it('differ in language, identifier and local codes', () => {
    const packs = ['ee', 'pt', 'be', 'de'].map((cc) => countryPack(folder(cc)));
    for (const differing of [
      packs.map((pack) => pack.language),
      packs.map((pack) => pack.personIdentifiers[0]!.system),
      packs.map((pack) => [...pack.codingSystems.values()][0]),
    ]) {
      expect(new Set(differing).size).toBe(4);
    }
  });
});

describe('a country overrides by data', () => {
  it('a rule of the same id takes the place of the base rule', () => {
    const answer = translated(
      withMap({ resources: [{ id: 'report', elements: [{ id: 'OBR.NTE', to: 'conclusion', constant: 'vaata märkust' }] }] }),
    );
    const reports = answer.resources.filter((one) => one.resourceType === 'DiagnosticReport');
    expect(reports.map((one) => one['conclusion'])).toEqual(['vaata märkust', 'vaata märkust']);
    expect(answer.account.constants.filter(({ value }) => value === 'vaata märkust')).toHaveLength(2);
  });
  it('a new rule is added: a local segment, mapped by configuration', () => {
    const resources = [
      {
        id: 'patient',
        elements: [
          {
            id: 'ee.zpt',
            to: 'extension[]',
            from: '/ZPT-1',
            elements: [
              { to: 'url', constant: 'urn:portolan:demo:ee:ward' },
              { to: 'valueString', as: 'string' },
            ],
          },
        ],
      },
    ];
    const bytes = Buffer.concat([message, Buffer.from('ZPT|kolmas osakond\r')]);
    const answer = translate({
      bytes,
      format: 'hl7v2',
      country: countryPack(withMap({ resources })),
      sha256,
      received: '2026-11-21T10:00:00.000Z',
    });
    expect(answer.account.carried.some(({ path }) => path.startsWith('ZPT'))).toBe(true);
    const inside = countryPack(
      withMap({
        resources: [
          { ...resources[0], elements: [{ ...resources[0]!.elements[0], from: '/PATIENT_RESULT/ORDER_OBSERVATION/OBSERVATION/ZPT-1' }] },
        ],
      }),
    );
    const mapped = translate({ bytes, format: 'hl7v2', country: inside, sha256, received: '2026-11-21T10:00:00.000Z' });
    expect(mapped.resources.find((one) => one.resourceType === 'Patient')!['extension']).toEqual([
      { url: 'urn:portolan:demo:ee:ward', valueString: 'kolmas osakond' },
    ]);
    expect(mapped.provenance).toContainEqual(
      expect.objectContaining({ path: 'extension[0].valueString', source: 'ZPT-1', rule: 'ee.zpt.valueString' }),
    );
  });
  it('a rule is switched off, and its values are carried', () => {
    const answer = translated(
      withMap({
        resources: [
          { id: 'specimen', off: { reason: 'test' } },
          { id: 'service-request', elements: [{ id: 'SR.specimen', to: 'specimen[]', off: { reason: 'test' } }] },
          {
            id: 'report',
            elements: ['DR.specimen', 'DR.specimen-above'].map((id) => ({ id, to: 'specimen[]', off: { reason: 'test' } })),
          },
          { id: 'observation', elements: [{ id: 'OBX.specimen', to: 'specimen', off: { reason: 'test' } }] },
          { id: 'specimen-observation', off: { reason: 'test' } },
        ],
      }),
    );
    expect(answer.resources.some((one) => one.resourceType === 'Specimen')).toBe(false);
    expect(answer.account.carried).toContainEqual({ path: 'SPM-4.1', value: '119364003' });
  });
  it('a value is left out on purpose only with a reason', () => {
    const answer = translated(
      withMap({ ignore: [{ id: 'ee.set-ids', paths: ['/PATIENT_RESULT/PATIENT/PID-1'], reason: 'position only' }] }),
    );
    expect(answer.account.ignored).toContainEqual({ path: 'PID-1', rule: 'ee.set-ids', reason: 'position only' });
    expect(answer.account.carried.some(({ path }) => path === 'PID-1')).toBe(false);
  });
  it('the version of the maps changes with any rule or code map, and not otherwise', () => {
    const version = translated(ee).mapVersion;
    expect(version).toMatch(/^[0-9a-f]{64}$/);
    expect(translated(folder('ee')).mapVersion).toBe(version);
    expect(translated(withMap({ ignore: [{ id: 'x', paths: ['/MSH-3'], reason: 'test' }] })).mapVersion).not.toBe(version);
    const { 'code-maps/units.json': _units, ...without } = ee;
    expect(translated(without).mapVersion).not.toBe(version);
  });
});

describe('mistakes are told at load, with file and rule', () => {
  const rule = (element: object): Partial<TranslationMap> => ({
    resources: [{ id: 'patient', elements: [{ id: 'bad', to: 'gender', ...element }] }],
  });
  const cases: [string, object, RegExp][] = [
    ['an unknown conversion', rule({ from: 'PID-8', as: 'magic' }), /bad: as magic: no such conversion or type/],
    ['an unknown concept map', rule({ from: 'PID-8', as: 'code', map: 'none' }), /bad: names the concept map none/],
    ['a broken source path', rule({ from: 'PID-8[', as: 'code' }), /bad: .*bracket/],
    ['a field without its number', rule({ from: 'ZPT-', as: 'code' }), /bad: step ZPT- is no field/],
    ['a component that is no number', rule({ from: 'ZPT-1.a', as: 'code' }), /bad: step ZPT-1\.a is no field/],
    ['a broken target path', rule({ to: 'a..b', from: 'PID-8', as: 'code' }), /bad: a\.\.b is no FHIR path/],
    ['a reference to no rule', rule({ as: 'reference', rule: 'nobody' }), /bad: refers to the rule nobody/],
    ['a constant with a source', rule({ constant: 'x', from: 'PID-8' }), /bad: a constant takes nothing/],
    ['nothing to do', rule({ from: 'PID-8' }), /bad: says neither as, elements nor constant/],
    ['an empty condition', rule({ from: 'PID-8', as: 'code', when: {} }), /bad: a condition asks nothing/],
    [
      'a condition without path',
      rule({ from: 'PID-8', as: 'code', when: { present: true } }),
      /bad: a condition asks about a value and names no path/,
    ],
    [
      'two rules of one id',
      {
        types: {
          Own: [
            { to: 'a', constant: 1 },
            { to: 'a', constant: 2 },
          ],
        },
      },
      /Own\.a: two rules have this id/,
    ],
    ['two resource rules of one id', { resources: [{ id: 'patient' }, { id: 'patient' }] }, /patient: two rules of this file have this id/],
    [
      'two element rules of one id over those of the format',
      {
        resources: [
          {
            id: 'patient',
            elements: [
              { to: 'contact[]', from: 'ZPT-1', as: 'XPN' },
              { to: 'contact[]', from: 'ZPT-2', as: 'XPN' },
            ],
          },
        ],
      },
      /patient\.contact\[\]: two rules of this file have this id/,
    ],
    ['a new rule without resource', { resources: [{ id: 'new', each: ['.'] }] }, /new: names no resource/],
    ['a new rule without place', { resources: [{ id: 'new', resource: 'Basic' }] }, /new: does not say where it repeats/],
    [
      'a parent that comes later',
      { resources: [{ id: 'practitioner', under: 'patient' }] },
      /practitioner: stands under patient, which comes later/,
    ],
    ['an unknown key', rule({ form: 'PID-8', as: 'code' }), /patient: .*must NOT have additional properties/],
    ['a rule off without a reason', { resources: [{ id: 'patient', off: {} }] }, /patient: .*must have required property 'reason'/],
  ];
  it.each(cases)('%s', (_name, map, told) => {
    expect(() => countryPack(withMap(map))).toThrow(
      expect.objectContaining({ code: 'translate.map-invalid', detail: expect.stringMatching(told) }),
    );
    expect(() => countryPack(withMap(map))).toThrow(/maps\/own\.json/);
  });
  it('a broken concept map', () => {
    expect(() => countryPack({ ...ee, 'code-maps/units.json': { resourceType: 'ConceptMap', id: 'units' } })).toThrow(
      /code-maps\/units\.json/,
    );
  });
  it.each([
    ['no country.json', {}],
    ['an unknown member', { 'country.json': { ...(ee['country.json'] as Country), colour: 'blue' } }],
    [
      'no identifier to search by',
      { 'country.json': { ...(ee['country.json'] as Country), search: { identifierSystems: [], traits: [] } } },
    ],
  ])('%s', (_name, files) => {
    expect(() => countryPack(files)).toThrow(expect.objectContaining({ code: 'translate.country-invalid' }));
  });
});
