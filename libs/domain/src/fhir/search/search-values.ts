import { DecimalText, isFhirObject, type FhirObject, type FhirValue } from '@portolan/formats';
import { isSearchable, searchParametersOf, type SearchParameter } from './search-parameters.js';
import { normalised, type SearchKind, type SearchValue } from './search-value.js';
import { instantOf, timeRange, UTC, type TimeRange, type TimeZone } from './time-range.js';

export interface IndexOptions {
  /** Zone of dates without offset; UTC unless given. */
  readonly zone?: TimeZone;
  /** This node's FHIR base URL, without slash at the end: references below it are its own. */
  readonly base?: string;
}

/** Most rows of one resource; what is beyond is not found by search, and still there by read. */
export const MAX_SEARCH_VALUES = 2000;
/** Longest text of a row, in characters. */
const MAX_TEXT = 1000;

/**
 * The search rows of a resource, by the table of its type: none for a type that is not searched. Takes a tree as
 * `parseFhirJson` gives it. Never throws: an element of a wrong shape gives no row (the validator refuses it).
 */
export function searchValues(resource: FhirObject, options: IndexOptions = {}): readonly SearchValue[] {
  const type = resource['resourceType'];
  if (typeof type !== 'string' || !isSearchable(type)) return [];
  const found = new Map<string, SearchValue>();
  for (const [param, parameter] of Object.entries(searchParametersOf(type))) {
    for (const value of valuesOf(resource, param, parameter, options)) {
      if (found.size >= MAX_SEARCH_VALUES) return [...found.values()];
      found.set(JSON.stringify(value), value);
    }
  }
  return [...found.values()];
}

function valuesOf(resource: FhirObject, param: string, parameter: SearchParameter, options: IndexOptions): readonly SearchValue[] {
  const nodes = parameter.paths.flatMap((path) => nodesAt(resource, path));
  if (parameter.presence) {
    const present = nodes.some((node) => node !== false);
    return [{ kind: 'token', param, system: undefined, code: String(present) }];
  }
  const values = nodes.flatMap((node) => readers[parameter.kind](param, node, options));
  const { target } = parameter;
  return target === undefined ? values : values.filter((value) => value.kind === 'reference' && value.type === target);
}

const STEP = /^([A-Za-z]+)(?:\[([A-Za-z]+)=([A-Za-z]+)\])?$/;

/** The values at a path of the table, arrays passed through. */
function nodesAt(resource: FhirObject, path: string): readonly FhirValue[] {
  let nodes: readonly FhirValue[] = [resource];
  for (const step of path.split('.')) {
    const [, name = '', key, wanted] = STEP.exec(step) ?? [];
    nodes = nodes.flatMap((node) => childrenOf(node, name));
    if (key !== undefined) nodes = nodes.filter((node) => isFhirObject(node) && node[key] === wanted);
  }
  return nodes;
}

function childrenOf(node: FhirValue, name: string): readonly FhirValue[] {
  const value = isObject(node) ? node[name] : undefined;
  // JSON null stands in a list beside an extension: no value.
  return (Array.isArray(value) ? value : [value]).filter((one): one is FhirValue => one !== undefined && (one as unknown) !== null);
}

const isObject = (value: FhirValue | undefined): value is FhirObject => (value as unknown) !== null && isFhirObject(value);

const text = (value: FhirValue | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT) : undefined;

type Reader = (param: string, node: FhirValue, options: IndexOptions) => readonly SearchValue[];

const readers: Readonly<Record<SearchKind, Reader>> = {
  token: tokens,
  date: dates,
  string: strings,
  reference: references,
  quantity: quantities,
  number: quantities,
  uri: (param, node) => only(text(node), (uri) => ({ kind: 'uri', param, uri })),
};

const only = <T>(value: T | undefined, row: (value: T) => SearchValue): readonly SearchValue[] => (value === undefined ? [] : [row(value)]);

function tokens(param: string, node: FhirValue): readonly SearchValue[] {
  if (!isObject(node)) {
    const code = typeof node === 'boolean' ? String(node) : text(node);
    return only(code, (value) => ({ kind: 'token', param, system: undefined, code: value }));
  }
  if (Array.isArray(node['coding'])) return node['coding'].flatMap((coding) => tokens(param, coding));
  // Coding has a code; Identifier and ContactPoint have a value.
  const code = text(node['code']) ?? text(node['value']);
  return only(code, (value) => ({ kind: 'token', param, system: text(node['system']), code: value }));
}

