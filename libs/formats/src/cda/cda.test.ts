import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countryPack, type CountryPack } from '../country-pack.js';
import { toFhirJson, type FhirResource } from '../engine/index.js';
import { inventedValues, openReferences, sharedIds } from '../testing/oracles.js';
import { textsOf, codedValues, unaccounted } from '../testing/documents.js';
import { translate, type Translation } from '../translate.js';
import { cdaCodeMaps } from './code-maps/index.js';
import { cda } from './index.js';

/** JSON of any shape, as a test looks at it. */
type Loose = ReturnType<typeof JSON.parse>;
const own = join(import.meta.dirname, '../../fixtures/cda');
const shared = join(import.meta.dirname, '../../../../../shared/fixtures');
const countries = join(import.meta.dirname, '../../../countries');

function folder(cc: string): Record<string, unknown> {
  const files = readdirSync(join(countries, cc), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(countries, cc, file), 'utf8'))]));
}
const packs = new Map<string, CountryPack>(['ee', 'pt', 'de'].map((cc) => [cc, countryPack(folder(cc))]));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const translateBytes = (bytes: Uint8Array, cc: string): Translation =>
  translate({ bytes, format: 'auto', country: packs.get(cc)!, sha256, received: '2026-11-21T10:00:00.000Z' });
function translated(file: string, change: (text: string) => string = (text) => text): Translation {
  return translateBytes(new TextEncoder().encode(change(readFileSync(join(own, file), 'utf8'))), file.slice(0, 2));
}
const only = (translation: Translation, type: string): FhirResource[] => translation.resources.filter((r) => r.resourceType === type);
const mari = 'ee-mari-naidis-summary.xml';

