import type { DataCategory, Uuid } from '@portolan/contracts';
import { fromFhirJson, isFhirObject, messageProvenance, post, searchValues, type EdgeTx, type KeyId } from '@portolan/domain';
import { recordLocalAct } from '../local-acts.js';
import { itemsOf, type Filed, type Place, type Usable, type Whose } from './filed.js';
import { sendingActor, type Incoming, type IngestTools } from './incoming.js';

/** FHIR Provenance of what a message said of a person, under her key. That of whom the message is about has the message's id: by it the original is found. */
export async function fileProvenance(
  tx: EdgeTx,
  filed: readonly Filed[],
  { sender, translation }: Usable,
  place: Place,
  tools: IngestTools,
  id?: Uuid,
): Promise<void> {
  const { messageId, at, subject } = place;
  const text = messageProvenance({
    ...(id !== undefined && { id }),
    messageId,
    recorded: at,
    targets: filed.map(({ filing: { type, id }, versionId }) => `${type}/${id}/_history/${versionId}`),
    organisation: sender.organisation,
    country: tools.country.code,
    mapVersion: translation.mapVersion,
    ...(translation.format === 'fhir' && { foreign: { id: translation.message.id, authors: translation.message.authors ?? [] } }),
  });
  const resource = fromFhirJson(text);
  await tx.resources.put(
    {
      type: 'Provenance',
      id: id ?? messageId,
      lastUpdated: at,
      person: subject.id,
      keyId: subject.keyId,
      categories: [],
      messageId,
      sha256: tools.sha256(new TextEncoder().encode(text)),
      deleted: false,
      text,
    },
    isFhirObject(resource) ? searchValues(resource, tools.index) : [],
  );
}

/** What changed of her record is an event of hers. */
export async function recordFiling(
  tx: EdgeTx,
  filed: readonly Filed[],
  incoming: Incoming,
  about: { readonly subject: Pick<Whose, 'id'>; readonly keyId: KeyId },
  tools: IngestTools,
): Promise<void> {
  const changed = filed.filter((one) => one.changed).map(({ filing }) => filing);
  const categories = [...new Set(changed.flatMap((filing): readonly DataCategory[] => filing.categories))];
  const act = {
    act: 'record-ingested',
    recorded: incoming.received,
    outcome: 'success',
    actor: sendingActor(incoming),
    country: tools.country.code,
    items: itemsOf(changed),
    categories,
  } as const;
  await recordLocalAct(tx, tools.random, act, { person: about.subject.id, keyId: about.keyId });
}

/** The exchange tells each receiver of what was superseded or taken back (design, invariant 9). */
export async function tellChanges(tx: EdgeTx, filed: readonly Filed[], { messageId, subject }: Place, tools: IngestTools): Promise<void> {
  for (const { filing, versionId, changed } of filed) {
    if (!changed || versionId === 1 || !filing.personal) continue;
    const { type, id, takenBack } = filing;
    const what = takenBack
      ? ({ change: 'cancelled', reason: 'its source took it back' } as const)
      : ({ change: 'superseded', reason: 'its source sent a newer version' } as const);
    const body = { person: subject.id, type, id, ...what };
    await post(tx, { id: tools.random.uuid(), type: 'resource.changed', key: messageId, keyId: subject.keyId, body });
  }
}
