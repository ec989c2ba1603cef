import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Validators } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { answeredPack, countryPack } from '../country-pack.js';
import { translate, type Translation } from '../translate.js';
import { oneResult } from '../testing/one-result.fixture.js';

const folder = join(import.meta.dirname, '../../../countries/ee');
const ee = Object.fromEntries(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file !== 'maps/unmapped.json' && /^(country\.json|((code-)?maps|value-sets|code-systems)\/.*\.json)$/.test(file))
    .map((file) => [file, JSON.parse(readFileSync(join(folder, file), 'utf8')) as unknown]),
);
const validators = new Validators();
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const local = 'urn:portolan:test:local';

interface Case {
  readonly obx3: string;
  readonly target?: object[];
  readonly unmapped?: string;
}

function translated({ obx3, target, unmapped }: Case): Translation {
  const observationCodes = {
    resourceType: 'ConceptMap',
    id: 'observation-codes',
    group: [{ source: local, target: 'http://loinc.org', element: target === undefined ? [] : [{ code: 'X1', target }] }],
  };
  const country = ee['country.json'] as { codingSystems?: object[] };
  const files = {
    ...ee,
    'country.json': { ...country, codingSystems: [...(country.codingSystems ?? []), { name: '99T', system: local }] },
    'code-maps/observation-codes.json': observationCodes,
    ...(unmapped !== undefined && {
      'maps/policy.json': { map: 'ee/policy', format: 'hl7v2', unmapped: { 'observation-codes': unmapped } },
    }),
  };
  return translate({
    bytes: oneResult(obx3),
    format: 'hl7v2',
    country: countryPack(files, validators),
    sha256,
    received: '2026-11-21T10:00:00.000Z',
  });
}

const codesOf = (answer: Translation): unknown => {
  const observation = answer.resources.find(({ resourceType }) => resourceType === 'Observation');
  return (observation?.['code'] as { coding?: { code: string }[] } | undefined)?.coding?.map(({ code }) => code);
};
const told = (answer: Translation): string[] =>
  answer.account.warnings.filter(({ path }) => path.startsWith('OBX-3')).map(({ code, path }) => `${code} ${path}`);
const target = (equivalence: string): object[] => [{ code: '2345-7', equivalence, comment: 'why' }];

describe('a counterpart stands beside the code of the source', () => {
  it.each([
    ['equal', ['2345-7', 'X1'], []],
    ['wider', ['2345-7', 'X1'], []],
    ['relatedto', ['2345-7', 'X1'], []],
    ['narrower', ['X1', '2345-7'], ['translate.code-inexact OBX-3.1']],
    ['inexact', ['X1', '2345-7'], ['translate.code-inexact OBX-3.1']],
    ['disjoint', ['X1'], ['translate.code-unmapped OBX-3.1']],
  ])('%s: %j', (equivalence, codes, warnings) => {
    const answer = translated({ obx3: 'X1^glucose^99T', target: target(equivalence) });
    expect(codesOf(answer)).toEqual(codes);
    expect(told(answer)).toEqual(warnings);
  });
});

describe('a code without counterpart', () => {
  it.each([undefined, 'keep'])('is kept and told (%s)', (unmapped) => {
    const answer = translated({ obx3: 'X2^other^99T', ...(unmapped !== undefined && { unmapped }) });
    expect(codesOf(answer)).toEqual(['X2']);
    expect(told(answer)).toEqual(['translate.code-unmapped OBX-3.1']);
    expect(answer.questions).toEqual([]);
    expect(answer.account.rejects).toEqual([]);
  });
  it('refuses its entry, where the binding says so, and nothing of it is lost', () => {
    const answer = translated({ obx3: 'X2^other^99T', unmapped: 'reject' });
    expect(codesOf(answer)).toBeUndefined();
    expect(answer.account.rejects).toEqual([{ code: 'translate.code-unmapped', path: 'OBX-3.1', rule: 'OBX-3', severity: 'entry' }]);
    expect(answer.account.carried).toContainEqual({ path: 'OBX-3.1', value: 'X2' });
  });
  it('is kept, and a person asked, where the binding says so', () => {
    const answer = translated({ obx3: 'X2^other^99T', unmapped: 'queue' });
    expect(codesOf(answer)).toEqual(['X2']);
    expect(answer.questions).toEqual([{ system: local, code: 'X2', map: 'observation-codes', rule: 'OBX-3' }]);
  });
  it.each([
    ['that the map knows', { obx3: 'X1^a^99T', target: target('equal') }],
    ['that the map says has none', { obx3: 'X1^a^99T', target: target('disjoint') }],
    ['that is words', { obx3: 'a code of words^a^99T' }],
    ['that is too long to be one', { obx3: `${'x'.repeat(65)}^a^99T` }],
  ])('asks nobody about one %s', (_name, given) => expect(translated({ ...given, unmapped: 'queue' }).questions).toEqual([]));
});

