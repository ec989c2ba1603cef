import type { Instant, NoticeItem } from '@portolan/contracts';
import { searchInMemory, searchValues, type IndexOptions, type SearchPage, type SearchQuery, type SearchValue } from '../fhir/index.js';
import { treeOf, withTags } from '../fhir/shown-resource.js';
import type { View, ViewResource } from '../store/edge-tx.port.js';

/** Who wants to read a foreign record, and why. */
export interface ViewReader {
  /** National id of the professional, `system|value`. */
  readonly professional: string;
  readonly purposes: readonly string[];
  /** The case that the call is about, where it names one. */
  readonly caseId: string | undefined;
}

/** Whether a view serves this reader: it is bound to professional, purpose and case, and open until its end (design, invariant 9). */
export function mayRead(view: View, reader: ViewReader, now: Instant): boolean {
  const bound = view.openedFor === reader.professional && reader.purposes.includes(view.purpose);
  const sameCase = reader.caseId === undefined || reader.caseId === view.caseId;
  return bound && sameCase && view.state !== 'destroyed' && now < view.until;
}

/** An open view with what it shows. */
export interface OpenView {
  readonly view: View;
  /** When it was asked for. */
  readonly askedAt: Instant;
  readonly resources: readonly ViewResource[];
}

/** One resource of a foreign record with the view that shows it. */
export interface ViewItem extends ViewResource {
  readonly view: View;
}

export const newestFirst = (a: OpenView, b: OpenView): number => (a.askedAt === b.askedAt ? 0 : a.askedAt < b.askedAt ? 1 : -1);

/** What several views of one person show together: each resource once, as the newest view has it. */
export function viewItems(views: readonly OpenView[]): readonly ViewItem[] {
  const items = new Map<string, ViewItem>();
  for (const { view, resources } of [...views].sort(newestFirst)) {
    for (const resource of resources) {
      const key = `${resource.type}/${resource.id}`;
      if (!items.has(key)) items.set(key, { ...resource, view });
    }
  }
  return [...items.values()];
}

/** The newest of the views whose Bundle is a document: the patient summary. */
export function newestDocument(views: readonly OpenView[]): ViewItem | undefined {
  const documents = [...views].sort(newestFirst).flatMap(({ view, resources }) => {
    const bundle = resources.find(({ type, id }) => type === 'Bundle' && id === view.id);
    return bundle !== undefined && treeOf(bundle.text)['type'] === 'document' ? [{ ...bundle, view }] : [];
  });
  return documents[0];
}

/** The item's text for a client: tagged as a view, and as amended where its custodian changed the record since. */
export const shownText = ({ text, view }: ViewItem): string => withTags(text, view.state === 'amended' ? ['view', 'amended'] : ['view']);

export interface SearchableItem extends ViewItem {
  readonly values: readonly SearchValue[];
}

/** Searches among the items of a foreign record, in memory: it never enters the node's search index. */
export function searchViews(query: SearchQuery, items: readonly ViewItem[], options: IndexOptions): SearchPage<SearchableItem> {
  const ofType = items.filter(({ type }) => type === query.type);
  return searchInMemory(
    query,
    ofType.map((item) => ({ ...item, text: shownText(item), values: searchValues(treeOf(shownText(item)), options) })),
  );
}

const OURS: ReadonlySet<string> = new Set(['Bundle', 'Patient', 'Provenance']);
const MAX_NOTICE_ITEMS = 500;

/** What the custodian is told of: its own entries under the ids that it gave them, not what this node made around them. */
export function noticeItems(items: readonly { readonly type: string; readonly id: string }[], change: NoticeItem['change']): NoticeItem[] {
  return items
    .filter(({ type }) => !OURS.has(type))
    .slice(0, MAX_NOTICE_ITEMS)
    .map(({ type, id }) => ({ type, id, change }));
}
