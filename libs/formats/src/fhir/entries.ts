import { PortolanError, type ErrorCode } from '@portolan/contracts';
import { isFhirObject, SourceNode, type FhirObject, type FhirValue } from '../engine/index.js';
import { memberPath, nodesAt, nodesOf, type Json } from './json-tree.js';

/** Entries of one Bundle that are read. */
export const MAX_ENTRIES = 5_000;

/** One resource of a document. */
export interface Entry {
  readonly node: SourceNode;
  readonly resource: FhirObject;
  readonly type: string;
  /** Its address, without a version: `https://…/Patient/1`, `urn:uuid:…`. */
  readonly fullUrl: string | undefined;
  /** Why its request asks for something else than to take it over. */
  readonly problem: ErrorCode | undefined;
}

/** A document taken apart: its tree, and the resources in it. */
export interface TakenApart {
  readonly root: SourceNode;
  readonly document: FhirObject;
  readonly entries: readonly Entry[];
  /** The Bundle's type; undefined for one resource alone. */
  readonly bundle: string | undefined;
}

/** Kinds of Bundle whose entries say what is. The others answer to something (`*-response`) or tell what was (`history`). */
export const READ_BUNDLES: ReadonlySet<string> = new Set(['document', 'collection', 'transaction', 'batch', 'searchset', 'message']);

/** Takes a Bundle, or one resource, apart. Throws `ingest.too-large` where there are too many entries. */
export function takeApart(document: FhirObject): TakenApart {
  const { resourceType } = document;
  if (resourceType !== 'Bundle') {
    const entry = entryOf({ resource: document }, '');
    const root = SourceNode.branch('document', 'document', entry === undefined ? [] : [entry.node]);
    return { root, document, entries: entry === undefined ? [] : [entry], bundle: undefined };
  }
  const { entry: list = [], type } = document;
  const entries: Entry[] = [];
  if (Array.isArray(list) && list.length > MAX_ENTRIES)
    throw new PortolanError('ingest.too-large', 'Bundle.entry', `more than ${MAX_ENTRIES} entries`);
  const children = Object.entries(document).flatMap(([name, value]) =>
    name === 'entry' && Array.isArray(value)
      ? value.flatMap((one, i) => entryNodes(one, `Bundle.entry[${i}]`, entries))
      : nodesAt(name, memberPath('Bundle', name), value),
  );
  return { root: SourceNode.branch('Bundle', 'Bundle', children), document, entries, bundle: typeof type === 'string' ? type : '' };
}

function entryNodes(value: Json, path: string, entries: Entry[]): SourceNode[] {
  if (value === null || !isFhirObject(value)) return nodesAt('entry', path, value);
  const entry = entryOf(value, `${path}.resource`);
  if (entry !== undefined) entries.push(entry);
  const children = Object.entries(value).flatMap(([name, one]) =>
    name === 'resource' && entry !== undefined ? [entry.node] : nodesAt(name, memberPath(path, name), one),
  );
  return [SourceNode.branch('entry', path, children)];
}

/** The resource of an entry; undefined where it has none that names its type. */
function entryOf(entry: FhirObject, place: string): Entry | undefined {
  const { resource, fullUrl } = entry;
  if (!isFhirObject(resource)) return undefined;
  const type = resource['resourceType'];
  if (typeof type !== 'string' || !/^[A-Z][A-Za-z]{1,60}$/.test(type)) return undefined;
  const path = place === '' ? type : place;
  return {
    node: SourceNode.branch(type, path, nodesOf(resource, path)),
    resource,
    type,
    fullUrl: typeof fullUrl === 'string' && fullUrl !== '' ? unversioned(fullUrl) : undefined,
    problem: asksMore(entry) ? 'translate.resource-unread' : undefined,
  };
}

/** A request to delete or to change in part is none to file what it bears; an outcome of a search is nobody's record. */
function asksMore({ request, search }: FhirObject): boolean {
  const method = isFhirObject(request) ? request['method'] : undefined;
  const mode = isFhirObject(search) ? search['mode'] : undefined;
  return (method !== undefined && method !== 'POST' && method !== 'PUT') || mode === 'outcome';
}

export const unversioned = (reference: string): string => reference.replace(/\/_history\/[^/]*$/, '');

export const textOf = (value: FhirValue | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

export const objectsOf = (value: FhirValue | undefined): FhirObject[] =>
  Array.isArray(value) ? value.filter(isFhirObject) : isFhirObject(value) ? [value] : [];
