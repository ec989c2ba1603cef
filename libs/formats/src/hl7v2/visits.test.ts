import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import type { FhirResource } from '../engine/index.js';
import { openReferences } from '../testing/oracles.js';
import { translate, type Translation } from '../translate.js';
import { compileStructure } from './structure.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const country = countryPack({
  'country.json': {
    country: 'ZZ',
    name: 'Made up',
    illustrative: true,
    languages: ['en'],
    personIdentifiers: [{ system: 'urn:oid:1.2.3.4', name: 'Made up', example: '99' }],
    search: { identifierSystems: ['urn:oid:1.2.3.4'], traits: ['birthDate'] },
    formats: ['hl7v2'],
  },
});

const PID = 'PID|||T-1^^^LAB^MR~99^^^&1.2.3.4&ISO^NI||Proov^Mall||19800229|F';
const PV1 = 'PV1||I|W1^12^3^HOSP|||W0^10^1^HOSP|||||||||||||V-7^^^HOSP^VN|||||||||||||||||||||||||20260301080000+0200';

/** A message of these segments by its event, read with the standards' rules alone. */
function adt(event: string, ...segments: readonly string[]): Translation {
  const lines = [
    `MSH|^~\\&|HIS|HOSP|X|Y|20260301090000+0200||ADT^${event}|M-1|P|2.8`,
    'EVN||20260301085500+0200|||U-1^Kirjutaja^Kati',
    ...segments,
  ];
  return translate({ bytes: Buffer.from(`${lines.join('\r')}\r`), format: 'hl7v2', country, sha256, received: '2026-03-01T08:00:00.000Z' });
}

const all = (translation: Translation, type: string): readonly FhirResource[] =>
  translation.resources.filter(({ resourceType }) => resourceType === type);

function the(translation: Translation, type: string): FhirResource {
  const [one, ...more] = all(translation, type);
  expect(more, type).toEqual([]);
  if (one === undefined) throw new Error(`no ${type}`);
  return one;
}

describe('a visit', () => {
  it.each([
    ['A01', 'in-progress'],
    ['A02', 'in-progress'],
    ['A03', 'finished'],
    ['A05', 'planned'],
    ['A11', 'cancelled'],
    ['A13', 'in-progress'],
    ['A27', 'cancelled'],
  ])('is what %s says of it: %s', (event, status) => {
    expect(the(adt(event, PID, PV1), 'Encounter')).toMatchObject({ status, class: { code: 'IMP' } });
  });

  it('is finished with its discharge time, where the event does not say', () => {
    expect(the(adt('A08', PID, `${PV1}|20260303100000+0200`), 'Encounter')).toMatchObject({
      status: 'finished',
      period: { start: '2026-03-01T08:00:00+02:00', end: '2026-03-03T10:00:00+02:00' },
    });
  });

  it('has where the person is, was and will be, and what kind of place that is', () => {
    const answer = adt('A02', PID, PV1, 'PV2|W2^14^1^HOSP');
    const places = the(answer, 'Encounter')['location'] as unknown as { status: string }[];
    expect(places.map(({ status }) => status)).toEqual(['active', 'completed', 'planned']);
    expect(all(answer, 'Location').map((one) => (one['physicalType'] as { coding: { code: string }[] }).coding[0]?.code)).toEqual([
      'bd',
      'bd',
      'bd',
    ]);
    expect(openReferences(answer.resources)).toEqual([]);
  });

  it('has its procedures, diagnoses with their use, and insurance', () => {
    const answer = adt(
      'A01',
      PID,
      PV1,
      'DG1|1||E11^Diabetes^I10|||A',
      'PR1|1||X^Puncture^L||20260301101500+0200|||D-1^Arst^Aino|||||||||P-9',
      'IN1|1|PLAN^Basic^L|1|Haigekassa|Tee 1^^Linn',
    );
    const [condition, procedure, coverage] = ['Condition', 'Procedure', 'Coverage'].map((type) => the(answer, type));
    expect(the(answer, 'Encounter')['diagnosis']).toMatchObject([
      { condition: { reference: `Condition/${condition?.id ?? ''}` }, use: { coding: [{ code: 'AD' }, { code: 'A' }] } },
    ]);
    expect(procedure).toMatchObject({ status: 'unknown', performedDateTime: '2026-03-01T10:15:00+02:00', performer: [{}] });
    const insurer = all(answer, 'Organization').find((one) => one['name'] === 'Haigekassa');
    expect(coverage?.['payor']).toEqual([{ reference: `Organization/${insurer?.id ?? ''}` }]);
    expect(insurer?.['address']).toMatchObject([{ city: 'Linn' }]);
  });
});

describe('people around the person', () => {
  it('are related persons, and contacts beside', () => {
    const answer = adt('A31', PID, 'NK1|1|Proov^Ants|SPO|Tee 2^^Linn|^PRN^PH^^372^^5550100');
    expect(the(answer, 'RelatedPerson')).toMatchObject({
      name: [{ family: 'Proov', given: ['Ants'] }],
      relationship: [{ coding: [{ code: 'SPS' }, { code: 'SPO' }] }],
    });
    expect(the(answer, 'Patient')['contact']).toMatchObject([{ name: { family: 'Proov' } }]);
  });

  it('act in roles', () => {
    const answer = adt('A01', PID, 'ROL|R-1|AD|PP|D-2^Perearst^Piia|20260101', PV1);
    const role = the(answer, 'PractitionerRole');
    expect(the(answer, 'Patient')['generalPractitioner']).toEqual([{ reference: `PractitionerRole/${role.id}` }]);
    expect(role).toMatchObject({ code: [{ coding: [{ code: 'PP' }] }], period: { start: '2026-01-01' } });
  });
});

describe('a structure', () => {
  it.each(['MSH PATIENT(PID', 'MSH PID)', 'msh', 'MSH PIDX'])('that is none is refused: %s', (text) =>
    expect(() => compileStructure('X', text)).toThrow('structure X'),
  );
});
