import { createHash } from 'node:crypto';
import { Validators } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { translate, type Translation } from '../translate.js';

const validators = new Validators();
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const local = 'urn:portolan:test:local';
const loinc = 'http://loinc.org';
const country = {
  country: 'XX',
  name: 'Test',
  illustrative: true,
  languages: ['en'],
  personIdentifiers: [{ system: 'urn:portolan:test:person', name: 'number', example: '1' }],
  search: { identifierSystems: ['urn:portolan:test:person'], traits: [] },
  codingSystems: [{ name: '99T', system: local }],
  formats: ['hl7v2'],
};
const message = (obx3: string): Uint8Array =>
  Buffer.from(
    [
      'MSH|^~\\&|LAB|TESTLAB|EHR|TESTHOSP|20261103073000+0200||ORU^R01^ORU_R01|M1|P|2.5.1',
      'PID|1||1^^^&urn:portolan:test:person&URI||Test^Isik||19800101|F',
      'OBR|1||F1|24323-8^Panel^LN|||20261103070000+0200||||||||||||||||||F',
      `OBX|1|NM|${obx3}||5.4|mmol/L|||||F`,
      '',
    ].join('\r'),
  );
const tests = {
  resourceType: 'ValueSet',
  url: 'urn:vs:tests',
  version: '1',
  compose: { include: [{ system: loinc, concept: [{ code: '2345-7' }, { code: '24323-8' }] }] },
};
const codeMap = {
  resourceType: 'ConceptMap',
  id: 'observation-codes',
  group: [
    {
      source: local,
      target: loinc,
      element: [
        { code: 'IN', target: [{ code: '2345-7', equivalence: 'equivalent' }] },
        { code: 'OUT', target: [{ code: '2160-0', equivalence: 'equivalent' }] },
        { code: 'NONE', target: [{ equivalence: 'unmatched' }] },
      ],
    },
  ],
};
const filesWith = (map: object, sets: readonly object[] = [tests]): Record<string, unknown> => ({
  'country.json': country,
  'code-maps/observation-codes.json': codeMap,
  'maps/own.json': { map: 'xx/own', format: 'hl7v2', ...map },
  ...Object.fromEntries(sets.map((set, i) => [`value-sets/${i}.json`, set])),
});
const bound = (outside?: string, valueSet = 'urn:vs:tests', more: object = {}): object => ({
  bindings: { 'observation-codes': { valueSet, ...(outside !== undefined && { outside }) } },
  ...more,
});
const translated = (obx3: string, files: Record<string, unknown>): Translation =>
  translate({
    bytes: message(obx3),
    format: 'hl7v2',
    country: countryPack(files, validators),
    sha256,
    received: '2026-11-21T10:00:00.000Z',
  });
const codesOf = ({ resources }: Translation): unknown =>
  (
    resources.find(({ resourceType }) => resourceType === 'Observation')?.['code'] as { coding?: { code: string }[] } | undefined
  )?.coding?.map(({ code }) => code);
const told = ({ account }: Translation): string[] =>
  account.warnings.filter(({ path }) => path.startsWith('OBX-3')).map(({ code, path }) => `${code} ${path}`);

