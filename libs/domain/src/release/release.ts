import { PortolanError, type DataCategory, type Instant, type SummaryWording } from '@portolan/contracts';
import type { Sha256Hex } from '@portolan/formats';
import type { Custodian } from './bundle.js';
import { minimise, type Minimised } from './minimise.js';
import type { FetchedFrom, StoredResource } from './record-source.port.js';
import { readResource, writeResource, type Resource } from './resource.js';
import { assembleResults } from './results.js';
import { narrow, type OpeningScope, type Scope } from './scope.js';
import { assembleSummary } from './summary.js';

/** Everything that a release depends on. */
export interface ReleasePlan {
  /** What the permit's opening covers, and the identifiers that the asker sent. */
  readonly permit: OpeningScope;
  /** What the request asks for; the release covers what both say. */
  readonly asked: Scope;
  /** What the record source gathered of one person. */
  readonly gathered: readonly StoredResource[];
  readonly custodian: Custodian;
  /** In the source's language. */
  readonly wording: SummaryWording;
  readonly timestamp: Instant;
  readonly sha256: Sha256Hex;
}

/** One source version that crossed, and the id under which the receiver sees it. */
export interface ManifestEntry {
  readonly type: string;
  readonly id: string;
  readonly versionId: string;
  readonly releasedAs: string;
  /** Where it was fetched from, if it was not in the node's own store. */
  readonly fetched?: FetchedFrom;
}

export interface Release {
  readonly contentType: 'application/fhir+json';
  /** Exact JSON text of the Bundle: this is what is signed. */
  readonly text: string;
  /** For the custodian's own log; not sent. */
  readonly manifest: readonly ManifestEntry[];
}

/**
 * The one door through which a record leaves (step 6): narrows the request to the permit, minimises, assembles, then makes the
 * narrative. A summary (IPS document) where `summary` is covered, else a collection. Undefined where nothing is covered: the
 * one negative answer follows. Throws `release.resource-unreadable` where a stored text is no FHIR resource.
 */
export function release(plan: ReleasePlan): Release | undefined {
  const scope = narrow(plan.permit, plan.asked);
  const stored = plan.gathered.filter((s) => s.custodian === plan.custodian.country);
  const content = minimise(stored.map(resourceOf), scope, plan.permit.identifiers);
  if (content === undefined || !holdsSomething(content)) return undefined;
  const assembly = { content, custodian: plan.custodian, wording: plan.wording, timestamp: plan.timestamp, sha256: plan.sha256 };
  const { bundle, entries } = includesSummary(scope.categories) ? assembleSummary(assembly) : assembleResults(assembly);
  const released = new Map(entries.map((e) => [e.source, e.fullUrl.slice('urn:uuid:'.length)]));
  const manifest = stored.flatMap(({ type, id, versionId, fetched }): ManifestEntry[] => {
    const releasedAs = released.get(`${type}/${id}`);
    return releasedAs === undefined ? [] : [{ type, id, versionId, releasedAs, ...(fetched === undefined ? {} : { fetched }) }];
  });
  return { contentType: 'application/fhir+json', text: writeResource(bundle), manifest };
}

const includesSummary = (categories: readonly DataCategory[]): boolean => categories.includes('summary');
const holdsSomething = (content: Minimised): boolean => content.resources.length > 0;

function resourceOf(stored: StoredResource): Resource {
  const where = `${stored.type}/${stored.id}/_history/${stored.versionId}`;
  const parsed = parsedOf(stored.text, where);
  if (parsed.resourceType === stored.type && parsed['id'] === stored.id) return parsed;
  throw new PortolanError('release.resource-unreadable', where, 'type or id differ from what is stored');
}

function parsedOf(text: string, where: string): Resource {
  try {
    return readResource(text, where);
  } catch (cause) {
    throw new PortolanError('release.resource-unreadable', where, undefined, { cause });
  }
}
