import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Validators } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { translate, type Translation } from '../translate.js';
import { oneResult } from '../testing/one-result.fixture.js';

const folder = join(import.meta.dirname, '../../../countries/ee');
const ee = Object.fromEntries(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file !== 'maps/unmapped.json' && /^(country\.json|((code-)?maps|value-sets|code-systems)\/.*\.json)$/.test(file))
    .map((file) => [file, JSON.parse(readFileSync(join(folder, file), 'utf8')) as unknown]),
);
const validators = new Validators();
const ACT = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const WARDS = 'urn:portolan:test:wards';

/** Codes of these systems are counterparts already, so that no map is asked about them. */
const mapInto = (...targets: string[]): object => ({
  resourceType: 'ConceptMap',
  id: 'observation-codes',
  group: ['http://loinc.org', ...targets].map((target) => ({ source: `urn:of:${target}`, target, element: [] })),
});

/** A country whose laboratory may send codes of HL7 (`99H`) and of its own system, which it brings whole (`99W`). */
function translated(obx3: string, policy?: string): Translation {
  const country = ee['country.json'] as { codingSystems?: object[] };
  const files = {
    ...ee,
    'country.json': {
      ...country,
      codingSystems: [...(country.codingSystems ?? []), { name: '99H', system: ACT }, { name: '99W', system: WARDS }],
    },
    'code-systems/wards.json': { resourceType: 'CodeSystem', url: WARDS, content: 'complete', concept: [{ code: 'W1' }] },
    'code-maps/observation-codes.json': mapInto(ACT, WARDS),
    ...(policy !== undefined && { 'maps/own.json': { map: 'ee/own', format: 'hl7v2', unmapped: { 'observation-codes': policy } } }),
  };
  return translate({
    bytes: oneResult(obx3),
    format: 'hl7v2',
    country: countryPack(files, validators),
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    received: '2026-11-21T10:00:00.000Z',
  });
}
const codesOf = ({ resources }: Translation): unknown => {
  const code = resources.find(({ resourceType }) => resourceType === 'Observation')?.['code'];
  return (code as { coding?: { code: string }[] } | undefined)?.coding?.map((coding) => coding.code);
};
const toldOf = ({ account }: Translation): string[] =>
  account.warnings.filter(({ path }) => path.startsWith('OBX-3')).map(({ code, path }) => `${code} ${path}`);

describe('a code of a system whose codes are all known', () => {
  it.each(['AMB^walk-in^99H', 'W1^ward^99W'])('that exists (%s) is told of under no policy', (obx3) => {
    for (const policy of [undefined, 'keep', 'reject', 'queue']) {
      const answer = translated(obx3, policy);
      expect(codesOf(answer)).toEqual([obx3.split('^')[0]]);
      expect(toldOf(answer)).toEqual([]);
      expect(answer.questions).toEqual([]);
    }
  });
  it.each(['AMBX^walk-in^99H', 'W9^ward^99W'])('that does not exist (%s) is kept and told', (obx3) => {
    for (const policy of [undefined, 'keep']) {
      const answer = translated(obx3, policy);
      expect(codesOf(answer)).toEqual([obx3.split('^')[0]]);
      expect(toldOf(answer)).toEqual(['translate.code-unknown OBX-3.1']);
      expect(answer.questions).toEqual([]);
    }
  });
  it.each(['AMBX^walk-in^99H', 'W9^ward^99W'])(
    'that does not exist (%s) refuses its entry where its binding says so, and is carried',
    (obx3) => {
      const answer = translated(obx3, 'reject');
      expect(codesOf(answer)).toBeUndefined();
      expect(answer.account.rejects).toEqual([{ code: 'translate.code-unknown', path: 'OBX-3.1', rule: 'OBX-3', severity: 'entry' }]);
      expect(answer.account.carried).toContainEqual({ path: 'OBX-3.1', value: obx3.split('^')[0] });
    },
  );
  it.each([
    ['AMBX^walk-in^99H', ACT],
    ['W9^ward^99W', WARDS],
  ])('that does not exist (%s) is asked about where its binding says so', (obx3, system) => {
    const answer = translated(obx3, 'queue');
    const [code] = obx3.split('^');
    expect(codesOf(answer)).toEqual([code]);
    expect(toldOf(answer)).toEqual(['translate.code-unknown OBX-3.1']);
    expect(answer.questions).toEqual([{ system, code, map: 'observation-codes', rule: 'OBX-3' }]);
  });
  it('stands for the version of the maps: with other codes it is another one', () => {
    const { mapVersion } = translated('W1^ward^99W');
    const files = (codes: object[]): Record<string, unknown> => ({
      ...ee,
      'code-systems/wards.json': { resourceType: 'CodeSystem', url: WARDS, content: 'complete', concept: codes },
    });
    const versions = [[{ code: 'W1' }], [{ code: 'W1' }, { code: 'W2' }]].map((codes) =>
      countryPack(files(codes), validators)
        .sets.get('hl7v2')
        ?.version((bytes) => createHash('sha256').update(bytes).digest('hex')),
    );
    expect(new Set([mapVersion, ...versions]).size).toBe(3);
  });
});

describe('what ships may be named by a country’s value sets', () => {
  const bound = (valueSet: string, sets: Record<string, object> = {}): ReturnType<typeof countryPack> =>
    countryPack(
      {
        ...ee,
        ...sets,
        'code-maps/observation-codes.json': mapInto('http://snomed.info/sct'),
        'maps/own.json': { map: 'ee/own', format: 'hl7v2', bindings: { 'observation-codes': { valueSet } } },
      },
      validators,
    );
  const toldBy = (country: ReturnType<typeof countryPack>, obx3: string): string[] =>
    toldOf(
      translate({
        bytes: oneResult(obx3),
        format: 'hl7v2',
        country,
        sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
        received: '2026-11-21T10:00:00.000Z',
      }),
    ).filter((one) => one.startsWith('translate.code-outside'));
  it('SNOMED CT’s free set, by the name that HL7 gives it', () => {
    const country = bound('http://terminology.hl7.org/ValueSet/snomed-intl-gps');
    expect(toldBy(country, '38341003^x^SCT')).toEqual([]);
    expect(toldBy(country, '138875005^x^SCT')).toEqual(['translate.code-outside OBX-3.1']);
  });
  it('a branch of a code system of HL7, by filter', () => {
    const filter = [{ property: 'concept', op: 'is-a', value: '_ActEncounterCode' }];
    const set = { resourceType: 'ValueSet', url: 'urn:vs', compose: { include: [{ system: ACT, filter }] } };
    expect(() => bound('urn:vs', { 'value-sets/a.json': set })).not.toThrow();
    const wrong = { ...set, compose: { include: [{ system: ACT, concept: [{ code: 'AMB' }, { code: 'AMBX' }] }] } };
    expect(() => bound('urn:vs', { 'value-sets/a.json': wrong })).toThrow(/compose\.include\[0\]\.concept\[1\]\.code is no code of/);
  });
});
