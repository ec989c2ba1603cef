import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toFhirJson, type FhirResource } from '../engine/index.js';
import { countryOfTables } from '../testing/coverage/index.js';
import { translate, type Translation } from '../translate.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const country = countryOfTables();
const text = (name: string): string => readFileSync(join(import.meta.dirname, `../../fixtures/cda/pt-ana-exemplo-${name}.xml`), 'utf8');
const translated = (document: string): Translation =>
  translate({ bytes: Buffer.from(document), format: 'cda', country, sha256, received: '2026-11-21T10:00:00.000Z' });
const one = ({ resources }: Translation, type: string): FhirResource =>
  resources.find(({ resourceType }) => resourceType === type) ?? { resourceType: type, id: '' };

describe('a prescription in the manner of MyHealth@EU', () => {
  const answer = translated(text('prescription'));
  const prescription = one(answer, 'MedicationRequest');

  it('is an order of a medicine, by its prescriber, with dose, rhythm, duration, packages and what may be given instead', () => {
    expect(answer.account.rejects).toEqual([]);
    expect(prescription).toMatchObject({
      status: 'active',
      intent: 'order',
      identifier: [{ system: 'urn:oid:2.999.2.8', value: 'RX-0001-1' }],
      authoredOn: '2026-11-10T09:25:00+00:00',
      dosageInstruction: [
        {
          patientInstruction: 'Tomar com água',
          timing: { repeat: { frequency: 1, periodUnit: 'h', boundsPeriod: { start: '2026-11-10', end: '2026-11-17' } } },
        },
      ],
      substitution: { allowedCodeableConcept: { coding: [{ code: 'EC' }] } },
    });
    expect(toFhirJson(prescription)).toContain('"quantity":{"value":2,');
    expect(one(answer, 'Medication')).toMatchObject({ code: { text: 'Amoxicilina Exemplo' }, ingredient: [{ isActive: true }] });
    expect(JSON.stringify(prescription['requester'])).toContain(one(answer, 'Practitioner').id);
  });

  it('of no medicine is none', () => {
    const empty = text('prescription').replace(/<manufacturedMaterial[\s\S]*?<\/manufacturedMaterial>/, '<manufacturedMaterial/>');
    expect(translated(empty).resources.map(({ resourceType }) => resourceType)).not.toContain('MedicationRequest');
  });
});

describe('a dispensation', () => {
  it('says what was handed over, by whom, when, on which prescription, and whether it was the one that was prescribed', () => {
    const answer = translated(text('dispensation'));
    const dispense = one(answer, 'MedicationDispense');
    expect(answer.account.rejects).toEqual([]);
    expect(dispense).toMatchObject({
      status: 'completed',
      whenHandedOver: '2026-11-10T17:30:00+00:00',
      authorizingPrescription: [{ type: 'MedicationRequest', identifier: { system: 'urn:oid:2.999.2.8', value: 'RX-0001-1' } }],
      substitution: { wasSubstituted: true },
    });
    const dispenser = answer.resources.find(({ name }) => JSON.stringify(name ?? '').includes('Amostra'));
    expect(dispense['performer']).toEqual([{ actor: { reference: `Practitioner/${dispenser?.id ?? ''}` } }]);
    expect(one(answer, 'Medication')).toMatchObject({ code: { text: 'Amoxicilina Genérica' } });
  });

  it('that was only asked for is none', () => {
    const asked = text('dispensation').replace('classCode="SPLY" moodCode="EVN"', 'classCode="SPLY" moodCode="RQO"');
    expect(translated(asked).resources.map(({ resourceType }) => resourceType)).not.toContain('MedicationDispense');
  });
});
