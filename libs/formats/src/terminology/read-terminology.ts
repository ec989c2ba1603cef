import type { MapMistake, ValueSets } from '../engine/index.js';
import type { KnownSystems } from '../engine/known-codes.js';
import { CodeSystem } from './code-system.js';
import { freeSnomedSet, hl7Release, hl7Systems } from './shipped.js';
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
  /** The country's own that are whole, and those of HL7 that ship. */
  readonly known: KnownSystems;
  readonly knownText: unknown;
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
  const own = mapOf(once(wholes, '(code system)', mistakes));
  const sources = new Map([[freeSnomedSet.url, freeSnomedSet], ...mapOf(byUrl)]);
  const resolved = resolveValueSets(
    { sets: sources, systems: new Map([...hl7Systems, ...byUri(files.imported), ...own]) },
    (url, what) => void mistakes.push({ file: byUrl.get(url)?.file ?? url, rule: '(value set)', what }),
  );
  const complete = [...own].filter(([, { content }]) => content === 'complete');
  return {
    valueSets: withVersions(resolved, sources),
    systems: [...systems.map(({ what }) => what), ...files.imported],
    known: new Map([...hl7Systems, ...complete]),
    knownText: [hl7Release, ...complete.map(([url, { concepts }]) => [url, [...concepts.keys()]])],
  };
}

/** Of one system a whole counts before a part. */
function byUri(systems: readonly CodeSystem[]): [string, CodeSystem][] {
  const parts = systems.filter(({ content }) => content !== 'complete');
  return [...parts, ...systems.filter(({ content }) => content === 'complete')].map((one) => [one.url, one]);
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

function withVersions(resolved: ValueSets, sources: ReadonlyMap<string, ValueSetSource>): ValueSets {
  const versioned = [...resolved].flatMap(([url, members]): [string, typeof members][] => {
    const version = sources.get(url)?.version;
    return version === undefined ? [] : [[`${url}|${version}`, members]];
  });
  return new Map([...resolved, ...versioned]);
}
