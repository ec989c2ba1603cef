import { randomUUID } from 'node:crypto';
import type { PersonId, ResourceVersion } from '@portolan/domain';
import { fileEntry, type IdentifiedResource } from '../../fhir/entries.js';
import { CLIENT } from './demo-provider.js';
import { people, type PersonNode } from './person-node.js';

export const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category';

/** Her Patient, one laboratory value with who made it, and one condition; as a hospital's message would have brought them. */
export const recordOf = (ids: { patient: string; observation: string; condition: string }): IdentifiedResource[] => [
  {
    resourceType: 'Patient',
    id: ids.patient,
    identifier: [{ ...people.mari }],
    name: [{ family: 'Näidis', given: ['Mari'] }],
    birthDate: '1971-01-01',
  },
  {
    resourceType: 'Practitioner',
    id: `${ids.observation}-by`,
    identifier: [{ system: 'urn:portolan:demo:ee:professional', value: 'D00001' }],
    name: [{ text: 'Dr Peeter Proov' }],
  },
  {
    resourceType: 'Observation',
    id: ids.observation,
    status: 'final',
    text: { status: 'additional', div: '<div xmlns="http://www.w3.org/1999/xhtml">Hemoglobiin</div>' },
    category: [{ coding: [{ system: LAB, code: 'laboratory' }] }],
    code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
    subject: { reference: `Patient/${ids.patient}` },
    effectiveDateTime: '2026-03-01',
    performer: [{ reference: `Practitioner/${ids.observation}-by` }],
    identifier: [{ system: 'urn:demo:lab', value: 'L-1' }],
    valueQuantity: { value: 131, unit: 'g/L', system: 'http://unitsofmeasure.org', code: 'g/L' },
  },
  {
    resourceType: 'Condition',
    id: ids.condition,
    code: { text: 'Synthetic condition' },
    subject: { reference: `Patient/${ids.patient}` },
  },
];

/** Files the record as it came by one message of the hospital. */
export async function fileRecord(node: PersonNode, person: PersonId, resources: readonly IdentifiedResource[]): Promise<string> {
  const messageId = randomUUID();
  const original = new TextEncoder().encode('MSH|^~\\&|synthetic');
  await node.run(async (tx) => {
    const keyId = await tx.keys.create();
    await tx.keys.assign(keyId, person);
    const message = { id: messageId, via: 'http', source: CLIENT, format: 'hl7v2', controlId: messageId, sha256: messageId } as const;
    await tx.messages.put({ ...message, receivedAt: new Date().toISOString(), state: 'stored', keyId, original });
    await tx.messages.putAccount(messageId, keyId, { carried: ['synthetic'] });
    for (const resource of resources) await fileEntry(tx, resource, { person, messageId }, node.parts);
  });
  return messageId;
}

export const current = (node: PersonNode, type: string, id: string): Promise<ResourceVersion | undefined> =>
  node.run((tx) => tx.resources.get(type, id));
