import corrections from './corrections.json' with { type: 'json' };
import tables from './rows.json' with { type: 'json' };

/** One hop of a row's FHIR attribute: a path in a resource type. */
export interface Hop {
  readonly type: string;
  /** Without indexes: `name.given`; '' for the whole. */
  readonly path: string;
}

/** A row of HL7's v2-to-FHIR tables that has a FHIR target. */
export interface Row {
  /** `PID[Patient]`, `XPN[HumanName]` */
  readonly table: string;
  /** What names the row among all: its table and its text. */
  readonly key: string;
  /** `PID-3`, `CWE.1`; '' or the segment alone where the target takes no value from the source. */
  readonly source: string;
  /** From the table's own resource inwards: `participant.individual(Practitioner)` has two hops. */
  readonly hops: readonly Hop[];
  /** The data type table that says more. */
  readonly type: string;
  readonly condition: string;
  /** The one literal that the row assigns. */
  readonly literal: string | undefined;
  /** Whether it is read otherwise than it is written (corrections.json). */
  readonly corrected?: boolean;
}

/** Beginnings of corrections that name no row: mistakes of the list. */
export function idleCorrections(): string[] {
  return corrected.filter(({ row }) => ![...segmentRows, ...dataTypeRows].some(({ key }) => key.startsWith(row))).map(({ row }) => row);
}

/** Reads a row's text: source | FHIR attribute | data type map | condition | assignment. */
export function readRow(table: string, text: string, outer: string): Row {
  const [source = '', written = '', type = '', condition = '', assignment = ''] = text.split(/ ?\| ?/).map((part) => part.trim());
  const { target, literal } = literalOf(written, assignment);
  return { table, key: `${table} ${text}`, source, hops: hopsOf(target, outer), type, condition, literal };
}

/** What a row assigns stands in its own column, or after the attribute: `status="finished"`. */
function literalOf(written: string, assignment: string): { target: string; literal: string | undefined } {
  const [, target = written, told] = /^([^=]*)=\s*"([^"]*)"$/.exec(written) ?? [];
  const literal = /^"([^"]*)"$/.exec(assignment)?.[1] ?? told;
  return { target, literal: literal?.trim() };
}

/** `performer[1](PractitionerRole.code.coding.code)` as its hops; the first is in `outer`. */
export function hopsOf(target: string, outer: string): Hop[] {
  const [first = '', ...inner] = target
    .replace(/\)/g, '')
    .split('(')
    .map((part) => part.trim());
  return [{ type: outer, path: plainPath(first) }, ...inner.filter((part) => part !== '').map(innerHop)];
}

function innerHop(part: string): Hop {
  const [type = '', ...path] = part.replace(/\[[^\]]*\]/g, '').split('.');
  return { type, path: plainPath(path.join('.')) };
}

/** A FHIR path without indexes and without the marks of the tables. */
export function plainPath(path: string): string {
  return path
    .replace(/\[[^\]]*\]?/g, '')
    .replace(/[:}\s].*$/, '')
    .replace(/^\.|\.$/g, '')
    .replace(/^\$(this|value)$/, '')
    .replace(/(^|\.)_/g, '$1')
    .replace(/extension\.uri$/, 'extension.url');
}

/** `Patient-GeneralPractitioner` is a map of Patient. */
const resourceOf = (table: string): string => /\[([A-Za-z]+)/.exec(table)?.[1] ?? '';

function read(kind: Readonly<Record<string, readonly string[]>>): Row[] {
  return Object.entries(kind).flatMap(([table, texts]) => texts.map((text) => withCorrection(readRow(table, text, resourceOf(table)))));
}

/** How a row is read where the tables are mistaken; the reasons stand beside. */
interface Correction {
  readonly row: string;
  readonly because: string;
  readonly target?: string;
  readonly literal?: string;
  readonly type?: string;
  readonly condition?: string;
  readonly source?: string;
  /** The resource in which the target stands. */
  readonly in?: string;
}
const corrected: readonly Correction[] = corrections.rows;

function withCorrection(row: Row): Row {
  const found = corrected.find(({ row: beginning }) => row.key.startsWith(beginning));
  if (found === undefined) return row;
  const { row: _beginning, because: _because, in: outer = row.hops[0]?.type ?? '', target, literal, ...rest } = found;
  const hops = target === undefined ? [{ type: outer, path: row.hops[0]?.path ?? '' }, ...row.hops.slice(1)] : hopsOf(target, outer);
  // An empty literal takes away one that belongs elsewhere.
  return { ...row, ...rest, hops, literal: literal === undefined ? row.literal : literal || undefined, corrected: true };
}

export const segmentRows: readonly Row[] = read(tables.segments);
export const dataTypeRows: readonly Row[] = read(tables.datatypes);

const byTable = Map.groupBy(dataTypeRows, ({ table }) => table.toLowerCase());

/** The rows of a data type table, whatever the case in which another table writes its name. */
export function rowsOfType(name: string): readonly Row[] {
  return byTable.get(name.toLowerCase()) ?? [];
}