describe('a code of a bound element', () => {
  it.each<[string, string, string[], string[]]>([
    ['whose counterpart is in the set says nothing', 'IN^a^99T', ['2345-7', 'IN'], []],
    ['that is in the set itself says nothing', '2345-7^Glucose^LN', ['2345-7'], []],
    ['of which no coding is in the set is kept and told', 'OUT^a^99T', ['2160-0', 'OUT'], ['translate.code-outside OBX-3.1']],
    ['of the bound system, outside, is kept and told', '2160-0^Creatinine^LN', ['2160-0'], ['translate.code-outside OBX-3.1']],
    ['without a counterpart is told once', 'NEW^a^99T', ['NEW'], ['translate.code-unmapped OBX-3.1']],
  ])('%s', (_name, obx3, codes, warnings) => {
    const answer = translated(obx3, filesWith(bound()));
    expect(codesOf(answer)).toEqual(codes);
    expect(told(answer)).toEqual(warnings);
    expect(answer.questions).toEqual([]);
  });
  it('refuses its entry, where the binding says so, and nothing of it is lost', () => {
    const answer = translated('OUT^a^99T', filesWith(bound('reject')));
    expect(codesOf(answer)).toBeUndefined();
    expect(answer.account.rejects).toEqual([{ code: 'translate.code-outside', path: 'OBX-3.1', rule: 'OBX-3', severity: 'entry' }]);
    expect(answer.account.carried).toContainEqual({ path: 'OBX-3.1', value: 'OUT' });
    expect(codesOf(translated('IN^a^99T', filesWith(bound('reject'))))).toEqual(['2345-7', 'IN']);
  });
  it('asks a person for the code of the source, where the binding says so, and nobody where there is none', () => {
    const question = { system: local, code: 'OUT', map: 'observation-codes', rule: 'OBX-3' };
    expect(translated('OUT^a^99T', filesWith(bound('queue'))).questions).toEqual([question]);
    expect(translated('NONE^a^99T', filesWith(bound('queue'))).questions).toEqual([]);
  });
  it('is done with as with one that is unmapped, where the binding says nothing, and asked about once', () => {
    const files = filesWith(bound(undefined, 'urn:vs:tests|1', { unmapped: { 'observation-codes': 'queue' } }));
    expect(translated('OUT^a^99T', files).questions).toHaveLength(1);
    expect(translated('NEW^a^99T', files).questions).toHaveLength(1);
  });
  it('may be bound by its rule', () => {
    const elements = [
      {
        id: 'OBX-3',
        to: 'code',
        from: 'OBX-3',
        as: 'CWE',
        codes: ['observation-codes'],
        binding: { valueSet: 'urn:vs:tests', outside: 'reject' },
      },
    ];
    expect(codesOf(translated('OUT^a^99T', filesWith({ resources: [{ id: 'observation', elements }] })))).toBeUndefined();
  });
});

it('the version of the maps follows what the set holds', () => {
  const version = (...codes: string[]): string => {
    const set = { ...tests, compose: { include: [{ system: loinc, concept: codes.map((code) => ({ code })) }] } };
    return translated('IN^a^99T', filesWith(bound(), [set])).mapVersion;
  };
  expect(version('2345-7', '2160-0')).toBe(version('2160-0', '2345-7'));
  expect(version('2345-7')).not.toBe(version('2345-7', '2160-0'));
});

describe('refused at load, with file and place', () => {
  const circle = { resourceType: 'ValueSet', url: 'urn:vs:tests', compose: { include: [{ valueSet: ['urn:vs:tests'] }] } };
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a set that is none', filesWith(bound('keep', 'urn:vs:gone')), /own\.json|OBX-3: is bound to the value set urn:vs:gone/],
    [
      'a concept map that is none',
      filesWith({ bindings: { nobody: { valueSet: 'urn:vs:tests' } } }),
      /own\.json bindings: names the concept map nobody/,
    ],
    [
      'a set with a mistake',
      filesWith({}, [{ resourceType: 'ValueSet', url: 'urn:vs' }]),
      /value-sets\/0\.json \(value set\): compose is no object/,
    ],
    ['a circle', filesWith({}, [circle]), /value-sets\/0\.json \(value set\): compose\.include\[0\]\.valueSet: .*leads back/],
    ['one URL twice', filesWith({}, [tests, tests]), /value-sets\/1\.json .*stands in value-sets\/0\.json too/],
    [
      'a code system with a mistake',
      { ...filesWith({}), 'code-systems/a.json': { resourceType: 'CodeSystem', url: 'urn:s' } },
      /code-systems\/a\.json .*content/,
    ],
  ])('%s', (_name, files, what) =>
    expect(() => countryPack(files, validators)).toThrow(
      expect.objectContaining({ code: 'translate.map-invalid', detail: expect.stringMatching(what) as string }),
    ),
  );
});
