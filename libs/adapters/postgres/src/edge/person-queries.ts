import type { BusinessIdentifier, SearchTraits } from '@portolan/contracts';
import { normalised, type Person, type PersonEntry, type PersonId } from '@portolan/domain';
import { Parameters } from '../connect/parameters.js';
import { storable, type Sql } from '../connect/sql.js';

/** More candidates than this are of no use: a search for a person gives one or none. */
const MAX_CANDIDATES = 20;

interface PersonRow {
  readonly id: string;
  readonly birth_date: string | null;
  readonly family: string | null;
  readonly given: string | null;
  readonly identifiers: readonly { system: string; value: string }[];
}

/** As whoever reads finds her: under the entry that stands for her, with the identifiers of all her entries. */
const SELECT = `SELECT p.id, p.birth_date, p.family, p.given,
  coalesce((SELECT json_agg(DISTINCT jsonb_build_object('system', i.system, 'value', i.value))
            FROM edge.person_identifier i WHERE i.person = ANY (edge.same_person(p.id))), '[]') AS identifiers
  FROM edge.person p`;

/**
 * Persons that bear every identifier, in whichever of their entries, and of whom one entry fits every other trait given; none where no
 * trait is given. Used by edge and exchange alike.
 */
export async function personsByTraits(sql: Sql, { identifiers, birthDate, family, given }: SearchTraits): Promise<readonly Person[]> {
  const traits = { birth_date: birthDate, family_key: keyOf(family), given_key: keyOf(given) };
  const texts = [...identifiers.flatMap(({ system, value }) => [system, value]), birthDate, family, given].filter(
    (one) => one !== undefined,
  );
  // What no column can hold, nobody bears.
  if (texts.length === 0 || texts.some((one) => one !== storable(one))) return [];
  const parameters = new Parameters();
  const text = (value: string): string => parameters.add(value, '::text');
  // Only what was given is written: a condition that may be absent keeps the database from its indexes.
  const conditions = [
    ...identifiers.map(
      ({ system, value }) =>
        `e.id IN (SELECT s.id FROM edge.person_identifier i CROSS JOIN LATERAL unnest(edge.same_person(i.person)) AS s (id)
         WHERE i.system = ${text(system)} AND i.value = ${text(value)})`,
    ),
    ...Object.entries(traits).flatMap(([column, value]) => (value === undefined ? [] : [`e.${column} = ${text(value)}`])),
  ];
  const found = `SELECT coalesce(e.merged_into, e.id) FROM edge.person e WHERE ${conditions.join(' AND ')}`;
  const rows = await sql.rows<PersonRow>(`${SELECT} WHERE p.id IN (${found}) ORDER BY p.id LIMIT ${MAX_CANDIDATES}`, parameters.values);
  return rows.map(personOf);
}

/** The whole person, by the id of any of her entries. */
export async function personById(sql: Sql, id: PersonId): Promise<Person | undefined> {
  const row = await sql.first<PersonRow>(
    `${SELECT} WHERE p.id = (SELECT coalesce(e.merged_into, e.id) FROM edge.person e WHERE e.id = $1)`,
    [id],
  );
  return row && personOf(row);
}

type EntryRow = PersonRow & { readonly survivor: string; readonly others: PersonRow['identifiers'] };

const identifiersOf = (whose: string): string =>
  `coalesce((SELECT json_agg(json_build_object('system', i.system, 'value', i.value) ORDER BY i.system, i.value)
             FROM edge.person_identifier i WHERE ${whose}), '[]')`;

const ENTRY = `SELECT e.id, e.birth_date, e.family, e.given, coalesce(e.merged_into, e.id) AS survivor,
  ${identifiersOf('i.person = e.id')} AS identifiers,
  ${identifiersOf('i.person = ANY (edge.same_person(e.id)) AND i.person <> e.id')} AS others
  FROM edge.person e`;

/** Entries of the index that bear this identifier themselves. */
export async function entriesBearing(sql: Sql, { system, value }: BusinessIdentifier): Promise<readonly PersonEntry[]> {
  if (system !== storable(system) || value !== storable(value)) return [];
  const rows = await sql.rows<EntryRow>(
    `${ENTRY} WHERE e.id IN (SELECT i.person FROM edge.person_identifier i WHERE i.system = $1 AND i.value = $2)
     ORDER BY e.id LIMIT ${MAX_CANDIDATES}`,
    [system, value],
  );
  return rows.map(entryOf);
}

export async function entryById(sql: Sql, id: PersonId): Promise<PersonEntry | undefined> {
  const row = await sql.first<EntryRow>(`${ENTRY} WHERE e.id = $1`, [id]);
  return row && entryOf(row);
}

/** A name as names are compared: without case, accents and doubled spaces. */
export const keyOf = (name: string | undefined): string | undefined => (name === undefined ? undefined : normalised(name));

const entryOf = (row: EntryRow): PersonEntry => ({ ...personOf(row), survivor: row.survivor as PersonId, others: row.others });

const personOf = ({ id, identifiers, birth_date: birthDate, family, given }: PersonRow): Person => ({
  id: id as PersonId,
  identifiers,
  birthDate: birthDate ?? undefined,
  family: family ?? undefined,
  given: given ?? undefined,
});
