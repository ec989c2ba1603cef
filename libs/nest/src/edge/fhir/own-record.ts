import {
  DATA_CATEGORIES,
  instant,
  minimise,
  parseFhirJson,
  toFhirJson,
  type assembleSummary,
  type EdgeTx,
  type FhirObject,
  type PersonId,
} from '@portolan/domain';
import { hexOf } from '@portolan/verify';
import type { EdgeParts } from '../edge.parts.js';
import { Accesses } from './accesses.js';
import type { FhirCaller } from './fhir-caller.js';

const MAX_RESOURCES = 5_000;

type Assembly = Parameters<typeof assembleSummary>[0];
type Assembled = ReturnType<typeof assembleSummary>;

/** Everything that the node holds of the person, to be made a document in the words of the country; undefined where it holds no Patient. */
export async function ownRecord(tx: EdgeTx, person: PersonId, { country, clock, sha256 }: EdgeParts): Promise<Assembly | undefined> {
  const held = (await tx.resources.ofPerson(person, 'all', MAX_RESOURCES)).map(({ type, id, text }) =>
    parseFhirJson(text, `${type}/${id}`),
  );
  const identifiers = (await tx.persons.get(person))?.identifiers ?? [];
  const content = minimise(held, { categories: DATA_CATEGORIES }, identifiers);
  return (
    content && {
      content,
      custodian: { country: country.code, ...country.custodian },
      wording: country.wording,
      timestamp: instant(clock.now()),
      sha256: (bytes: Uint8Array) => hexOf(sha256(bytes)),
    }
  );
}

/** The document's text, once it is on record who reads what stands in it. */
export async function documentText(
  tx: EdgeTx,
  person: PersonId,
  { bundle, entries }: Assembled,
  caller: FhirCaller,
  parts: EdgeParts,
): Promise<string> {
  const accesses = new Accesses(tx, parts, caller);
  await accesses.person(
    person,
    entries.map(({ source }) => source),
  );
  await accesses.record('record-read');
  return toFhirJson(bundle as unknown as FhirObject);
}
