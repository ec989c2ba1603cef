import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { toFhirJson, type FhirResource } from '../engine/index.js';
import { codedValues, textsOf, unaccounted } from '../testing/documents.js';
import { inventedValues, openReferences, sharedIds } from '../testing/oracles.js';
import { translate, type Translation } from '../translate.js';
import { kmehrCodeMaps } from './code-maps/index.js';
import { kmehr } from './index.js';

/** JSON of any shape, as a test looks at it. */
type Loose = ReturnType<typeof JSON.parse>;
const own = join(import.meta.dirname, '../../fixtures/kmehr');
const shared = join(import.meta.dirname, '../../../../../shared/fixtures/kmehr/medication-scheme');
const be = join(import.meta.dirname, '../../../countries/be');
const files = readdirSync(be, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
const pack = countryPack(Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(be, file), 'utf8'))])));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const translateBytes = (bytes: Uint8Array): Translation =>
  translate({ bytes, format: 'auto', country: pack, sha256, received: '2026-11-21T10:00:00.000Z' });
const translated = (file: string, change: (text: string) => string = (text) => text): Translation =>
  translateBytes(new TextEncoder().encode(change(readFileSync(join(own, file), 'utf8'))));
const only = (translation: Translation, type: string): FhirResource[] => translation.resources.filter((r) => r.resourceType === type);
const scheme = 'be-jan-voorbeeld-medication-scheme.xml';
const sumehr = 'be-jan-voorbeeld-sumehr.xml';

describe('a Belgian medication scheme', () => {
  const answer = translated(scheme);

  it('is recognised, and names message, type and sender', () => {
    expect(answer.format).toBe('kmehr');
    expect(answer.message).toMatchObject({ id: '00000000001.20261110093000', type: 'medicationscheme', supported: true });
    expect(answer.account.rejects).toEqual([]);
    expect(new Set(answer.account.warnings.map(({ code }) => code))).toEqual(new Set(['translate.zone-assumed']));
  });

  it('finds the person by the national number', () => {
    expect(answer.persons).toEqual([
      {
        resource: 0,
        identifiers: [{ system: 'https://www.ehealth.fgov.be/standards/fhir/core/NamingSystem/ssin', value: '71010100033' }],
        family: 'Voorbeeld',
        given: ['Jan'],
        birthDate: '1971-01-01',
        gender: 'male',
      },
    ]);
  });

  it('makes a medicine with its codes, use, rhythm and dose digit by digit', () => {
    const [simvastatin, ointment] = only(answer, 'MedicationStatement');
    expect(simvastatin).toMatchObject({
      status: 'active',
      medicationCodeableConcept: {
        coding: [{ code: '0000001' }, { system: 'http://www.whocc.no/atc', code: 'C10AA01' }],
        text: 'Simvastatine Voorbeeld 40 mg',
      },
      effectivePeriod: { start: '2024-02-01' },
      reasonCode: [{ text: 'Te hoge cholesterol' }],
    });
    expect(toFhirJson(simvastatin!)).toContain('"repeat":{"frequency":1,"period":1,"periodUnit":"d","when":["HS"]}');
    expect(toFhirJson(simvastatin!)).toContain('"doseQuantity":{"value":0.50,');
    expect(ointment).toMatchObject({
      status: 'unknown',
      medicationCodeableConcept: { text: 'Zinkzalf 10 % magistrale bereiding' },
      dosage: [{ text: 'Dun aanbrengen op de huid' }],
    });
  });

  it('makes a Dosage of each dose of a regimen, with its day, its moment and its amount', () => {
    const dose = (day: string, time: string, amount: string): string =>
      `${day}<daytime>${time}</daytime><quantity><decimal>${amount}</decimal><unit><cd S="CD-ADMINISTRATIONUNIT" SV="1.2">00005</cd></unit></quantity>`;
    const period = (name: string): string => `<dayperiod><cd S="CD-DAYPERIOD" SV="1.0">${name}</cd></dayperiod>`;
    const weekday = (name: string): string => `<weekday><cd S="CD-WEEKDAY" SV="1.0">${name}</cd></weekday>`;
    const dosages = (...doses: string[]): Loose => {
      const answerWith = translated(scheme, (text) => text.replace(/<regimen>[^]*?<\/regimen>/, `<regimen>${doses.join('')}</regimen>`));
      return JSON.parse(toFhirJson(only(answerWith, 'MedicationStatement')[0]!)).dosage;
    };
    expect(
      dosages(
        dose(weekday('tuesday'), period('morning'), '2.5'),
        dose(weekday('friday'), period('betweenlunchanddinner'), '2'),
        dose('<date>2026-12-24</date>', '<time>19:30:00</time>', '1'),
        dose('<daynumber>8</daynumber>', period('afterdinner'), '1'),
      ),
    ).toMatchObject([
      {
        timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd', dayOfWeek: ['tue'], when: ['MORN'] } },
        doseAndRate: [{ doseQuantity: { value: 2.5 } }],
      },
      {
        additionalInstruction: [{ coding: [{ code: 'chronic' }] }, { coding: [{ code: 'betweenlunchanddinner' }] }],
        timing: { repeat: { dayOfWeek: ['fri'] } },
        doseAndRate: [{ doseQuantity: { value: 2 } }],
      },
      { timing: { event: ['2026-12-24'], repeat: { timeOfDay: ['19:30:00'] } } },
      { additionalInstruction: [{ coding: [{ code: 'chronic' }] }, { text: 'Day 8' }], timing: { repeat: { when: ['PCV'] } } },
    ]);
    // Which days the second dose is for, nobody says: no dose is made of it.
    expect(dosages(dose(weekday('tuesday'), period('morning'), '2'), dose('', period('morning'), '1'))).toMatchObject([
      { patientInstruction: 'Innemen voor het slapen' },
    ]);
  });

  it('refuses a medicine without a name as an entry, and keeps the rest', () => {
    const answerWithout = translated(scheme, (text) =>
      text
        .replace(/<compoundprescription[^]*?<\/compoundprescription>/, '<holopathicproduct/>')
        .replace('<holopathicproduct/>', '<dose>1</dose>'),
    );
    expect(only(answerWithout, 'MedicationStatement')).toHaveLength(1);
    expect(answerWithout.account.rejects).toMatchObject([{ code: 'translate.value-missing', severity: 'entry' }]);
  });

  it('never shows the national number inside a clinical resource', () => {
    for (const resource of answer.resources.filter((r) => r.resourceType !== 'Patient'))
      expect(toFhirJson(resource)).not.toContain('71010100033');
  });
});

