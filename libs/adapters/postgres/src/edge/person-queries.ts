import type { SearchTraits } from '@portolan/contracts';
import { normalised, type Person, type PersonId } from '@portolan/domain';
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
  const traits = [...identifiers.flatMap(({ system, value }) => [system, value]), birthDate, family, given].filter(
    (one) => one !== undefined,
  );
  // What no column can hold, nobody bears.
  if (traits.length === 0 || traits.some((one) => one !== storable(one))) return [];
  const rows = await sql.rows<PersonRow>(
    `${SELECT} WHERE NOT EXISTS (
         SELECT FROM unnest($1::text[], $2::text[]) AS wanted (system, value) WHERE NOT EXISTS (
           SELECT FROM edge.person_identifier i WHERE i.person = p.id AND i.system = wanted.system AND i.value = wanted.value))
       AND (cardinality($1::text[]) = 0
         OR p.id IN (SELECT i.person FROM edge.person_identifier i WHERE i.system = $1[1] AND i.value = $2[1]))
       AND ($3::text IS NULL OR p.birth_date = $3) AND ($4::text IS NULL OR p.family_key = $4) AND ($5::text IS NULL OR p.given_key = $5)
     ORDER BY p.id LIMIT ${MAX_CANDIDATES}`,
    [
      identifiers.map((one) => one.system),
      identifiers.map((one) => one.value),
      birthDate ?? null,
      keyOf(family) ?? null,
      keyOf(given) ?? null,
    ],
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
