import type { SearchTraits } from '@portolan/contracts';
import { normalised, type Person, type PersonId } from '@portolan/domain';
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

const SELECT = `SELECT p.id, p.birth_date, p.family, p.given,
  coalesce((SELECT json_agg(json_build_object('system', i.system, 'value', i.value) ORDER BY i.system, i.value)
            FROM edge.person_identifier i WHERE i.person = p.id), '[]') AS identifiers
  FROM edge.person p`;

/** Persons that bear every identifier and fit every trait given; none where no trait is given. Used by edge and exchange alike. */
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
        `p.id IN (SELECT i.person FROM edge.person_identifier i WHERE i.system = ${text(system)} AND i.value = ${text(value)})`,
    ),
    ...Object.entries(traits).flatMap(([column, value]) => (value === undefined ? [] : [`p.${column} = ${text(value)}`])),
  ];
  const rows = await sql.rows<PersonRow>(
    `${SELECT} WHERE ${conditions.join(' AND ')} ORDER BY p.id LIMIT ${MAX_CANDIDATES}`,
    parameters.values,
  );
  return rows.map(personOf);
}

export async function personById(sql: Sql, id: PersonId): Promise<Person | undefined> {
  const row = await sql.first<PersonRow>(`${SELECT} WHERE p.id = $1`, [id]);
  return row && personOf(row);
}

/** A name as names are compared: without case, accents and doubled spaces. */
export const keyOf = (name: string | undefined): string | undefined => (name === undefined ? undefined : normalised(name));

const personOf = ({ id, identifiers, birth_date: birthDate, family, given }: PersonRow): Person => ({
  id: id as PersonId,
  identifiers,
  birthDate: birthDate ?? undefined,
  family: family ?? undefined,
  given: given ?? undefined,
});