describe('a SumEHR', () => {
  const answer = translated(sumehr);

  it('makes allergy and adverse drug reaction, each with what it says and no more', () => {
    expect(only(answer, 'AllergyIntolerance')).toMatchObject([
      {
        clinicalStatus: { coding: [{ code: 'active' }] },
        type: 'allergy',
        code: { text: 'Allergie voor wespengif' },
        onsetDateTime: '2010-07-15',
      },
      { code: { coding: [{ system: 'http://www.whocc.no/atc', code: 'M01AE01' }], text: 'Maaglast door ibuprofen' } },
    ]);
    expect(only(answer, 'AllergyIntolerance')[1]).not.toHaveProperty('type');
  });

  it('makes problems, active and over', () => {
    expect(only(answer, 'Condition')).toMatchObject([
      {
        clinicalStatus: { coding: [{ code: 'active' }] },
        code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'E78.0' }, { code: 'T93' }] },
      },
      { clinicalStatus: { coding: [{ code: 'inactive' }] }, onsetDateTime: '2015-03-02', abatementDateTime: '2015-05-04' },
    ]);
  });
});

describe('a message that cannot be used', () => {
  it.each([
    ['without an id', (t: string) => t.replace(/<id S="ID-KMEHR" SV="1.0">00000000001.2026[^<]*<\/id>/, ''), 'ingest.header-incomplete'],
    ['truncated', (t: string) => t.slice(0, 2000), 'ingest.malformed'],
    ['with another root', (t: string) => t.replaceAll('kmehrmessage', 'somethingelse'), 'ingest.format-unknown'],
  ])('is refused: %s', (_name, change, code) => {
    expect(() => translated(scheme, change)).toThrow(code);
  });
});

