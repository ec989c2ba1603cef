import type { NoticeItem } from '@portolan/contracts';
import { PortolanError } from '@portolan/contracts';
import {
  includedBy,
  inReadersWords,
  instant,
  mayRead,
  newestDocument,
  newestFirst,
  noticeItems,
  post,
  searchset,
  searchViews,
  shownText,
  treeOf,
  viewItems,
  type EdgeTx,
  type FhirObject,
  type IndexOptions,
  type KeyId,
  type OpenView,
  type RoleMessages,
  type SearchQuery,
  type View,
  type ViewItem,
} from '@portolan/domain';
import type { EdgeParts } from '../edge.parts.js';
import { recordLocalAct } from '../local-acts.js';
import { actOf } from './accesses.js';
import { ok, type FhirAnswer } from './fhir-call.js';
import { demandPerson, mayAct, needOf, type FhirCaller } from './fhir-caller.js';
import { readersWords } from './readers-words.js';
import { ignoredNote } from './search-note.js';

/** A view that may be read, with the key of its transfer: what is recorded of a reading outlives the view itself. */
export interface ReadableView extends OpenView {
  readonly keyId: KeyId;
}

type Notice = Pick<RoleMessages['view.notice'], 'kind' | 'items' | 'reason' | 'proposal'>;

/** Foreign records: shown, not owned. Every reading is recorded here and told to the custodian, whose person sees it. */
export class ForeignViews {
  constructor(
    private readonly parts: EdgeParts,
    private readonly options: IndexOptions,
  ) {}

  /** The views of a person abroad that this caller may read, newest first. */
  async ofHandle(tx: EdgeTx, handle: string, caller: FhirCaller): Promise<readonly ReadableView[]> {
    return this.readable(tx, await tx.views.byPatient(handle), caller);
  }

  /** The views that show one resource to this caller, newest first. */
  async showing(tx: EdgeTx, type: string, id: string, caller: FhirCaller): Promise<readonly ReadableView[]> {
    return this.readable(tx, await tx.views.showing(type, id), caller);
  }

  async read(tx: EdgeTx, type: string, id: string, caller: FhirCaller): Promise<FhirAnswer | undefined> {
    const views = await this.showing(tx, type, id, caller);
    const item = viewItems(views).find((one) => one.type === type && one.id === id);
    return item === undefined ? undefined : this.show(tx, views, item, caller);
  }

  /** The newest patient summary of a person abroad. */
  async summary(tx: EdgeTx, handle: string, caller: FhirCaller): Promise<FhirAnswer | undefined> {
    const views = await this.ofHandle(tx, handle, caller);
    const item = newestDocument(views);
    return item === undefined ? undefined : this.show(tx, views, item, caller);
  }

  async search(tx: EdgeTx, query: SearchQuery, views: readonly ReadableView[], caller: FhirCaller): Promise<FhirAnswer> {
    const items = viewItems(views);
    const { matches, next, total } = searchViews(query, items, this.options);
    const wanted = new Set(includedBy(query, matches).map(({ type, id }) => `${type}/${id}`));
    const included = items.filter((one) => wanted.has(`${one.type}/${one.id}`) && mayAct(caller, needOf(one.type)));
    const given: readonly ViewItem[] = [...matches, ...included];
    for (const view of views)
      await this.recordReading(
        tx,
        view,
        given.filter((item) => item.view.id === view.view.id),
        caller,
      );
    const worded = (text: string): string => inReadersWords(text, readersWords(this.parts));
    const found = matches.map((item) => ({ ...item, text: worded(item.text) }));
    const shown = included.map((item) => ({ ...item, text: worded(shownText(item)) }));
    return ok(searchset({ base: this.parts.fhirBase, query, matches: found, included: shown, next, total, ...ignoredNote(query) }));
  }

  /** Tells the custodian through the exchange what was done with its record. */
  async notify(tx: EdgeTx, { view, keyId }: ReadableView, notice: Notice, { acting }: FhirCaller): Promise<void> {
    const { transferId, permitId } = view;
    const body = { transferId, permitId, actor: acting.actor, ...notice };
    await post(tx, { id: this.parts.random.uuid(), type: 'view.notice', key: transferId, keyId, body });
  }

  private async readable(tx: EdgeTx, views: readonly View[], caller: FhirCaller): Promise<readonly ReadableView[]> {
    const now = instant(this.parts.clock.now());
    const open: ReadableView[] = [];
    for (const view of views.filter((one) => mayRead(one, caller.reader, now))) {
      const transfer = await tx.transfers.get(view.transferId);
      if (transfer === undefined) continue;
      await this.demandPersonOf(tx, view, caller);
      open.push({ view, askedAt: transfer.createdAt, keyId: transfer.keyId, resources: await tx.views.resources(view.id) });
    }
    return open.sort(newestFirst);
  }

  private async demandPersonOf(tx: EdgeTx, view: View, caller: FhirCaller): Promise<void> {
    const link = await tx.links.get(view.patientHandle);
    if (link !== undefined) demandPerson(caller, link.traits.identifiers);
  }

  private async show(tx: EdgeTx, views: readonly ReadableView[], item: ViewItem, caller: FhirCaller): Promise<FhirAnswer> {
    const from = views.find(({ view }) => view.id === item.view.id);
    if (from === undefined) throw new PortolanError('fhir.not-found', `${item.type} resource`);
    // A document shows all that it holds.
    await this.recordReading(tx, from, item.type === 'Bundle' ? from.resources : [item], caller);
    const find = (reference: string): FhirObject | undefined => {
      const one = from.resources.find(({ type, id }) => `${type}/${id}` === reference);
      return one === undefined ? undefined : treeOf(one.text);
    };
    return ok(inReadersWords(shownText(item), readersWords(this.parts), find));
  }

  private async recordReading(
    tx: EdgeTx,
    readable: ReadableView,
    read: readonly { type: string; id: string }[],
    caller: FhirCaller,
  ): Promise<void> {
    const { view, keyId } = readable;
    const items: NoticeItem[] = noticeItems(read, 'viewed');
    const { transferId, permitId, custodian: partner } = view;
    const about = { partner, transferId, permitId, items: items.map(({ type, id }) => `${type}/${id}`) };
    await recordLocalAct(tx, this.parts.random, actOf('view-read', caller, this.parts, about), { person: undefined, keyId });
    await this.notify(tx, readable, { kind: 'accessed', items }, caller);
  }
}
