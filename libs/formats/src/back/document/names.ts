import { cdaCodeMaps } from '../../cda/code-maps/index.js';
import type { CountryPack } from '../../country-pack.js';
import type { ConceptMap } from '../../engine/index.js';

/** What the writer of a document must know of codes and names: the ways of the way in, backwards. */
export interface DocumentNames {
  /** A code of the document for a FHIR code, by a concept map of the way in. */
  readonly codeFor: (map: string, code: string) => string | undefined;
  /** The object identifier of a code system: the reading country's, else the well-known one, else that of a `urn:oid:`. */
  readonly systemOid: (uri: string) => string | undefined;
  /** What people call the code system. */
  readonly systemName: (oid: string) => string | undefined;
  /** The object identifier or UUID by which the reading country names who assigns identifiers. */
  readonly authorityRoot: (uri: string) => string | undefined;
}

const OID = /^[0-2](\.(0|[1-9]\d*))+$/;

/** Names that HL7's OID registry gives the code systems which readers look at by eye. */
const systemNames: Readonly<Record<string, string>> = {
  '2.16.840.1.113883.6.1': 'LOINC',
  '2.16.840.1.113883.6.96': 'SNOMED CT',
  '2.16.840.1.113883.6.73': 'ATC',
  '2.16.840.1.113883.6.3': 'ICD-10',
  '0.4.0.127.0.16.1.1.2.1': 'EDQM',
};

/** HL7 v2 tables: 0203 is 2.16.840.1.113883.12.203 (HL7 OID registry, arc 12). */
const tableOf = (uri: string): string | undefined => {
  const number = /^http:\/\/terminology\.hl7\.org\/CodeSystem\/v2-(\d{4})$/.exec(uri)?.[1];
  return number === undefined ? undefined : `2.16.840.1.113883.12.${Number(number)}`;
};

/** The names of the country that reads the document. */
export function documentNames(pack: CountryPack): DocumentNames {
  const maps: ReadonlyMap<string, ConceptMap> = pack.sets.get('cda')?.conceptMaps ?? new Map<string, ConceptMap>();
  const backwards = reversedMaps(maps);
  const own = swapped(pack.codingSystems, OID);
  const authorities = swapped(pack.assigningAuthorities, OID);
  return {
    codeFor: (map, code) => backwards.get(map)?.get(code),
    systemOid: (uri) => own.get(uri) ?? backwards.get('cda-code-systems')?.get(uri) ?? oidOf(uri) ?? tableOf(uri),
    systemName: (oid) => systemNames[oid],
    authorityRoot: (uri) => authorities.get(uri),
  };
}

function oidOf(uri: string): string | undefined {
  const oid = uri.replace(/^urn:oid:/, '');
  return oid !== uri && OID.test(oid) ? oid : undefined;
}

function swapped(names: ReadonlyMap<string, string>, form: RegExp): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, uri] of names) if (form.test(name) && !found.has(uri)) found.set(uri, name);
  return found;
}

/** Map → FHIR code → code of the document; one that says the same goes before one that says more or less. */
function reversedMaps(maps: ReadonlyMap<string, ConceptMap>): Map<string, Map<string, string>> {
  const found = new Map<string, Map<string, string>>();
  for (const json of Object.values(cdaCodeMaps)) {
    const { id, group } = json as { id: string; group: { element: { code: string }[] }[] };
    const [exact, near] = [new Map<string, string>(), new Map<string, string>()];
    for (const { code } of group.flatMap(({ element }) => element)) {
      const made = maps.get(id)?.translate(undefined, code);
      if (made === undefined) continue;
      const list = made.equivalence === 'equal' || made.equivalence === 'equivalent' ? exact : near;
      if (!list.has(made.code)) list.set(made.code, code);
    }
    found.set(id, new Map([...near, ...exact]));
  }
  return found;
}
