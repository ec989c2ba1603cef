import type { MapMistake, ValueSets } from '../engine/index.js';
import { CodeSystem } from './code-system.js';
import { readValueSet, resolveValueSets, type ValueSetSource } from './value-set.js';

/** A country's ValueSets and CodeSystems as parsed JSON, by file. */
export interface TerminologyFiles {
  readonly sets: Readonly<Record<string, unknown>>;
  readonly systems: Readonly<Record<string, unknown>>;
  /** Code systems that the country's node imported. */
  readonly imported: readonly CodeSystem[];
}

export interface ReadTerminology {
  readonly valueSets: ValueSets;
  readonly systems: readonly CodeSystem[];
}

interface FromFile<T> {
  readonly file: string;
  readonly what: T;
}

/** Reads a country's value sets and code systems. Mistakes are added to `mistakes`, with file and place; what has one is left out. */
export function readTerminology(files: TerminologyFiles, mistakes: MapMistake[]): ReadTerminology {
  const systems = readAll(files.systems, '(code system)', (json) => CodeSystem.read(json), mistakes);
  const sets = readAll(files.sets, '(value set)', readValueSet, mistakes);
  const wholes = systems.filter(({ what }) => what.content !== 'supplement');
  const byUrl = once(sets, '(value set)', mistakes);
  const resolved = resolveValueSets(
    {
      sets: new Map([...byUrl].map(([url, { what }]) => [url, what])),
      systems: new Map([...files.imported.map((one) => [one.url, one] as const), ...mapOf(once(wholes, '(code system)', mistakes))]),
    },
    (url, what) => void mistakes.push({ file: byUrl.get(url)?.file ?? url, rule: '(value set)', what }),
  );
  return { valueSets: withVersions(resolved, byUrl), systems: [...systems.map(({ what }) => what), ...files.imported] };
}

const mapOf = <T>(all: ReadonlyMap<string, FromFile<T>>): Map<string, T> => new Map([...all].map(([url, { what }]) => [url, what]));

function readAll<T>(
  files: Readonly<Record<string, unknown>>,
  rule: string,
  read: (json: unknown) => T,
  mistakes: MapMistake[],
): FromFile<T>[] {
  return Object.entries(files).flatMap(([file, json]) => {
    try {
      return [{ file, what: read(json) }];
    } catch (error) {
      mistakes.push({ file, rule, what: error instanceof Error ? error.message : 'is wrong' });
      return [];
    }
  });
}

function once<T extends { readonly url: string }>(
  all: readonly FromFile<T>[],
  rule: string,
  mistakes: MapMistake[],
): Map<string, FromFile<T>> {
  const byUrl = new Map<string, FromFile<T>>();
  for (const one of all) {
    const first = byUrl.get(one.what.url);
    if (first === undefined) byUrl.set(one.what.url, one);
    else mistakes.push({ file: one.file, rule, what: `url: ${one.what.url} stands in ${first.file} too` });
  }
  return byUrl;
}

function withVersions(resolved: ValueSets, sources: ReadonlyMap<string, FromFile<ValueSetSource>>): ValueSets {
  const versioned = [...resolved].flatMap(([url, members]): [string, typeof members][] => {
    const version = sources.get(url)?.what.version;
    return version === undefined ? [] : [[`${url}|${version}`, members]];
  });
  return new Map([...resolved, ...versioned]);
}
