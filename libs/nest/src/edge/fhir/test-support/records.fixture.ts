import { randomUUID } from 'node:crypto';
import type { BusinessIdentifier, DataCategory } from '@portolan/contracts';
import {
  categoriesOf,
  ensurePersonId,
  englishWording,
  release,
  searchValues,
  treeOf,
  UTC,
  type PersonId,
  type ResourceVersion,
} from '@portolan/domain';
import { sha256 } from '@portolan/keys';
import { hexOf, sha256Hex } from '@portolan/verify';
import type { IdentifiedResource } from '../entries.js';
import { BASE, type FhirNode } from './fhir-node.js';

export const PIN = 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1';
const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category';

/** A synthetic person with her Patient resource. */
export interface SeededPerson {
  readonly person: PersonId;
  readonly patient: string;
  readonly identifier: BusinessIdentifier;
}

export async function seedPerson(node: FhirNode, family: string): Promise<SeededPerson> {
  const person = ensurePersonId(randomUUID());
  const identifier = { system: PIN, value: randomUUID().slice(0, 11) };
  const patient = randomUUID();
  await node.run(({ persons }) => persons.save({ id: person, identifiers: [identifier], birthDate: '1971-01-01', family, given: 'Mari' }));
  const resource = {
    resourceType: 'Patient',
    id: patient,
    identifier: [identifier],
    name: [{ family, given: ['Mari'] }],
    birthDate: '1971-01-01',
  };
  await seed(node, JSON.stringify(resource), person);
  return { person, patient, identifier };
}

/** Files a resource text as ingest would. */
export async function seed(node: FhirNode, text: string, person: PersonId | undefined, messageId?: string): Promise<ResourceVersion> {
  const tree = treeOf(text) as IdentifiedResource;
  return node.run(async (tx) => {
    const resource = {
      type: tree.resourceType,
      id: tree.id,
      lastUpdated: new Date().toISOString(),
      person,
      keyId: person === undefined ? await tx.keys.create() : await tx.keys.forPerson(person),
      categories: categoriesOf(tree),
      messageId,
      sha256: sha256Hex(text, sha256),
      deleted: false,
      text,
    };
    const { versionId } = await tx.resources.put(resource, searchValues(tree, { base: BASE, zone: UTC }));
    return { ...resource, versionId };
  });
}

export interface ObservationFacts {
  readonly id?: string;
  readonly value?: string;
  readonly code?: string;
  readonly at?: string;
  readonly performer?: string;
}

/** A laboratory result as text, so that its digits stand as written. */
export function observation(
  patient: string,
  { id = randomUUID(), value = '1.50', code = '2160-0', at = '2026-11-02', performer }: ObservationFacts = {},
): string {
  const by = performer === undefined ? '' : `"performer":[{"reference":"${performer}"}],`;
  return `{"resourceType":"Observation","id":"${id}","status":"final","category":[{"coding":[{"system":"${LAB}","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"${code}"}],"text":"Creatinine"},"subject":{"reference":"Patient/${patient}"},"effectiveDateTime":"${at}",${by}"valueQuantity":{"value":${value},"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"},"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"H"}]}],"referenceRange":[{"high":{"value":1.10,"unit":"mg/dL"}}]}`;
}

/** What another country releases of a person, by the very code that a custodian runs; ids are the custodian's own. */
export function releasedRecord(identifier: BusinessIdentifier, categories: readonly DataCategory[]): string {
  const source = (name: string): string => `${name}-${identifier.value}`;
  const subject = { reference: `Patient/${source('p')}` };
  const patient = {
    resourceType: 'Patient',
    id: source('p'),
    identifier: [identifier],
    name: [{ family: 'Exemplo', given: ['Ana'] }],
    birthDate: '1980-02-02',
  };
  const condition = { resourceType: 'Condition', id: source('c'), code: { text: 'Asthma' }, subject };
  const practitioner = { resourceType: 'Practitioner', id: 'dr', name: [{ family: 'Ensaio' }] };
  const result = withVersionOf(observation(source('p'), { id: source('o'), performer: 'Practitioner/dr' }));
  const texts = [JSON.stringify(patient), JSON.stringify(condition), JSON.stringify(practitioner), result];
  const gathered = texts.map((text) => {
    const { resourceType, id } = JSON.parse(text) as { resourceType: string; id: string };
    return { type: resourceType, id, versionId: '3', lastUpdated: '2026-11-02T00:00:00.000Z', text, categories, custodian: 'PT' };
  });
  const custodian = { country: 'PT', identifier: { system: 'urn:portolan:demo:pt:organisation', value: 'custodian' }, name: 'Demo record' };
  const made = release({
    permit: { categories, identifiers: [identifier] },
    asked: { categories },
    gathered,
    custodian,
    wording: englishWording,
    timestamp: new Date().toISOString(),
    sha256: (bytes) => hexOf(sha256(bytes)),
  });
  if (made === undefined) throw new Error('the fixture releases nothing');
  return made.text;
}

const withVersionOf = (text: string): string => text.replace('"status"', '"meta":{"versionId":"3"},"status"');
