import { setTimeout as pause } from 'node:timers/promises';
import type { BusinessIdentifier } from '@portolan/contracts';
import type { Answer, CountryClient } from '../client/country-client.js';
import type { DemoClinician, DemoPerson } from '../world/demo-people.js';
import { demand } from './narrator.js';

interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly [member: string]: unknown;
}
interface Bundle extends Resource {
  readonly entry?: readonly { readonly resource: Resource }[];
}

export const entriesOf = (answer: Answer): readonly Resource[] =>
  answer.json<Bundle & Record<string, unknown>>().entry?.map(({ resource }) => resource) ?? [];

/** `Patient/$match` in another country: by an identifier and a birth date, certain or nothing. */
export async function matchAbroad(
  client: CountryClient,
  clinician: DemoClinician,
  country: string,
  person: Pick<DemoPerson, 'identifier' | 'birthDate' | 'family'>,
): Promise<string | undefined> {
  const patient = {
    resourceType: 'Patient',
    identifier: [person.identifier],
    birthDate: person.birthDate,
    name: [{ family: person.family }],
  };
  const parameter = [
    { name: 'resource', resource: patient },
    { name: 'onlyCertainMatches', valueBoolean: true },
    { name: 'country', valueCode: country },
  ];
  const asked = await client.clinical(clinician, '/fhir/Patient/$match', { resourceType: 'Parameters', parameter });
  const answer = await answered(client, clinician, asked);
  demand(answer.status === 200, `the match is answered (was ${answer.status}: ${answer.text.slice(0, 300)})`);
  const [found] = entriesOf(answer);
  if (found === undefined) return undefined;
  const identifiers = found['identifier'] as readonly BusinessIdentifier[];
  demand(identifiers.length === 1 && identifiers[0]?.value === person.identifier.value, 'a match returns nothing that was not sent');
  return found.id;
}

/** The explicit request for a record held abroad. */
export async function requestRecord(
  client: CountryClient,
  clinician: DemoClinician,
  handle: string,
  categories: readonly string[],
): Promise<Answer> {
  const parameter = [
    { name: 'patient', valueReference: { reference: `Patient/${handle}` } },
    ...categories.map((category) => ({ name: 'category', valueCode: category })),
    { name: 'purpose', valueCode: 'TREAT' },
  ];
  const asked = await client.clinical(clinician, '/fhir/$request-record', { resourceType: 'Parameters', parameter });
  return answered(client, clinician, asked);
}

const POLL_MS = 200;
const ANSWERED_WITHIN_MS = 60_000;

/** An answer that takes longer than the line is held comes at its Content-Location (FHIR asynchronous pattern). */
async function answered(client: CountryClient, clinician: DemoClinician, first: Answer): Promise<Answer> {
  const end = Date.now() + ANSWERED_WITHIN_MS;
  let answer = first;
  const place = first.headers.get('content-location');
  while (answer.status === 202 && place !== null && Date.now() < end) {
    await pause(POLL_MS);
    answer = await client.clinical(clinician, place);
  }
  return answer;
}

/** A named value of a Parameters resource. */
export function parameterOf(answer: Answer, name: string): string {
  const { parameter = [] } = answer.json<{ parameter?: readonly Record<string, unknown>[] }>();
  const found = parameter.find((one) => one['name'] === name);
  const value = Object.entries(found ?? {}).find(([key]) => key.startsWith('value'))?.[1];
  return typeof value === 'string' ? value : ((value as { reference?: string } | undefined)?.reference ?? '');
}
