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
  /** Where it was fetched from, if it was not in the node's own store. */
  readonly fetched?: FetchedFrom;
}

/** The account of what a service was asked for at the time of a release. */
export interface FetchedFrom {
  /** The source's name in the node's configuration. */
  readonly source: string;
  readonly time: Instant;
  /** SHA-256 (hexadecimal) of the exact bytes of the answer that it came in. */
  readonly answer: string;
}

/** Whose records are wanted, and which. */
export interface RecordsWanted {
  readonly person: PersonId;
  readonly categories: readonly DataCategory[];
  /** Clinical dates, a hint for sources that can narrow. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /**
   * Epoch milliseconds at which an answer is of no use any more. A source that has not answered by then counts as holding nothing:
   * the one negative answer leaves at its fixed time, however slow a source is (design, invariant 8).
   */
  readonly by?: number;
  /** Told the registry code of a source that failed or was late while there is a deadline; without one the failure is thrown. */
  readonly unheard?: (code: string) => void;
}

/**
 * Where a country's records come from at release: its own store, or a hospital's FHIR service at the time of asking
 * (`store` or `fetch`; design, section 4).
 */
export abstract class RecordSource {
  /**
   * All of this person's resources that may belong to the categories, every Patient resource that is this person, and the
   * supporting resources (`isSupporting`) that they refer to. It may give too much: `release` keeps only what is covered.
   */
  abstract gather(wanted: RecordsWanted): Promise<readonly StoredResource[]>;
}
