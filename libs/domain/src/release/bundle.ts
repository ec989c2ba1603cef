import { stableUuid, type Sha256Hex } from '@portolan/formats';
import type { BusinessIdentifier, CountryCode, Instant, SummaryWording } from '@portolan/contracts';
import type { Minimised } from './minimise.js';
import type { Entry } from './entries.js';
import type { JsonObject, Resource } from './resource.js';

/** The organisation that answers for the record in its country. */
export interface Custodian {
  readonly country: CountryCode;
  readonly identifier: BusinessIdentifier;
  readonly name: string;
}

/** What any assembled Bundle is made of. */
export interface Assembly {
  readonly content: Minimised;
  readonly custodian: Custodian;
  readonly wording: SummaryWording;
  /** When it was assembled. */
  readonly timestamp: Instant;
  readonly sha256: Sha256Hex;
}

export interface Assembled {
  readonly bundle: Resource;
  /** What it holds of the record, without what was made for it. */
  readonly entries: readonly Entry[];
}

export const custodianEntry = ({ custodian, sha256 }: Assembly): Entry => {
  const id = stableUuid(sha256, [custodian.country, 'custodian', custodian.identifier.system, custodian.identifier.value]);
  const { system, value } = custodian.identifier;
  return {
    source: `Organization/${id}`,
    fullUrl: `urn:uuid:${id}`,
    resource: { resourceType: 'Organization', id, identifier: [{ system, value }], name: custodian.name },
  };
};

/** A Bundle identified by what it holds and when it was made. */
export function bundleOf(type: 'document' | 'collection', entries: readonly Entry[], { custodian, timestamp, sha256 }: Assembly): Resource {
  const content = entries.map((e) => JSON.stringify(e.resource));
  const id = stableUuid(sha256, [custodian.country, type, timestamp, ...content]);
  const entry = entries.map(({ fullUrl, resource }): JsonObject => ({ fullUrl, resource }));
  return {
    resourceType: 'Bundle',
    id,
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${id}` },
    type,
    timestamp,
    entry,
  };
}
