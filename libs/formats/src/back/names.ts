import type { CountryPack } from '../country-pack.js';
import type { ConceptMap } from '../engine/index.js';
import { isSame } from '../engine/equivalence.js';
import { hl7v2CodeMaps } from '../hl7v2/code-maps/index.js';

/** What the writer must know of codes and names: the ways of the way in, backwards. */
export interface Names {
  /** A code of the message for a FHIR code, by a concept map of the way in; undefined where none leads to it. */
  readonly codeFor: (map: string, code: string) => string | undefined;
  /** The name of a coding system in the message (HL7 table 0396, or the country's own). */
  readonly systemName: (uri: string) => string | undefined;
  /** The country's name of who assigns identifiers. */
  readonly authorityName: (uri: string) => string | undefined;
  /** The coding of an HL7 table of which one of the concept maps makes this one, and says the same. */
  readonly originalOf: (made: Coding, maps: readonly string[]) => Coding | undefined;
  /** Whether `made` is what one of the concept maps makes of `original`. */
  readonly isCounterpart: (made: Coding, original: Coding, maps: readonly string[]) => boolean;
}

export interface Coding {
  readonly system?: string | undefined;
  readonly code?: string | undefined;
}

/** The names of the country that reads the message. */
export function namesOf(pack: CountryPack): Names {
  const maps: ReadonlyMap<string, ConceptMap> = pack.sets.get('hl7v2')?.conceptMaps ?? new Map<string, ConceptMap>();
  const backwards = new Map([...sourceCodes()].map(([id, { codes }]) => [id, reversed(codes, maps.get(id))]));
  const tables = new Map([...sourceCodes()].map(([id, { table }]) => [id, table]));
  const own = swapped(pack.codingSystems);
  const authorities = swapped(pack.assigningAuthorities);
  return {
    codeFor: (map, code) => backwards.get(map)?.get(code),
    systemName: (uri) => own.get(uri) ?? backwards.get('coding-systems')?.get(uri) ?? tableName(uri),
    authorityName: (uri) => authorities.get(uri),
    originalOf: (made, ids) =>
      ids.map((id) => originalOf(made, maps.get(id), backwards.get(id), tables.get(id))).find((one) => one !== undefined),
    isCounterpart: (made, { system, code }, ids) =>
      system !== undefined &&
      code !== undefined &&
      ids.some((id) => {
        const found = maps.get(id)?.translate(system, code);
        return found !== undefined && found.code === made.code && found.system === made.system;
      }),
  };
}

/** The codes that each concept map of HL7 v2 reads, in their order: what stands first is preferred on the way back; and of which table they are. */
function sourceCodes(): Map<string, { readonly codes: readonly string[]; readonly table: string | undefined }> {
  const found = Object.values(hl7v2CodeMaps).map((json) => {
    const { id, group } = json as { id: string; group: { source?: string; element: { code: string }[] }[] };
    return [id, { codes: group.flatMap(({ element }) => element.map(({ code }) => code)), table: group[0]?.source }] as const;
  });
  return new Map(found);
}

/** Target code → source code; one that says the same goes before one that says more or less. */
function reversed(codes: readonly string[], map: ConceptMap | undefined): Map<string, string> {
  const exact = new Map<string, string>();
  const near = new Map<string, string>();
  for (const code of codes) {
    const found = map?.translate(undefined, code);
    if (found === undefined) continue;
    const list = isSame(found.equivalence) ? exact : near;
    if (!list.has(found.code)) list.set(found.code, code);
  }
  return new Map([...near, ...exact]);
}

function originalOf(
  { system, code = '' }: Coding,
  map: ConceptMap | undefined,
  backwards: ReadonlyMap<string, string> | undefined,
  table: string | undefined,
): Coding | undefined {
  const original = backwards?.get(code);
  const found = original === undefined ? undefined : map?.translate(undefined, original);
  return found?.system === system && found?.code === code && isSame(found.equivalence) ? { system: table, code: original } : undefined;
}

function swapped(names: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, uri] of names) if (!found.has(uri)) found.set(uri, name);
  return found;
}

function tableName(uri: string): string | undefined {
  const number = /^http:\/\/terminology\.hl7\.org\/CodeSystem\/v2-(\d{4})$/.exec(uri)?.[1];
  return number === undefined ? undefined : `HL7${number}`;
}
