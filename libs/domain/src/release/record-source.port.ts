import type { CountryCode, DataCategory, Instant } from '@portolan/contracts';
import type { PersonId } from '../kernel/ids.js';

/** One current version of a FHIR R4 resource as its custodian holds it. */
export interface StoredResource {
  readonly type: string;
  readonly id: string;
  readonly versionId: string;
  readonly lastUpdated: Instant;
  /** Exact JSON text; decimals keep their digits. */
  readonly text: string;
  /** What `categoriesOf` said when it was stored; a release judges for itself. */
  readonly categories: readonly DataCategory[];
  /** The country that keeps it. */
  readonly custodian: CountryCode;
}

/**
 * Where a country's records come from at release: its own store, or a hospital's FHIR service at the time of asking
 * (`store` or `fetch`; design, section 4).
 */
export abstract class RecordSource {
  /**
   * All of this person's resources that may belong to the categories, every Patient resource that is this person, and the
   * supporting resources (`isSupporting`) that they refer to. It may give too much: `release` keeps only what is covered.
   * `since` and `until` are a hint for sources that can narrow by clinical date.
   */
  abstract gather(
    person: PersonId,
    categories: readonly DataCategory[],
    since?: string,
    until?: string,
  ): Promise<readonly StoredResource[]>;
}
