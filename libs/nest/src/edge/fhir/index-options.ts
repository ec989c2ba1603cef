import { ianaZone, UTC, type IndexOptions } from '@portolan/domain';
import type { EdgeParts } from '../edge.parts.js';

/** How this node reads dates without offset and its own addresses: the same in the index and in every search. */
export function indexOptions({ pack, fhirBase }: Pick<EdgeParts, 'pack' | 'fhirBase'>): IndexOptions {
  return { zone: pack.zone === undefined ? UTC : ianaZone(pack.zone.name), base: fhirBase };
}