describe.each(readdirSync(own))('every value of %s', (file) => {
  const answer = translated(file);
  it('stands in the account, once and for all', () => expect(unaccounted(kmehr, readFileSync(join(own, file)), answer)).toEqual([]));
  it('and nothing in the output that is not of the source, a code map or a rule', () => {
    const known = textsOf({ maps: kmehrCodeMaps, country: {} });
    expect(inventedValues(readFileSync(join(own, file), 'utf8'), answer, known)).toEqual([]);
  });
  it('with references that lead somewhere, ids of one resource each and the same every time', () => {
    expect(openReferences(answer.resources)).toEqual([]);
    expect(sharedIds(answer.resources)).toEqual([]);
    expect(translated(file).resources.map((r) => r.id)).toEqual(answer.resources.map((r) => r.id));
  });
});

describe('a SumEHR that is written otherwise', () => {
  const [first = '', second = '', third = ''] = ['<lifecycle><cd S="CD-LIFECYCLE" SV="1.7">active</cd></lifecycle>'].concat(
    ['excluded', 'error'].map((code) => `<lifecycle><cd S="CD-LIFECYCLE" SV="1.7">${code}</cd></lifecycle>`),
  );
  const certainty = (code: string): string => `<certainty><cd S="CD-CERTAINTY" SV="1.0">${code}</cd></certainty>`;
  const statuses = (text: string): string[] =>
    [
      ...only(
        translated(sumehr, (xml) => xml.replaceAll(first, text)),
        'AllergyIntolerance',
      ).slice(0, 1),
      ...problems(text),
    ].map((one: Loose) =>
      [one.clinicalStatus, one.verificationStatus]
        .map((said) => `${said?.coding[0].system.split('/').pop()} ${said?.coding[0].code}`)
        .join(', '),
    );
  const problems = (text: string): FhirResource[] =>
    only(
      translated(sumehr, (xml) => xml.replaceAll(first, text)),
      'Condition',
    ).slice(0, 1);

  it.each([
    [first, 'active, undefined undefined', 'active, undefined undefined'],
    [second, 'inactive, allergyintolerance-verification refuted', 'inactive, condition-ver-status refuted'],
    [third, undefined, undefined],
    [`${first}${certainty('excluded')}`, 'active, allergyintolerance-verification refuted', 'active, condition-ver-status refuted'],
    [`${first}${certainty('probable')}`, 'active, allergyintolerance-verification unconfirmed', 'active, condition-ver-status provisional'],
    [`${second}${certainty('proven')}`, 'inactive, allergyintolerance-verification refuted', 'inactive, condition-ver-status refuted'],
  ])('says of %s that it is not so', (text, allergy, problem) => {
    expect(statuses(text)).toEqual(
      allergy === undefined
        ? [
            'undefined undefined, allergyintolerance-verification entered-in-error',
            'undefined undefined, condition-ver-status entered-in-error',
          ]
        : [`allergyintolerance-clinical ${allergy}`, `condition-clinical ${problem}`],
    );
  });

  it('has an allergy of a strange status as active, and says so', () => {
    const { account, ...answer } = translated(sumehr, (xml) => xml.replaceAll(first, first.replace('active', 'strange')));
    expect(answer.resources.find(({ resourceType }) => resourceType === 'AllergyIntolerance')).toMatchObject({
      clinicalStatus: { coding: [{ code: 'active' }] },
    });
    expect(account.constants).toContainEqual(expect.objectContaining({ rule: 'allergy.unsaid-status', value: 'active' }));
  });

  it('may put its items under headings, and other transactions before it', () => {
    const heading = (inner: string): string => `<heading><cd S="CD-HEADING" SV="1.0">assessment</cd>${inner}</heading>`;
    const note =
      '<transaction><id S="ID-KMEHR" SV="1.0">9</id><cd S="CD-TRANSACTION" SV="1.4">note</cd><text L="nl">los</text></transaction>';
    const change = (xml: string): string =>
      xml
        .replace('<transaction>', `${note}<transaction>`)
        .replaceAll(/<item>[^]*?<\/item>/g, heading)
        .replace(/<heading>[^]*?<\/heading>/, heading);
    const answer = translated(sumehr, change);
    expect(answer.account.rejects).toEqual([]);
    expect(answer.message).toMatchObject({ type: 'sumehr', supported: true });
    expect(toFhirJson([...answer.resources])).toBe(toFhirJson([...translated(sumehr).resources]));
    expect(unaccounted(kmehr, new TextEncoder().encode(change(readFileSync(join(own, sumehr), 'utf8'))), answer)).toEqual([]);
    expect(answer.account.mapped.map(({ path }) => path)).toContainEqual(expect.stringContaining('/heading/heading/item/content/'));
  });

  it('tells local codes of different tables apart', () => {
    const local = (table: string): Loose =>
      only(
        translated(sumehr, (xml) => xml.replace('S="ICPC" SV="2">T93', `S="LOCAL" SL="${table}" SV="2">T93`)),
        'Condition',
      )[0];
    expect(local('TABLE-A').code.coding).toContainEqual({ system: 'urn:portolan:kmehr:table-a', code: 'T93' });
    expect(local('TABLE-B').code.coding).toContainEqual({ system: 'urn:portolan:kmehr:table-b', code: 'T93' });
  });
});

