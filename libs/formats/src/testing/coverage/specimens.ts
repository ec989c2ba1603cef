import { countryPack, type CountryPack } from '../../country-pack.js';
import type { Draft } from '../../engine/drafts.js';
import type { MapSet, Sha256Hex } from '../../engine/index.js';
import { run, type RunResult } from '../../engine/run.js';
import { hl7v2 } from '../../hl7v2/index.js';
import type { Specimen } from './coverage.js';

const MAX_BYTES = 1_048_576;

/** An HL7 v2 message to be translated again and again; read once. */
export function specimenOf(
  name: string,
  bytes: Uint8Array,
  country: CountryPack,
  sha256: Sha256Hex,
): Specimen & { readonly translated: (set: MapSet) => RunResult } {
  const { root, header } = hl7v2.read(bytes, { maxBytes: MAX_BYTES });
  const identity = { sha256, country: country.country, organisation: header.sender.organisation, documentId: header.id };
  const translated = (set: MapSet): RunResult =>
    run(root, set, identity, {
      conceptMaps: set.conceptMaps,
      codingSystems: country.codingSystems,
      assigningAuthorities: country.assigningAuthorities,
      documentOffset: header.offset,
      assumedZone: undefined,
    });
  return { name, root, translated, drafts: (set: MapSet): readonly Draft[] => translated(set).drafts };
}

/** A country that adds nothing to the standard's rules. */
export function countryOfTables(): CountryPack {
  return countryPack({
    'country.json': {
      country: 'ZZ',
      name: 'Made up',
      illustrative: true,
      languages: ['en'],
      personIdentifiers: [{ system: 'urn:oid:2.999.1', name: 'Made up', example: '99' }],
      search: { identifierSystems: ['urn:oid:2.999.1'], traits: ['birthDate'] },
      formats: ['hl7v2'],
    },
  });
}
