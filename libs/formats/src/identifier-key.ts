import type { FhirValue } from './engine/index.js';

/** What tells one Identifier from another: system and value, neither of which can run into the other. */
export const identifierKey = ({ system = '', value = '' }: { readonly system?: FhirValue; readonly value?: FhirValue }): string =>
  JSON.stringify([system, value]);