describe('a unit that a country demands', () => {
  const pack = (unit: string, code = '2345-7'): ReturnType<typeof countryPack> =>
    countryPack(
      { ...ee, 'maps/units.json': { map: 'ee/units', format: 'hl7v2', canonicalUnits: [{ system: 'http://loinc.org', code, unit }] } },
      validators,
    );
  const of = (country: ReturnType<typeof countryPack>): Translation => {
    const plain = Buffer.from(oneResult('2345-7^Glucose^LN')).toString();
    const bytes = Buffer.from(plain.replace('|NM|', '|SN|').replace('|5.4|mmol/l||', '|<^5.40|mmol/L^mmol/L^UCUM|4.1-6.1|'));
    return translate({ bytes, format: 'hl7v2', country, sha256, received: '2026-11-21T10:00:00.000Z' });
  };
  const observation = (answer: Translation) => answer.resources.find(({ resourceType }) => resourceType === 'Observation');
  const mmol = { value: '5.40', comparator: '<', unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' };
  const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_key, one: unknown, context?: { source?: string }) =>
      typeof one === 'number' ? context?.source : one,
    );

  it('is given, digits as many, with what the source wrote beside; its ranges too', () => {
    const answer = of(pack('umol/L'));
    expect(plain(observation(answer)?.['valueQuantity'])).toEqual({
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation', valueQuantity: mmol }],
      ...mmol,
      value: '5.40e+3',
      unit: 'umol/L',
      code: 'umol/L',
    });
    const low = (observation(answer)?.['referenceRange'] as { low: object }[])[0]?.low;
    expect(plain(low)).toMatchObject({ value: '4.1e+3', code: 'umol/L', extension: [{ valueQuantity: { value: '4.1', code: 'mmol/L' } }] });
    expect(answer.provenance).toContainEqual(
      expect.objectContaining({ path: 'valueQuantity.extension[0].valueQuantity.code', source: 'OBX-6.1' }),
    );
    expect(answer.provenance.some(({ path }) => path === 'valueQuantity.code')).toBe(false);
    expect(answer.account.constants).toContainEqual(expect.objectContaining({ value: 'umol/L', rule: '(canonical unit)' }));
    expect(answer.mapVersion).not.toBe(of(pack('mol/L')).mapVersion);
  });
  it.each([
    ['as it is already', pack('mmol/L'), []],
    ['of another dimension', pack('mg/dL'), ['translate.unit-not-converted']],
    ['of another test', pack('umol/L', '718-7'), []],
  ])('%s leaves it as it came', (_name, country, warnings) => {
    const answer = of(country);
    expect(plain(observation(answer)?.['valueQuantity'])).toEqual(mmol);
    expect([...new Set(answer.account.warnings.map(({ code }) => code))]).toEqual(warnings);
  });
  it('that is none of UCUM is refused at load', () =>
    expect(() => pack('gramm')).toThrow(
      expect.objectContaining({ detail: expect.stringMatching(/units\.json canonicalUnits: demands gramm/) as string }),
    ));
});

describe('what a person answers', () => {
  const pack = countryPack(ee, validators);
  const received = '2026-11-21T10:00:00.000Z' as const;
  const of = (country: typeof pack): Translation =>
    translate({ bytes: oneResult('KK^Kreatiniin^99EELAB'), format: 'hl7v2', country, sha256, received });
  const answer = (element: object[]): object => ({
    resourceType: 'ConceptMap',
    id: 'observation-codes',
    group: [{ source: pack.codingSystems.get('99EELAB'), target: 'http://loinc.org', element }],
  });
  it('is in force beside the country’s own map, and changes the version', () => {
    const before = of(pack);
    const now = of(answeredPack(pack, [answer([{ code: 'KK', target: [{ code: '2160-0', equivalence: 'equivalent' }] }])]));
    expect([codesOf(before), codesOf(now)]).toEqual([['KK'], ['2160-0', 'KK']]);
    expect(now.mapVersion).not.toBe(before.mapVersion);
    expect(now.resources.map(({ id }) => id)).toEqual(before.resources.map(({ id }) => id));
  });
  it('may be that there is no counterpart', () =>
    expect(of(answeredPack(pack, [answer([{ code: 'KK', target: [{ equivalence: 'unmatched' }] }])])).questions).toEqual([]));
  it('is refused where it is no concept map', () =>
    expect(() => answeredPack(pack, [answer([{ code: 'KK', target: [{ code: 'x', equivalence: 'roughly' }] }])])).toThrow(/equivalence/));
});

describe('what a country may say of unmapped codes', () => {
  it.each([
    ['a concept map that is none', { nobody: 'reject' }, /policy\.json unmapped: names the concept map nobody/],
    ['a policy that is none', { 'observation-codes': 'guess' }, /policy\.json .*must be equal to one of the allowed values/],
  ])('refuses %s', (_name, unmapped, what) =>
    expect(() => countryPack({ ...ee, 'maps/policy.json': { map: 'ee/policy', format: 'hl7v2', unmapped } }, validators)).toThrow(
      expect.objectContaining({ code: 'translate.map-invalid', detail: expect.stringMatching(what) as string }),
    ),
  );
});
