import type { Uuid } from '@portolan/contracts';
import type { EdgeTx, MessageAccount } from '@portolan/domain';
import { stableUuid, translate, type TranslationInput } from '@portolan/formats';
import { sourceOf, type IngestTools } from './incoming.js';

export interface Named {
  readonly type: string;
  readonly id: string;
}

/** Moves of one entry that are followed back to the message in which it came. */
const MAX_MOVES = 50;

/**
 * What entries are called under another Patient, `Type/id` by `Type/id`: by the ids that the messages in which they came give them there, so that what their
 * source sends of them later meets them. What no message can be asked about gets an id that is as stable.
 */
export async function idsUnder(
  tx: EdgeTx,
  entries: readonly Named[],
  patient: string,
  tools: IngestTools,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  const told = new Map<Uuid, ReadonlyMap<string, string>>();
  for (const { type, id } of entries) {
    const { messageId, was } = await originOf(tx, { type, id });
    if (messageId !== undefined && !told.has(messageId)) told.set(messageId, await retold(tx, messageId, patient, tools));
    const there = messageId === undefined ? undefined : told.get(messageId)?.get(`${type}/${was}`);
    ids.set(`${type}/${id}`, `${type}/${there ?? idUnder(patient, { type, id: was }, tools)}`);
  }
  return ids;
}

/** An id under another Patient for what no message gives one there. */
export const idUnder = (patient: string, { type, id }: Named, { sha256 }: Pick<IngestTools, 'sha256'>): string =>
  stableUuid(sha256, ['moved', patient, type, id]);

/** The message in which an entry came first, and its id there: before whatever moved it. */
export async function originOf(tx: EdgeTx, { type, id }: Named): Promise<{ readonly messageId: Uuid | undefined; readonly was: string }> {
  let was = id;
  for (let moves = 0; ; moves += 1) {
    const messageId = (await tx.resources.version(type, was, 1))?.messageId;
    const account = messageId === undefined ? undefined : ((await tx.messages.account(messageId)) as MessageAccount | undefined);
    const moved = account?.moved?.find((one) => one.type === type && one.id === was);
    if (moved === undefined || moves === MAX_MOVES) return { messageId, was };
    was = moved.was;
  }
}

/** What a message calls each of its entries, and what it would call them were it about this Patient; nothing where it can be read no more. */
async function retold(tx: EdgeTx, messageId: Uuid, subject: string, { sha256, pack }: IngestTools): Promise<ReadonlyMap<string, string>> {
  const message = await tx.messages.get(messageId);
  if (message?.format !== 'hl7v2') return new Map();
  const { original: bytes, receivedAt: received, source } = message;
  return calledUnder({ bytes, country: pack, sha256, received, source: sourceOf(source) }, subject);
}

/** What a message of HL7 v2 calls each of its entries (`Type/id`), and what id it would give them were it about this Patient. */
export function calledUnder(message: Omit<TranslationInput, 'format' | 'subject'>, subject: string): ReadonlyMap<string, string> {
  const input = { ...message, format: 'hl7v2' } as const;
  const [as, under] = [translate(input).resources, translate({ ...input, subject }).resources];
  return new Map(as.map(({ resourceType, id }, i) => [`${resourceType}/${id}`, under[i]?.id ?? id]));
}
