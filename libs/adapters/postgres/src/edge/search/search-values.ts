import type { DateValue, QuantityValue, SearchValue } from '@portolan/domain';
import { storable, type Sql } from '../../connect/sql.js';

/** A row of `search_value` as JSON; what a kind has not is left out and becomes null, or an open end. */
type SearchRow = Readonly<Record<string, string | number | undefined>> & { readonly kind: string; readonly param: string };

const dateRow = ({ kind, param, start, end }: DateValue): SearchRow => ({
  kind,
  param,
  start_at: start ?? '-infinity',
  end_at: end ?? 'infinity',
});

// JSON has no infinity; the text of it is read as a number by the column's type.
const quantityRow = ({ kind, param, low, high, system, code, unit }: QuantityValue): SearchRow => ({
  kind,
  param,
  low: low ?? '-Infinity',
  high: high ?? 'Infinity',
  system,
  code,
  unit,
});

function searchRow(value: SearchValue): SearchRow {
  switch (value.kind) {
    case 'token':
    case 'string':
    case 'uri':
      return { ...value };
    case 'date':
      return dateRow(value);
    case 'reference':
      return {
        kind: value.kind,
        param: value.param,
        ref_type: value.type,
        ref_id: value.id,
        url: value.url,
        system: value.system,
        code: value.code,
      };
    case 'quantity':
    case 'number':
      return quantityRow(value);
  }
}

const COLUMNS = `kind text, param text, system text, code text, start_at timestamptz, end_at timestamptz, text text, normal text,
  ref_type text, ref_id text, url text, low double precision, high double precision, unit text, uri text`;

const NAMES = 'kind, param, system, code, start_at, end_at, text, normal, ref_type, ref_id, url, low, high, unit, uri';

// The rows that go are those that stood before the statement: none that it writes (PostgreSQL manual, 7.8.4).
const REPLACE = {
  text: `WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS g (of_type, of_id, found)),
      gone AS (DELETE FROM search_value USING given WHERE search_value.type = of_type AND resource_id = of_id)
    INSERT INTO search_value (type, resource_id, ${NAMES})
    SELECT of_type, of_id, ${NAMES} FROM given, jsonb_to_recordset(found) AS v (${COLUMNS})`,
};

/** Replaces the search rows of a resource: the newest version's rows are the only ones. */
export async function putSearchValues(sql: Sql, { type, id }: { type: string; id: string }, values: readonly SearchValue[]): Promise<void> {
  const found = JSON.stringify(values.map(searchRow), (_, one: unknown) => (typeof one === 'string' ? storable(one) : one));
  await sql.laterRow(REPLACE, [type, id, found], `${type}/${id}`);
}