describe('foreign medication schemes', () => {
  const foreign = existsSync(shared) ? readdirSync(shared).filter((file) => file.endsWith('.xml')) : [];
  it.skipIf(foreign.length === 0)(
    'account for every value, one statement a medicine (skipped where ../shared/fixtures/kmehr is absent)',
    () => {
      for (const file of foreign) {
        const source = readFileSync(join(shared, file));
        const answer = translateBytes(source);
        expect(unaccounted(kmehr, source, answer), file).toEqual([]);
        expect(openReferences(answer.resources), file).toEqual([]);
        expect(sharedIds(answer.resources), file).toEqual([]);
        const medicines = source.toString('utf8').match(/CD-ITEM"[^>]*>medication</g)?.length;
        expect(only(answer, 'MedicationStatement'), file).toHaveLength(medicines ?? 0);
      }
    },
  );

  it.skipIf(foreign.length === 0)(
    'say the rhythm as the Belgian counterpart does (skipped where ../shared/fixtures/kmehr is absent)',
    () => {
      const answer = translateBytes(readFileSync(join(shared, 'TS-06-CD-PERIODICITY.kmehr.xml')));
      const theirs = JSON.parse(readFileSync(join(shared, 'TS-06-CD-PERIODICITY.fhir.json'), 'utf8')) as {
        entry?: { resource?: { resourceType: string } }[];
      };
      const repeat = (r: Loose): unknown => r.dosage?.find((d: Loose) => d.timing?.repeat?.period !== undefined)?.timing.repeat;
      const rhythm = ({ period, periodUnit }: Loose): string => `${period} ${periodUnit}`;
      const ours = only(answer, 'MedicationStatement')
        .map((r) => repeat(JSON.parse(toFhirJson(r))))
        .filter((r) => r !== undefined);
      const expected = theirs.entry
        ?.map((e) => e.resource)
        .filter((r) => r?.resourceType === 'MedicationStatement')
        .map(repeat);
      expect(ours.map(rhythm)).toEqual(expected?.map(rhythm));
    },
  );
});

describe.skipIf(!existsSync(shared))(
  'coded and dated values of foreign medication schemes (skipped where ../shared/fixtures is absent)',
  () => {
    // What is reached, rounded down: it may rise, and is never to fall. Missing: the envelope's own date and recipient, and what the scheme as a whole says.
    it('stand in typed elements', () => {
      const where = /\/(cd(\[\d+\])?|date|time|birthdate|beginmoment|endmoment)\/#text$/;
      const schemes = readdirSync(shared).filter((name) => name.endsWith('.xml'));
      const counts = schemes.map((name) => codedValues(translateBytes(readFileSync(join(shared, name))), where));
      const [values, typed] = [counts.reduce((sum, one) => sum + one.values, 0), counts.reduce((sum, one) => sum + one.typed, 0)];
      expect(values).toBeGreaterThan(1_800);
      expect(typed / values).toBeGreaterThanOrEqual(0.96);
    });
  },
);