function dates(param: string, node: FhirValue, options: IndexOptions): readonly SearchValue[] {
  const zone = options.zone ?? UTC;
  if (!isObject(node)) return only(rangeOf(node, zone), (range) => dateRow(param, range));
  const { event, repeat } = node;
  if (event !== undefined || repeat !== undefined) {
    const bounds = isObject(repeat) ? childrenOf(repeat, 'boundsPeriod') : [];
    return [...childrenOf(node, 'event'), ...bounds].flatMap((one) => dates(param, one, options));
  }
  const start = rangeOf(node['start'], zone);
  const end = rangeOf(node['end'], zone);
  return start === undefined && end === undefined ? [] : [dateRow(param, { start: start?.start, end: end?.end })];
}

const rangeOf = (value: FhirValue | undefined, zone: TimeZone): TimeRange | undefined =>
  typeof value === 'string' ? timeRange(value, zone) : undefined;

const dateRow = (param: string, range: { start: number | undefined; end: number | undefined }): SearchValue => ({
  kind: 'date',
  param,
  start: range.start === undefined ? undefined : instantOf(range.start),
  end: range.end === undefined ? undefined : instantOf(range.end),
});

/** The parts of a HumanName or Address that a string search looks in (R4 §3.1.1.4.8). */
const STRING_PARTS = ['text', 'family', 'given', 'prefix', 'suffix', 'line', 'city', 'district', 'state', 'postalCode', 'country'];

function strings(param: string, node: FhirValue): readonly SearchValue[] {
  const texts = isObject(node) ? STRING_PARTS.flatMap((part) => childrenOf(node, part).map(text)) : [text(node)];
  return texts.filter((one) => one !== undefined).map((one) => ({ kind: 'string', param, text: one, normal: normalised(one) }));
}

function references(param: string, node: FhirValue, options: IndexOptions): readonly SearchValue[] {
  if (!isObject(node)) return only(text(node), (url) => ({ ...noReference(param), url }));
  const identifier = isObject(node['identifier']) ? node['identifier'] : {};
  const named = namedBy(text(node['reference']), options.base);
  const row = {
    ...noReference(param),
    ...named,
    type: named.type ?? text(node['type']),
    system: text(identifier['system']),
    code: text(identifier['value']),
  };
  return row.id === undefined && row.url === undefined && row.code === undefined ? [] : [row];
}

const noReference = (param: string): SearchValue & { kind: 'reference' } => ({
  kind: 'reference',
  param,
  type: undefined,
  id: undefined,
  url: undefined,
  system: undefined,
  code: undefined,
});

const RELATIVE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/** A reference as type and id where it is this node's, else as address. A contained resource (`#id`) is nowhere to be found. */
export function namedBy(
  reference: string | undefined,
  base: string | undefined,
): { type: string | undefined; id: string | undefined; url: string | undefined } {
  if (reference === undefined || reference.startsWith('#')) return { type: undefined, id: undefined, url: undefined };
  const own = base !== undefined && reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  const [, type, id] = RELATIVE.exec(own) ?? [];
  return id === undefined ? { type: undefined, id: undefined, url: reference } : { type, id, url: undefined };
}

function quantities(param: string, node: FhirValue): readonly SearchValue[] {
  const noUnit = { system: undefined, code: undefined, unit: undefined };
  const kind = 'quantity';
  if (!isObject(node)) return only(numberOf(node), (value) => ({ kind: 'number', param, low: value, high: value, ...noUnit }));
  if (node['low'] !== undefined || node['high'] !== undefined) {
    const [low, high] = [node['low'], node['high']].map((end) => (isObject(end) ? end : {}));
    const unit = unitOf({ ...high, ...low });
    return [{ kind, param, low: numberOf(low?.['value']), high: numberOf(high?.['value']), ...unit }];
  }
  return only(numberOf(node['value']), (value) => ({ kind, param, ...boundsOf(value, text(node['comparator'])), ...unitOf(node) }));
}

const unitOf = (node: FhirObject): Pick<SearchValue & { kind: 'quantity' | 'number' }, 'system' | 'code' | 'unit'> => ({
  system: text(node['system']),
  code: text(node['code']),
  unit: text(node['unit']),
});

function boundsOf(value: number, comparator: string | undefined): { low: number | undefined; high: number | undefined } {
  if (comparator === '<' || comparator === '<=') return { low: undefined, high: value };
  if (comparator === '>' || comparator === '>=') return { low: value, high: undefined };
  return { low: value, high: value };
}

function numberOf(value: FhirValue | undefined): number | undefined {
  const number = value instanceof DecimalText ? value.toNumber() : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
