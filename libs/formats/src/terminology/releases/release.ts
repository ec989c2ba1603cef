import { PortolanError } from '@portolan/contracts';
import type { Concept, Designation } from '../code-system.js';

/** Publishers whose releases are read. */
export const publishers = ['loinc', 'snomed', 'snomed-ips', 'atc', 'edqm', 'icd10'] as const;
export type Publisher = (typeof publishers)[number];

/** One file of a release, as text in pieces. */
export interface ReleaseFile {
  readonly name: string;
  readonly text: AsyncIterable<string>;
}

/** What the caller knows of a release and its files do not say. */
export interface ReleaseOptions {
  /** The version; needed where the files name none. */
  readonly release?: string;
  /** BCP 47 of the names, where the files do not say it. */
  readonly language?: string;
  /** URI of the code system, where it is a country's own edition. */
  readonly system?: string;
}

/** A code system as its publisher released it. */
export interface Release {
  readonly system: string;
  readonly version: string;
  /** Whether parents mean is-a. */
  readonly isHierarchy: boolean;
  /** What the licence demands to be said beside it. */
  readonly notice: string;
  readonly concepts: ReadonlyMap<string, Concept>;
  /** It is a part of the system: nothing can be said of a code that is not in it. */
  readonly isPart?: boolean;
}

/** Most codes of one system: SNOMED CT has some 370,000 that are active. */
const MAX_CONCEPTS = 1_000_000;
const MAX_DESIGNATIONS = 200;

/** Codes as they are gathered from the files of a release, bounded. */
export class Gathered {
  readonly concepts = new Map<
    string,
    { code: string; display: undefined; designations: Designation[]; parents: string[]; properties: Concept['properties'] }
  >();

  add(code: string, place: string): this {
    if (code === '' || code.length > 100 || /\s/.test(code)) throw wrong(place, 'no code');
    if (this.concepts.has(code)) return this;
    if (this.concepts.size >= MAX_CONCEPTS) throw new PortolanError('terms.release-too-large', place, `more than ${MAX_CONCEPTS} codes`);
    this.concepts.set(code, { code, display: undefined, designations: [], parents: [], properties: NOTHING });
    return this;
  }

  /** A name of a known code; of codes that are not known, as retired ones are not, nothing is kept. */
  name(code: string, language: string, value: string): void {
    const concept = this.concepts.get(code);
    const text = value.trim();
    if (concept === undefined || text === '' || concept.designations.length >= MAX_DESIGNATIONS) return;
    concept.designations.push({ language, value: text });
  }

  /** Parents that are known themselves; each once. */
  parent(code: string, parent: string): void {
    const concept = this.concepts.get(code);
    if (concept !== undefined && this.concepts.has(parent) && !concept.parents.includes(parent)) concept.parents.push(parent);
  }

  /** Throws where the files held no code at all: then they are no release. */
  done(name: string): Gathered['concepts'] {
    if (this.concepts.size === 0) throw wrong(name, 'holds no code');
    return this.concepts;
  }
}

const NOTHING: Concept['properties'] = new Map();

export const wrong = (place: string, what: string): PortolanError => new PortolanError('terms.release-invalid', place, what);

/** The version that the caller or the files name. */
export function versionOf(options: ReleaseOptions, found: string | undefined, name: string): string {
  const version = options.release ?? found;
  if (version === undefined || version === '') throw wrong(name, 'names no version: give it by --release');
  return version;
}

export const isLanguage = (text: string): boolean => /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(text);
