import { PortolanError } from '@portolan/contracts';
import type { SearchableType, SearchParameter } from './search-parameters.js';
import type { SearchInclude, SearchQuery, SortKey, SearchSummary } from './search-query.js';

/** What the parameters say that shape the answer and select nothing (R4 §3.1.1.5). */
export interface Controls {
  readonly count: number | undefined;
  readonly sort: readonly SortKey[];
  readonly include: readonly SearchInclude[];
  readonly summary: SearchSummary;
  readonly elements: readonly string[] | undefined;
  readonly total: SearchQuery['total'];
  readonly cursor: string | undefined;
}

export const noControls: Controls = {
  count: undefined,
  sort: [],
  include: [],
  summary: 'false',
  elements: undefined,
  total: 'none',
  cursor: undefined,
};

interface Context {
  readonly type: SearchableType;
  readonly known: Readonly<Record<string, SearchParameter>>;
}

type Reader = (value: string, context: Context, before: Controls) => Partial<Controls> | undefined;

const MAX_SORT_KEYS = 3;
const MAX_ELEMENTS = 50;
const SUMMARIES: readonly SearchSummary[] = ['true', 'text', 'data', 'count', 'false'];
const TOTALS: readonly SearchQuery['total'][] = ['none', 'estimate', 'accurate'];

const oneOf = <T extends string>(known: readonly T[], value: string): T | undefined => known.find((one) => one === value);

/** One reader a control; undefined where the value cannot be read. `_format` and `_pretty` are the edge's. */
const readers: Readonly<Record<string, Reader>> = {
  _count: (value) => (/^\d{1,9}$/.test(value) ? { count: Number(value) } : undefined),
  _sort: (value, context) => readSort(value, context),
  _include: (value, context, before) => readInclude(value, context, before),
  _summary: (value) => found('summary', oneOf(SUMMARIES, value)),
  _total: (value) => found('total', oneOf(TOTALS, value)),
  _elements: (value) => readElements(value),
  _cursor: (value) => ({ cursor: value }),
  _format: () => ({}),
  _pretty: () => ({}),
};

const found = <K extends keyof Controls>(key: K, value: Controls[K] | undefined): Partial<Controls> | undefined =>
  value === undefined ? undefined : { [key]: value };

export const isControl = (name: string): boolean => Object.hasOwn(readers, name);

/** Takes one control into account. Throws `fhir.search-modifier-unsupported` and `fhir.search-value-invalid`. */
export function readControl(before: Controls, name: string, modifier: string | undefined, value: string, context: Context): Controls {
  const where = `${context.type}?${name}`;
  if (modifier !== undefined) throw new PortolanError('fhir.search-modifier-unsupported', where);
  const read = readers[name]?.(value, context, before);
  if (read === undefined) throw new PortolanError('fhir.search-value-invalid', where);
  return { ...before, ...read };
}

function readSort(value: string, { known }: Context): Partial<Controls> | undefined {
  const names = value.split(',');
  const keys = names.flatMap((name): SortKey[] => {
    const descending = name.startsWith('-');
    const param = descending ? name.slice(1) : name;
    const parameter = Object.hasOwn(known, param) ? known[param] : undefined;
    return parameter === undefined ? [] : [{ param, kind: parameter.kind, descending }];
  });
  return keys.length === names.length && keys.length <= MAX_SORT_KEYS ? { sort: keys } : undefined;
}

/** `Observation:subject` or `Observation:subject:Patient`; wildcards are refused. */
function readInclude(value: string, { type, known }: Context, before: Controls): Partial<Controls> | undefined {
  const [source, param = '', target, ...rest] = value.split(':');
  const isReference = Object.hasOwn(known, param) && known[param]?.kind === 'reference';
  if (source !== type || !isReference || rest.length > 0) return undefined;
  return { include: [...before.include, { param, target: target === '' ? undefined : target }] };
}

function readElements(value: string): Partial<Controls> | undefined {
  const names = value.split(',');
  return names.length <= MAX_ELEMENTS && names.every((name) => /^[a-z][A-Za-z]{0,63}$/.test(name)) ? { elements: names } : undefined;
}
