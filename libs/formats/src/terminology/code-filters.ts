import type { FhirValue } from '../engine/fhir.js';
import { listAt, objectAt, textAt } from '../engine/read-json.js';
import type { CodeSystem, Concept } from './code-system.js';

/** `compose.include.filter`: a property, an operator and its value. */
export interface CodeFilter {
  readonly where: string;
  readonly property: string;
  readonly op: Operator;
  readonly value: string;
}

const operators = ['is-a', 'descendent-of', 'is-not-a', '=', 'in', 'not-in', 'regex'] as const;
type Operator = (typeof operators)[number];
const isOperator = (text: string): text is Operator => (operators as readonly string[]).includes(text);
const hierarchical: ReadonlySet<Operator> = new Set(['is-a', 'descendent-of', 'is-not-a']);

/** A regular expression of a value set runs over every code at load: a long one is none that somebody wrote for codes. */
const MAX_PATTERN = 200;

/** Reads filters; throws a plain Error by place for an operator that is not acted on (`generalizes`, `exists`) and for a broken expression. */
export function readFilters(value: FhirValue, where: string): CodeFilter[] {
  return listAt(value, where).map((one, i) => {
    const place = `${where}[${i}]`;
    const filter = objectAt(one, place);
    const op = textAt(filter['op'], `${place}.op`);
    if (!isOperator(op)) throw new Error(`${place}.op ${op} is not acted on: write the set without it`);
    const read = {
      where: place,
      property: textAt(filter['property'], `${place}.property`),
      op,
      value: textAt(filter['value'], `${place}.value`),
    };
    if (op === 'regex') patternOf(read);
    return read;
  });
}

/** Codes of the system of which all filters hold. Throws a plain Error by place where the system cannot tell. */
export function filtered(system: CodeSystem, filters: readonly CodeFilter[]): string[] {
  const tests = filters.map((filter) => testOf(system, filter));
  return [...system.concepts.values()].filter((concept) => tests.every((test) => test(concept))).map(({ code }) => code);
}

type Test = (concept: Concept) => boolean;

function testOf(system: CodeSystem, filter: CodeFilter): Test {
  const { op, value } = filter;
  if (hierarchical.has(op)) return subsumption(system, filter);
  const valuesOf = readerOf(system, filter);
  if (op === 'regex') {
    const pattern = patternOf(filter);
    return (concept) => valuesOf(concept).some((one) => pattern.test(one));
  }
  const wanted = new Set(op === '=' ? [value] : value.split(',').map((one) => one.trim()));
  const isOne: Test = (concept) => valuesOf(concept).some((one) => wanted.has(one));
  return op === 'not-in' ? (concept) => !isOne(concept) : isOne;
}

function subsumption(system: CodeSystem, { where, property, op, value }: CodeFilter): Test {
  if (property !== 'concept' && property !== 'code') throw new Error(`${where}.property: ${op} is asked of concept or code`);
  if (!system.isHierarchy) throw new Error(`${where}.op: the hierarchy of ${system.url} is not said to mean is-a`);
  if (!system.concepts.has(value)) throw new Error(`${where}.value is no code of ${system.url}`);
  const below = system.below(value);
  if (op === 'is-not-a') return ({ code }) => !below.has(code);
  return op === 'is-a' ? ({ code }) => below.has(code) : ({ code }) => below.has(code) && code !== value;
}

function readerOf(system: CodeSystem, { where, property }: CodeFilter): (concept: Concept) => readonly string[] {
  if (property === 'code' || property === 'concept') return ({ code }) => [code];
  if (property === 'display') return ({ display }) => (display === undefined ? [] : [display]);
  if (property === 'parent') return ({ parents }) => parents;
  if (![...system.concepts.values()].some(({ properties }) => properties.has(property)))
    throw new Error(`${where}.property: no concept of ${system.url} has ${property}`);
  return ({ properties }) => properties.get(property) ?? [];
}

/** FHIR's expressions are held against the whole value, as XML Schema's are. */
function patternOf({ where, value }: CodeFilter): RegExp {
  if (value.length > MAX_PATTERN) throw new Error(`${where}.value is longer than ${MAX_PATTERN} characters`);
  try {
    return new RegExp(`^(?:${value})$`, 'u');
  } catch {
    throw new Error(`${where}.value is no regular expression`);
  }
}
