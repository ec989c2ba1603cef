import type { Instant, Uuid } from '@portolan/contracts';
import type { EdgeTx, Filing, KeyId, ResourceVersion } from '@portolan/domain';
import { isFhirObject, type FhirObject, type Translation } from '@portolan/formats';
import type { SendingSystem } from '../edge.parts.js';
import type { Incoming } from './incoming.js';
import type { Subject } from './message-subject.js';

/** A message that can be used, from a sender who may send. */
export interface Usable {
  readonly incoming: Incoming;
  readonly translation: Translation;
  readonly sender: SendingSystem;
}

/** Under whom something is filed: the entry of the index, all that are the same person, and her key. */
export type Whose = Pick<Subject, 'id' | 'same' | 'keyId'>;

/** The message that is filed, when, and under whom. */
export interface Place {
  readonly messageId: Uuid;
  readonly at: Instant;
  readonly subject: Whose;
}

/** A resource as it stands after the message. */
export interface Filed {
  readonly filing: Filing;
  readonly versionId: number;
  readonly changed: boolean;
  /** It came after something newer: the version that stands, which is not this one. */
  readonly stands?: number;
}

/** Whether it is of somebody else than the message's person. */
export const isAnothers = ({ person }: ResourceVersion, { same }: Whose): boolean => person !== undefined && !same.includes(person);

/** A message deletes nothing but what it moves with a stay to another id. */
export const wasMovedAway = ({ deleted, messageId }: ResourceVersion): boolean => deleted && messageId !== undefined;

export const nameOf = ({ type, id }: { readonly type: string; readonly id: string }): string => `${type}/${id}`;

/** The Identifiers of a resource. */
export const identifiersIn = ({ identifier }: FhirObject): readonly FhirObject[] =>
  Array.isArray(identifier) ? identifier.filter(isFhirObject) : [];

/** The version that follows on the current one, with the filing's content. */
export async function nextVersion(
  tx: EdgeTx,
  { type, id, personal, sha256, text, categories }: Filing,
  current: ResourceVersion | undefined,
  { messageId, at, subject }: Place,
): Promise<Omit<ResourceVersion, 'versionId'>> {
  // What another entry of the same person holds stays there: the joining of the two can be undone.
  const person = personal ? (current?.person ?? subject.id) : undefined;
  const keyId: KeyId = personal
    ? person === undefined || person === subject.id
      ? subject.keyId
      : await tx.keys.forPerson(person)
    : (current?.keyId ?? (await tx.keys.create()));
  return { type, id, lastUpdated: at, person, keyId, categories, messageId, sha256, deleted: false, text };
}

/** References told in one audit event, at most. */
const MAX_ITEMS = 200;

/** What an audit event names of these entries. */
export const itemsOf = (entries: readonly { readonly type: string; readonly id: string }[]): readonly string[] =>
  entries.slice(0, MAX_ITEMS).map(nameOf);
