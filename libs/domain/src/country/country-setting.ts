import type { BusinessIdentifier, CountryCode, Policy } from '@portolan/contracts';
import type { SummaryWording } from '../release/wording.js';

/** What a country's node knows of its own country: from libs/countries/<cc>, read and checked at boot. */
export interface CountrySetting {
  readonly code: CountryCode;
  readonly name: string;
  /** BCP 47 tag of the language that its records are written in. */
  readonly language: string;
  readonly policy: Policy;
  /** Traits beside an identifier that a request must bear before anybody is looked up. */
  readonly demandedTraits: readonly ('birthDate' | 'family' | 'given')[];
  /** The organisation that stands as custodian in documents and audit events. */
  readonly custodian: { readonly name: string; readonly identifier: BusinessIdentifier };
  /** The words of generated documents, in the country's language. */
  readonly wording: SummaryWording;
}
