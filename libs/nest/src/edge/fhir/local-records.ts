import { PortolanError } from '@portolan/contracts';
import {
  historyBundle,
  includedBy,
  searchset,
  searchValues,
  treeOf,
  withVersion,
  type EdgeTx,
  type IndexOptions,
  type PersonId,
  type ResourceVersion,
  type SearchQuery,
} from '@portolan/domain';
import type { EdgeParts } from '../edge.parts.js';
import { Accesses } from './accesses.js';
import { ok, type FhirAnswer } from './fhir-call.js';
import { mayAct, needOf, type FhirCaller } from './fhir-caller.js';
import { ignoredNote } from './search-note.js';

const MAX_HISTORY = 200;
/** A count without matches names nobody, so each one counted must be told: no more than a page. */
const MAX_COUNTED = 200;

export const etagOf = (versionId: number | string): string => `W/"${versionId}"`;

/** The node's own records. Every call here writes who read what, and why, before it answers. */
export class LocalRecords {
  constructor(
    private readonly parts: EdgeParts,
    private readonly options: IndexOptions,
  ) {}

  /** One version, or 304 where the client has it already; undefined where there is no such resource here. */
  async read(tx: EdgeTx, type: string, id: string, caller: FhirCaller, ifNoneMatch?: string): Promise<FhirAnswer | undefined> {
    const found = await tx.resources.get(type, id);
    return found === undefined ? undefined : this.shown(tx, found, caller, ifNoneMatch);
  }

  async version(tx: EdgeTx, type: string, id: string, versionId: number, caller: FhirCaller): Promise<FhirAnswer | undefined> {
    const found = await tx.resources.version(type, id, versionId);
    return found === undefined ? undefined : this.shown(tx, found, caller);
  }

  async history(tx: EdgeTx, type: string, id: string, caller: FhirCaller): Promise<FhirAnswer | undefined> {
    const versions = await tx.resources.history(type, id, MAX_HISTORY);
    const [newest] = versions;
    if (newest === undefined) return undefined;
    await this.recordRead(tx, newest, caller);
    return ok(
      historyBundle(
        this.parts.fhirBase,
        type,
        id,
        versions.map((one) => ({ ...one, text: one.deleted ? undefined : versioned(one) })),
      ),
    );
  }

  /** `named`: persons whom the search names by their Patient; their record counts as searched whatever is found. */
  async search(tx: EdgeTx, query: SearchQuery, caller: FhirCaller, named: readonly PersonId[]): Promise<FhirAnswer> {
    const counting = query.count === 0;
    const page = await tx.resources.search(counting ? { ...query, count: MAX_COUNTED, total: 'accurate' } : query);
    if (counting && page.next !== undefined)
      throw new PortolanError('fhir.search-too-large', `${query.type}?_summary=count`, `more than ${MAX_COUNTED}`);
    const included = counting ? [] : await this.included(tx, query, page.resources, caller);
    const accesses = new Accesses(tx, this.parts, caller);
    for (const person of named) await accesses.person(person);
    for (const resource of [...page.resources, ...included]) await accesses.resource(resource);
    await accesses.record('record-searched');
    const matches = counting ? [] : page.resources.map(entryOf);
    const { total } = page;
    const next = counting ? undefined : page.next;
    return ok(
      searchset({ base: this.parts.fhirBase, query, matches, included: included.map(entryOf), next, total, ...ignoredNote(query) }),
    );
  }

  private async shown(tx: EdgeTx, found: ResourceVersion, caller: FhirCaller, ifNoneMatch?: string): Promise<FhirAnswer> {
    await this.recordRead(tx, found, caller);
    const { type, id, versionId, lastUpdated, deleted } = found;
    if (deleted) throw new PortolanError('fhir.deleted', `${type}/${id}`);
    const headers = { etag: etagOf(versionId), 'last-modified': new Date(lastUpdated).toUTCString() };
    return names(ifNoneMatch, versionId) ? { status: 304, headers } : ok(versioned(found), headers);
  }

  private async recordRead(tx: EdgeTx, resource: ResourceVersion, caller: FhirCaller): Promise<void> {
    const accesses = new Accesses(tx, this.parts, caller);
    await accesses.resource(resource);
    await accesses.record('record-read');
  }

  /** What `_include` asks for, as far as the token's scopes let it be read. */
  private async included(
    tx: EdgeTx,
    query: SearchQuery,
    matches: readonly ResourceVersion[],
    caller: FhirCaller,
  ): Promise<readonly ResourceVersion[]> {
    if (query.include.length === 0) return [];
    const matched = new Set(matches.map(({ type, id }) => `${type}/${id}`));
    const wanted = includedBy(
      query,
      matches.map(({ text }) => ({ values: searchValues(treeOf(text), this.options) })),
    );
    const found: ResourceVersion[] = [];
    for (const { type, id } of wanted.filter((one) => !matched.has(`${one.type}/${one.id}`) && mayAct(caller, needOf(one.type)))) {
      const resource = await tx.resources.get(type, id);
      if (resource !== undefined && !resource.deleted) found.push(resource);
    }
    return found;
  }
}

const versioned = ({ text, versionId, lastUpdated }: ResourceVersion): string => withVersion(text, versionId, lastUpdated);

const entryOf = (resource: ResourceVersion): { type: string; id: string; text: string } => ({
  type: resource.type,
  id: resource.id,
  text: versioned(resource),
});

/** RFC 9110 section 13.1.2, by weak comparison. */
function names(ifNoneMatch: string | undefined, versionId: number): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(`"${versionId}"`) || tags.includes('*');
}