describe('a patient summary in CDA', () => {
  const answer = translated(mari);

  it('is recognised, and names document, type and sender', () => {
    expect(answer.format).toBe('cda');
    expect(answer.message).toEqual({
      id: '2.999.1.1^EE-PS-0001',
      type: '60591-5',
      processing: 'P',
      sender: { organisation: '2.999.1.3^90000001', name: 'Näidishaigla' },
      supported: true,
      offset: '+02:00',
      sent: '20261110093000+0200',
    });
    expect(answer.account.rejects).toEqual([]);
    expect(answer.account.warnings).toEqual([]);
  });

  it('finds the person by the identifier that her other documents bear', () => {
    expect(answer.persons).toEqual([
      {
        resource: 0,
        identifiers: [{ system: 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1', value: '47101010033' }],
        family: 'Näidis',
        given: ['Mari'],
        birthDate: '1971-01-01',
        gender: 'female',
      },
    ]);
  });

  it('makes an allergy with its substance, translation, reaction and severity', () => {
    expect(only(answer, 'AllergyIntolerance')).toMatchObject([
      {
        clinicalStatus: { coding: [{ code: 'active' }] },
        type: 'allergy',
        category: ['medication'],
        code: {
          coding: [
            { system: 'http://snomed.info/sct', code: '764146007', display: 'Penitsilliin' },
            { system: 'http://www.whocc.no/atc', code: 'J01CA' },
          ],
          text: 'Penitsilliin: nõgestõbi',
        },
        onsetDateTime: '2001-06-12',
        reaction: [{ manifestation: [{ coding: [{ code: '126485001' }] }], severity: 'moderate' }],
      },
    ]);
  });

  it('makes problems, open and past', () => {
    const problems = only(answer, 'Condition');
    expect(
      problems.map((p) => [(p['code'] as Loose).coding[0].code, (p['clinicalStatus'] as Loose).coding[0].code, p['onsetDateTime']]),
    ).toEqual([
      ['E11', 'active', '2015-03-10'],
      ['I10', 'active', '2018-09'],
      ['J18', 'resolved', '2019-01-04'],
    ]);
    expect(problems[2]).toMatchObject({ abatementDateTime: '2019-01-20' });
    expect((problems[0]!['code'] as Loose).coding[1]).toMatchObject({ system: 'http://snomed.info/sct', code: '44054006' });
  });

  it('makes medicines with ingredient, strength digit by digit, dose and rhythm', () => {
    const [metformin, ramipril] = only(answer, 'MedicationStatement');
    expect(metformin).toMatchObject({
      status: 'active',
      effectivePeriod: { start: '2015-03-15' },
      dosage: [{ patientInstruction: 'Võtta söögi ajal', timing: { repeat: { frequency: 1, periodUnit: 'h' } } }],
    });
    expect(toFhirJson(metformin!)).toContain('"period":12,');
    const medication = only(answer, 'Medication').find(
      (m) => `Medication/${m.id}` === (ramipril!['medicationReference'] as Loose).reference,
    );
    expect(toFhirJson(medication!)).toContain('"numerator":{"value":2.50,"unit":"mg"');
  });

  it('makes immunisation, procedure and vital sign', () => {
    expect(only(answer, 'Immunization')[0]).toMatchObject({
      status: 'completed',
      lotNumber: 'LOT-EE-0042',
      occurrenceDateTime: '2026-10-05',
    });
    expect(only(answer, 'Procedure')[0]).toMatchObject({ status: 'completed', performedDateTime: '1995-05-17' });
    expect(toFhirJson(only(answer, 'Observation')[0]!)).toContain('"valueQuantity":{"value":71.50,"unit":"kg"');
  });

  it('keeps the narrative as carried', () => {
    expect(answer.account.carried).toContainEqual({
      path: 'ClinicalDocument/component/structuredBody/component[7]/section/text/paragraph/#text',
      value: 'Kehakaal 71,50 kg',
    });
  });

  it('names what decided that there is a problem and stands in no element: kind of relation, what its template fixes; all of it is carried', () => {
    const [problem] = only(answer, 'Condition');
    const chosen = answer.account.mapped.filter(({ chose, to }) => chose === true && to === `Condition/${problem!.id}`);
    const act = 'ClinicalDocument/component/structuredBody/component[2]/section/entry/act';
    const paths = [`${act}/entryRelationship/@typeCode`, `${act}/entryRelationship/observation/statusCode/@code`];
    expect(chosen.map(({ path }) => path)).toEqual(expect.arrayContaining(paths));
    expect(new Set(chosen.map(({ rule }) => rule))).toEqual(new Set(['problem']));
    expect(answer.account.carried.map(({ path }) => path)).toEqual(expect.arrayContaining(chosen.map(({ path }) => path)));
  });

  it('gives the same ids to the same document, and to its next version', () => {
    const ids = (t: Translation): string[] => t.resources.map((r) => r.id);
    expect(ids(translated(mari))).toEqual(ids(answer));
    expect(ids(translated(mari, (text) => text.replace('EE-PS-0001"', 'EE-PS-0002"')))).toEqual(ids(answer));
  });
});

describe('what a source does not say', () => {
  it('is never made: a null flavour makes no entry, and is carried', () => {
    const answer = translated(mari, (text) =>
      text.replace(/<value xsi:type="CD" code="I10"[\s\S]*?<\/value>/, '<value xsi:type="CD" nullFlavor="UNK"/>'),
    );
    expect(only(answer, 'Condition')).toHaveLength(2);
    expect(answer.account.carried.map((c) => c.value)).toContain('UNK');
  });

  it('is known absent only where the source recorded so', () => {
    const answer = translated('de-erika-beispiel-summary.xml');
    expect(only(answer, 'AllergyIntolerance')).toMatchObject([
      { code: { coding: [{ system: 'http://snomed.info/sct', code: '716186003' }] } },
    ]);
    const without = translated('de-erika-beispiel-summary.xml', (text) => text.replace(/<value xsi:type="CD" code="716186003"[^>]*>/, ''));
    expect(only(without, 'AllergyIntolerance')).toEqual([]);
  });

  it('is refuted where the source negates it', () => {
    const answer = translated(mari, (text) =>
      text
        .replace('<id root="2.999.1.5" extension="PRB-1"/>', '$&')
        .replace(/(<observation classCode="OBS" moodCode="EVN")(>\s*<id root="2.999.1.5" extension="PRB-1")/, '$1 negationInd="true"$2'),
    );
    expect(only(answer, 'Condition')[0]).toMatchObject({ verificationStatus: { coding: [{ code: 'refuted' }] } });
  });

  it('takes an allergy as active where no status is said, because FHIR demands one, and tells so', () => {
    const answer = translated(mari, (text) => text.replace(/(ALG-ACT-1"\/>[\s\S]*?)<statusCode code="active"\/>/, '$1'));
    expect(only(answer, 'AllergyIntolerance')[0]).toMatchObject({ clinicalStatus: { coding: [{ code: 'active' }] } });
    expect(answer.account.constants).toContainEqual(expect.objectContaining({ rule: 'allergy.unsaid-status', value: 'active' }));
  });

  it('is marked as an error where the source took it back', () => {
    const answer = translated(mari, (text) =>
      text.replace(/(PRB-ACT-1"\/>[\s\S]*?)<statusCode code="active"\/>/, '$1<statusCode code="nullified"/>'),
    );
    expect(only(answer, 'Condition')[0]).toMatchObject({ verificationStatus: { coding: [{ code: 'entered-in-error' }] } });
    expect(only(answer, 'Condition')[0]).not.toHaveProperty('clinicalStatus');
  });
});

describe('a document that cannot be used', () => {
  const bytes = (change: (text: string) => string): Uint8Array => new TextEncoder().encode(change(readFileSync(join(own, mari), 'utf8')));

  it.each([
    ['truncated', (t: string) => t.slice(0, 4000), 'ingest.malformed'],
    [
      'with an entity of its own',
      (t: string) => t.replace('<ClinicalDocument', '<!DOCTYPE x [<!ENTITY e "a">]>\n<ClinicalDocument'),
      'ingest.format-unknown',
    ],
    ['without an id', (t: string) => t.replace(/<id root="2.999.1.1"[^>]*>/, ''), 'ingest.header-incomplete'],
    ['without a custodian', (t: string) => t.replace(/<custodian>[\s\S]*<\/custodian>/, ''), 'ingest.header-incomplete'],
  ])('is refused: %s', (_name, change, code) => {
    expect(() => translateBytes(bytes(change), 'ee')).toThrow(code);
  });

  it('of another type is told as a reject of the document', () => {
    const answer = translated(mari, (text) => text.replace('<code code="60591-5"', '<code code="34117-2"'));
    expect(answer.account.rejects).toMatchObject([{ code: 'ingest.type-unsupported', severity: 'document' }]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15])('of Consolidated CDA is taken, though it names one template alone (%i)', (kind) => {
    const template = `<templateId root="2.16.840.1.113883.10.20.22.1.${kind}"/>`;
    const answer = translated(mari, (text) => text.replace('<code code="60591-5"', `${template}<code code="52521-2"`));
    expect(answer.account.rejects).toEqual([]);
  });

  it('with a birth date that is none is refused as a document, and nothing of it is lost', () => {
    const answer = translated(mari, (text) => text.replace('birthTime value="19710101"', 'birthTime value="19711301"'));
    expect(answer.account.rejects).toMatchObject([{ code: 'translate.value-invalid', severity: 'document' }]);
    expect(answer.account.carried.map((c) => c.value)).toContain('19711301');
  });

  it('of 1 MiB and a byte is too large', () => {
    expect(() => cda.read(new Uint8Array(11), { maxBytes: 10 })).toThrow('ingest.too-large');
  });
});

describe.each(readdirSync(own))('every value of %s', (file) => {
  const answer = translated(file);
  it('stands in the account, once and for all', () => expect(unaccounted(cda, readFileSync(join(own, file)), answer)).toEqual([]));
  it('and nothing in the output that is not of the source, a code map or a rule', () => {
    const known = textsOf({ maps: cdaCodeMaps, country: folder(file.slice(0, 2)) });
    expect(inventedValues(readFileSync(join(own, file), 'utf8'), answer, known)).toEqual([]);
  });
  it('with references that lead somewhere and ids of one resource each', () => {
    expect(openReferences(answer.resources)).toEqual([]);
    expect(sharedIds(answer.resources)).toEqual([]);
  });
});

describe('a discharge summary of Consolidated CDA', () => {
  const source = readFileSync(new URL('../../fixtures/cda/pt-rui-ficticio-discharge.xml', import.meta.url));
  const answer = translateBytes(source, 'pt');
  const one = (type: string): Record<string, unknown> => {
    const [found, ...more] = only(answer, type);
    expect(more, type).toEqual([]);
    return found as unknown as Record<string, unknown>;
  };

  it('is taken as what it is: nothing of it is refused, and each value is accounted for', () => {
    expect(answer.account.rejects).toEqual([]);
    expect(unaccounted(cda, source, answer)).toEqual([]);
    expect(openReferences(answer.resources)).toEqual([]);
  });

  it('stands as a document: what it is, who signed it, of which stay, which one it replaces', () => {
    expect(one('DocumentReference')).toMatchObject({
      masterIdentifier: { value: 'PT-DS-0007' },
      type: { coding: [{ code: '18842-5' }] },
      date: '2026-11-02T10:15:00+00:00',
      relatesTo: [{ code: 'replaces', target: { identifier: { value: 'PT-DS-0006' } } }],
      context: { encounter: [{ reference: `Encounter/${String(one('Encounter')['id'])}` }] },
    });
    expect(one('Encounter')).toMatchObject({ class: { code: 'IMP' }, period: { start: '2026-10-28', end: '2026-11-02' } });
    expect(one('Location')).toMatchObject({ name: 'Ward 4' });
    expect(one('RelatedPerson')).toMatchObject({ relationship: [{ coding: [{ code: 'DAUC' }] }] });
  });

  it('makes what its sections say: diagnosis, medicine, family, finding, plan and goal', () => {
    expect(one('Condition')).toMatchObject({
      category: [{ coding: [{ code: 'encounter-diagnosis' }] }, { coding: [{ code: '29308-4' }] }],
      code: { coding: [{ code: '233604007' }] },
      onsetDateTime: '2026-10-27',
      recordedDate: '2026-10-28',
    });
    expect(one('MedicationStatement')).toMatchObject({ status: 'active', effectivePeriod: { start: '2026-11-02' } });
    expect(toFhirJson(one('FamilyMemberHistory') as never)).toMatch(/"FTH".*"22298006".*"onsetAge":\{"value":57,/);
    expect(one('Observation')).toMatchObject({ code: { coding: [{ code: '54522-8' }] }, effectiveDateTime: '2026-11-01' });
    expect(one('ServiceRequest')).toMatchObject({ intent: 'order', status: 'active', occurrenceDateTime: '2026-11-30' });
    expect(one('Goal')).toMatchObject({ lifecycleStatus: 'active', description: { coding: [{ code: '59408-5' }] } });
  });

  it('never calls an organisation’s number one of a home', () => {
    for (const { telecom } of only(answer, 'Organization') as { telecom?: { use?: string }[] }[])
      for (const { use } of telecom ?? []) expect(use).not.toBe('home');
  });
});

describe.each(['ehdsi-patient-summary', 'ccda'])('foreign documents in %s', (name) => {
  const at = join(shared, name);
  const files = existsSync(at) ? readdirSync(at) : [];
  it.skipIf(files.length === 0)(`account for every value (skipped where ../shared/fixtures/${name} is absent)`, () => {
    for (const file of files) {
      const source = readFileSync(join(at, file));
      const answer = translateBytes(source, 'pt');
      expect(
        answer.account.rejects.filter(({ severity }) => severity === 'document'),
        file,
      ).toEqual([]);
      expect(unaccounted(cda, source, answer), file).toEqual([]);
      expect(openReferences(answer.resources), file).toEqual([]);
      expect(sharedIds(answer.resources), file).toEqual([]);
    }
  });
});

describe.skipIf(!existsSync(join(shared, 'ccda')))('public C-CDA documents (skipped where ../shared/fixtures is absent)', () => {
  const of = (file: string, type: string): Loose[] =>
    only(translateBytes(readFileSync(join(shared, 'ccda', file)), 'pt'), type).map((one): Loose => JSON.parse(toFhirJson(one)));

  it('say who cared, as whom and when', () => {
    const [team, ...others] = of('Discharge_Summary.ccda', 'CareTeam');
    expect(others).toEqual([]);
    expect(team.participant).toHaveLength(2);
    expect(team.participant[0]).toMatchObject({
      role: [{ coding: [{ code: 'PP' }] }],
      member: { reference: expect.stringContaining('Practitioner/') as string },
      period: { start: '2014-09-09T19:04:00-05:00', end: '2014-09-16T19:04:00-05:00' },
    });
  });

  it('say what a relative died of, and where they only say that she had it, no more', () => {
    const [member] = of('Discharge_Summary.ccda', 'FamilyMemberHistory');
    expect(member.condition.map((one: Loose) => one.contributedToDeath)).toEqual([true, undefined]);
  });

  it('say what was handed over and what was ordered of a medicine, and what it is mixed with', () => {
    expect(of('History_and_Physical.ccda', 'MedicationDispense')).toMatchObject([
      { status: 'completed', quantity: { value: 75 }, whenHandedOver: '2007-01-03' },
    ]);
    expect(of('History_and_Physical.ccda', 'MedicationRequest')).toMatchObject([
      { dispenseRequest: { numberOfRepeatsAllowed: 1, quantity: { value: 75 } } },
    ]);
    expect(of('History_and_Physical.ccda', 'Medication').flatMap((one) => one.ingredient ?? [])).toMatchObject([
      { itemCodeableConcept: { coding: [{ code: '324049' }] }, isActive: false },
    ]);
  });

  it('say how severe an allergy is beside how severe its reaction was', () => {
    const severities = of('Patient-1.ccda', 'Observation').filter(({ code }) => code.coding[0].code === 'SEV');
    const said = severities.map(({ focus, valueCodeableConcept }) => [valueCodeableConcept.coding[0].code, focus.length] as unknown);
    expect(said).toHaveLength(3);
    expect(said).toEqual(expect.arrayContaining(['399166001', '6736007', '24484000'].map((code) => [code, 1])));
  });

  it('say which immunisation was refused, and what was handed out with one that was given', () => {
    const immunisations = of('Discharge_Summary.ccda', 'Immunization');
    expect(immunisations.map(({ status }) => status)).toContain('not-done');
    expect(immunisations.flatMap(({ education }) => education ?? []).length).toBeGreaterThan(0);
  });
});

describe.skipIf(!existsSync(shared))('coded and dated values of foreign documents (skipped where ../shared/fixtures is absent)', () => {
  // What is reached, rounded down: it may rise, and is never to fall.
  it.each([
    ['ehdsi-patient-summary', 0.93],
    ['ccda', 0.9],
  ])('of %s stand in typed elements', (name, least) => {
    const at = join(shared, name);
    const counts = readdirSync(at).map((file) => codedValues(translateBytes(readFileSync(join(at, file)), 'pt')));
    const [values, typed] = [counts.reduce((sum, one) => sum + one.values, 0), counts.reduce((sum, one) => sum + one.typed, 0)];
    expect(typed / values).toBeGreaterThanOrEqual(least);
  });
});

describe.skipIf(!existsSync(join(shared, 'ehdsi-patient-summary')))(
  'foreign patient summaries (skipped where ../shared/fixtures is absent)',
  () => {
    const foreign = (file: string): Translation => translateBytes(readFileSync(join(shared, 'ehdsi-patient-summary', file)), 'pt');

    it('give each entry of the reference data a resource', () => {
      const answer = foreign('L3_PS_ReferenceTestData_W3.xml');
      const counts = Object.fromEntries(
        ['AllergyIntolerance', 'Condition', 'MedicationStatement', 'Immunization', 'Procedure', 'Observation'].map((t) => [
          t,
          only(answer, t).length,
        ]),
      );
      expect(counts).toEqual({
        AllergyIntolerance: 4,
        Condition: 8,
        MedicationStatement: 5,
        Immunization: 4,
        Procedure: 3,
        // Five, the panel that two of them stand in, and two that stand below problems.
        Observation: 8,
      });
    });

    it('say known absence in the words of the source, and nothing where it says nothing', () => {
      const answer = foreign('RTD_W2_known_absence.xml');
      expect(toFhirJson(only(answer, 'AllergyIntolerance')[0]!)).toContain('716186003');
      expect(toFhirJson(only(answer, 'Condition')[0]!)).toContain('160245001');
      expect(toFhirJson(only(answer, 'MedicationStatement')[0]!)).toContain('182849000');
      expect(only(answer, 'Procedure')).toEqual([]);
    });
  },
);
