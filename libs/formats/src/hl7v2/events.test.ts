import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { toFhirJson, type FhirObject, type FhirResource } from '../engine/index.js';
import { unaccounted } from '../testing/documents.js';
import { openReferences, sharedIds } from '../testing/oracles.js';
import { translate, type Translation } from '../translate.js';
import { hl7v2 } from './index.js';
import structures from './structures/structures.json' with { type: 'json' };

const folder = join(import.meta.dirname, '../../fixtures/hl7v2-events');
const countries = join(import.meta.dirname, '../../../countries');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const home = join(countries, 'ee');
const country = countryPack(
  Object.fromEntries(
    readdirSync(home, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.json'))
      .map((file): [string, unknown] => [file, JSON.parse(readFileSync(join(home, file), 'utf8'))]),
  ),
);

const fileOf = (event: string): string => `ee-${event.toLowerCase().replace('^', '-')}.hl7`;
const textOf = (event: string): string => readFileSync(join(folder, fileOf(event)), 'utf8');
const translated = (text: string): Translation =>
  translate({ bytes: Buffer.from(text), format: 'hl7v2', country, sha256, received: '2026-11-21T10:00:00.000Z' });

/** One field of every segment of a name, set. */
const withField = (text: string, segment: string, field: number, value: string): string =>
  text
    .split('\r')
    .map((line) => {
      if (!line.startsWith(`${segment}|`)) return line;
      const fields = line.split('|');
      while (fields.length <= field) fields.push('');
      fields[field] = value;
      return fields.join('|');
    })
    .join('\r');

const firstCode = (value: unknown): unknown => ((value as FhirObject | undefined)?.['coding'] as FhirObject[] | undefined)?.[0]?.['code'];
/** What a resource says of its own standing, in one word. */
const standing = (resource: FhirResource): unknown =>
  firstCode(resource['verificationStatus']) ??
  firstCode(resource['clinicalStatus']) ??
  resource['lifecycleStatus'] ??
  resource['status'] ??
  resource['active'] ??
  '';
/** `Encounter finished`: each of these types that came, with its standing. */
function said({ resources }: Translation, types: readonly string[]): string[] {
  return resources
    .filter(({ resourceType }) => types.includes(resourceType))
    .map((one) => `${one.resourceType} ${String(standing(one))}`.trim())
    .sort();
}

/** What each event says of what it is about (HL7 v2.8.2 chapters 3, 4, 6, 7, 9, 10, 11, 12; HL7 tables 0003 and 0119). */
const events: Readonly<Record<string, readonly string[]>> = {
  'ADT^A01': ['AllergyIntolerance active', 'Condition active', 'Encounter in-progress'],
  'ADT^A02': ['Encounter in-progress'],
  'ADT^A03': ['AllergyIntolerance active', 'Encounter finished'],
  'ADT^A04': ['AllergyIntolerance active', 'Condition active', 'Encounter in-progress'],
  'ADT^A05': ['AllergyIntolerance active', 'Condition active', 'Encounter planned'],
  'ADT^A06': ['AllergyIntolerance active', 'Condition active', 'Encounter in-progress'],
  'ADT^A07': ['AllergyIntolerance active', 'Condition active', 'Encounter in-progress'],
  'ADT^A08': ['AllergyIntolerance active', 'Condition active', 'Encounter in-progress'],
  'ADT^A09': ['Condition active', 'Encounter in-progress'],
  'ADT^A10': ['Condition active', 'Encounter in-progress'],
  'ADT^A11': ['Condition active', 'Encounter cancelled'],
  'ADT^A12': ['Condition active', 'Encounter in-progress'],
  'ADT^A13': ['AllergyIntolerance active', 'Condition active', 'Encounter in-progress'],
  'ADT^A14': ['AllergyIntolerance active', 'Condition active', 'Encounter planned'],
  'ADT^A15': ['Condition active', 'Encounter in-progress'],
  'ADT^A16': ['AllergyIntolerance active', 'Condition active', 'Encounter in-progress'],
  'ADT^A17': ['Encounter in-progress', 'Encounter in-progress', 'Patient', 'Patient'],
  'ADT^A24': ['Encounter in-progress', 'Patient', 'Patient'],
  'ADT^A25': ['Encounter in-progress'],
  'ADT^A26': ['Encounter in-progress'],
  'ADT^A27': ['Encounter cancelled'],
  // PV1-2 N: no visit, the segment stands there because the structure wants one.
  'ADT^A28': ['AllergyIntolerance active', 'Condition active', 'Patient'],
  'ADT^A29': ['Patient false'],
  'ADT^A31': ['AllergyIntolerance active', 'Condition active', 'Patient'],
  'ADT^A34': ['Patient', 'Patient false'],
  'ADT^A37': ['Patient', 'Patient'],
  'ADT^A40': ['Patient', 'Patient false'],
  'ADT^A41': ['Account unknown'],
  'ADT^A43': ['Patient', 'Patient false'],
  // The stay as it is, and the number and person under which it was.
  'ADT^A45': ['Encounter in-progress', 'Encounter unknown'],
  'ADT^A47': ['Patient', 'Patient false'],
  'ADT^A60': ['AllergyIntolerance active'],
  'BAR^P01': ['AllergyIntolerance active', 'Condition active', 'Coverage active', 'Encounter in-progress'],
  'BAR^P02': ['Patient'],
  'BAR^P12': ['Condition active', 'Procedure unknown'],
  'DFT^P03': ['Condition active', 'Coverage active', 'Procedure unknown'],
  'DFT^P11': ['Condition active', 'Coverage active', 'Procedure unknown'],
  'MDM^T01': ['DocumentReference current'],
  'MDM^T02': ['DocumentReference current'],
  'MDM^T03': ['DocumentReference current'],
  'MDM^T04': ['DocumentReference current'],
  'MDM^T05': ['DocumentReference current'],
  'MDM^T06': ['DocumentReference current'],
  'MDM^T07': ['DocumentReference current'],
  'MDM^T08': ['DocumentReference current'],
  'MDM^T09': ['DocumentReference current'],
  'MDM^T10': ['DocumentReference current'],
  'MDM^T11': ['DocumentReference entered-in-error'],
  'OMG^O19': ['Observation final', 'ServiceRequest active', 'Specimen'],
  'OML^O21': ['Observation final', 'ServiceRequest active', 'Specimen'],
  'OMP^O09': ['MedicationRequest active', 'Observation final'],
  'ORM^O01': ['Observation final', 'ServiceRequest active'],
  'ORU^R01': ['DiagnosticReport final', 'Observation final', 'Observation final', 'ServiceRequest unknown', 'Specimen'],
  'OUL^R22': ['DiagnosticReport final', 'Observation final', 'ServiceRequest unknown', 'Specimen'],
  'OUL^R23': ['DiagnosticReport final', 'Observation final', 'ServiceRequest unknown', 'Specimen'],
  'OUL^R24': ['DiagnosticReport final', 'Observation final', 'ServiceRequest unknown', 'Specimen'],
  'PPR^PC1': ['Condition active', 'Goal active', 'Observation final', 'Observation final'],
  'PPR^PC2': ['Condition active', 'Goal active', 'Observation final', 'Observation final'],
  'PPR^PC3': ['Condition entered-in-error', 'Goal entered-in-error', 'Observation final', 'Observation final'],
  // As prescribed and as encoded by the pharmacy: a request each.
  'RAS^O17': ['MedicationAdministration completed', 'MedicationRequest unknown', 'MedicationRequest unknown', 'Observation final'],
  'RDE^O11': ['MedicationRequest active', 'MedicationRequest active', 'Observation final'],
  'RDE^O25': ['MedicationRequest active', 'MedicationRequest active', 'Observation final'],
  'RDS^O13': ['MedicationDispense completed', 'MedicationRequest unknown', 'MedicationRequest unknown', 'Observation final'],
  'REF^I12': ['Condition active', 'DiagnosticReport final', 'Observation final', 'Procedure unknown'],
  'REF^I14': ['Condition active', 'DiagnosticReport final', 'Observation final', 'Procedure unknown'],
  'SIU^S12': ['Appointment booked', 'Condition active'],
  'SIU^S13': ['Appointment booked', 'Condition active'],
  'SIU^S14': ['Appointment booked', 'Condition active'],
  'SIU^S15': ['Appointment cancelled', 'Condition active'],
  'SIU^S16': ['Appointment cancelled', 'Condition active'],
  'SIU^S17': ['Appointment entered-in-error', 'Condition active'],
  'SIU^S26': ['Appointment noshow', 'Condition active'],
  'VXU^V04': ['Immunization completed', 'Observation final'],
};

describe('every event that is read', () => {
  it('has a message of ours, and says here what it means', () => {
    const all = Object.keys(structures.events).sort();
    expect(Object.keys(events).sort()).toEqual(all);
    expect(
      readdirSync(folder)
        .filter((file) => file.endsWith('.hl7'))
        .sort(),
    ).toEqual(all.map(fileOf).sort());
  });

  it.each(Object.entries(events))('%s: %j', (event, expected) => {
    const text = textOf(event);
    const answer = translated(text);
    const types = [...new Set(expected.map((one) => one.split(' ')[0] ?? ''))];
    expect(said(answer, types)).toEqual(expected);
    expect(answer.account.rejects.map(({ code }) => code)).toEqual([]);
    expect(unaccounted(hl7v2, Buffer.from(text), answer)).toEqual([]);
    expect(openReferences(answer.resources)).toEqual([]);
    expect(sharedIds(answer.resources)).toEqual([]);
  });

  // Our messages are of 2.3, 2.3.1, 2.4 … 2.8 in turns.
  it.each(Object.keys(events))('%s is read alike in the oldest and the newest version', (event) => {
    const read = (text: string): string => toFhirJson([...translated(text).resources]);
    const own = read(textOf(event));
    for (const version of ['2.3', '2.8.2']) expect(read(withField(textOf(event), 'MSH', 11, version))).toBe(own);
  });
});

describe('what a message takes back', () => {
  // The segment, its action code (HL7 tables 0206 and 0287), and what of the message that was.
  it.each([
    ['ADT^A60', 'IAM', 6, 'D', 'AllergyIntolerance entered-in-error'],
    ['ADT^A01', 'DG1', 21, 'D', 'Condition entered-in-error'],
    ['ADT^A01', 'PR1', 20, 'D', 'Procedure entered-in-error'],
    ['PPR^PC1', 'PRB', 1, 'DE', 'Condition entered-in-error'],
    ['PPR^PC1', 'GOL', 1, 'DE', 'Goal entered-in-error'],
    ['VXU^V04', 'RXA', 21, 'D', 'Immunization entered-in-error'],
    ['RAS^O17', 'RXA', 21, 'D', 'MedicationAdministration entered-in-error'],
    ['OMG^O19', 'OBX', 11, 'D', 'Observation entered-in-error'],
  ] as const)('%s, %s-%i %s: %s', (event, segment, field, action, expected) => {
    const [type = ''] = expected.split(' ');
    const before = translated(textOf(event));
    const answer = translated(withField(textOf(event), segment, field, action));
    expect(said(answer, [type])).toEqual([expected]);
    expect(said(before, [type])).not.toEqual([expected]);
    const ids = (of: Translation): string[] => of.resources.filter(({ resourceType }) => resourceType === type).map(({ id }) => id);
    expect(ids(answer)).toEqual(ids(before));
  });

  it.each(['ROL|R-1^EE-NAIDISHAIGLA|?|AT^Raviarst^HL70443', 'PRT|P-1^EE-NAIDISHAIGLA|?||AP^Raviarst^HL70912'])(
    'nobody takes part any more whose participation is deleted: %s',
    (role) => {
      const participants = (action: string): unknown[] => {
        const line = `${role.replace('?', action)}|D00003^Lahkuja^Leo^^^^^^EE-TAM^L`;
        const { resources } = translated(textOf('ADT^A01').replace(/\r(?=OBX)/, `\r${line}\r`));
        return resources.find(({ resourceType }) => resourceType === 'Encounter')?.['participant'] as unknown as unknown[];
      };
      expect(participants('AD')).toHaveLength(2);
      expect(participants('DE')).toHaveLength(1);
    },
  );

  it.each([
    ['AIP', 4],
    ['AIL', 4],
    ['RGS', 3],
  ])('an appointment is without what %s-2 D deletes', (segment, left) => {
    const participants = (text: string): unknown =>
      translated(text).resources.find(({ resourceType }) => resourceType === 'Appointment')?.['participant'];
    expect(participants(textOf('SIU^S14'))).toHaveLength(5);
    expect(participants(withField(textOf('SIU^S14'), segment, 2, 'D'))).toHaveLength(left);
  });

  it('an appointment is without the service that AIS-2 D deletes', () => {
    const service = (text: string): unknown =>
      translated(text).resources.find(({ resourceType }) => resourceType === 'Appointment')?.['serviceType'];
    expect(service(textOf('SIU^S14'))).toHaveLength(1);
    expect(service(withField(textOf('SIU^S14'), 'AIS', 2, 'D'))).toBeUndefined();
  });
});

describe('the control code of an order of medicines (HL7 table 0119)', () => {
  it.each([
    ['NW', 'active'],
    ['CA', 'active'],
    ['OC', 'cancelled'],
    ['DC', 'stopped'],
    ['OD', 'stopped'],
    ['HR', 'on-hold'],
    ['RE', 'unknown'],
  ])('%s: %s', (control, status) => {
    expect(said(translated(withField(textOf('OMP^O09'), 'ORC', 1, control)), ['MedicationRequest'])).toEqual([
      `MedicationRequest ${status}`,
    ]);
  });

  it('yields to the status that the order has (ORC-5)', () => {
    const text = withField(withField(textOf('OMP^O09'), 'ORC', 1, 'NW'), 'ORC', 5, 'CM');
    expect(said(translated(text), ['MedicationRequest'])).toEqual(['MedicationRequest completed']);
  });
});

describe('PV1-2 N', () => {
  it('is no visit, and what stands beside it is carried', () => {
    const answer = translated(withField(textOf('ADT^A31'), 'PV1', 7, 'D00001^Proov^Tiina'));
    expect(said(answer, ['Encounter'])).toEqual([]);
    expect(answer.account.carried.map(({ path }) => path)).toContain('PV1-2');
  });

  it('is one all the same where it has a number', () => {
    expect(said(translated(withField(textOf('ADT^A31'), 'PV1', 19, 'V-1^^^EE-NAIDISHAIGLA-VISIT^VN')), ['Encounter'])).toHaveLength(1);
  });
});
