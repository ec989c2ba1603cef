/** Branded ids: a string that was checked once, at the door, and says so in its type. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type TransferId = Branded<'TransferId'>;
export type PermitId = Branded<'PermitId'>;
export type ConsentId = Branded<'ConsentId'>;
export type PersonId = Branded<'PersonId'>;
export type ViewId = Branded<'ViewId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isUuid = (text: string): boolean => UUID.test(text);

function ensure<T extends string>(name: string, text: string): T {
  if (!UUID.test(text)) throw new TypeError(`not a ${name}: a lower-case UUID is expected`);
  return text as T;
}

export const ensureTransferId = (text: string): TransferId => ensure<TransferId>('TransferId', text);
export const ensurePermitId = (text: string): PermitId => ensure<PermitId>('PermitId', text);
export const ensureConsentId = (text: string): ConsentId => ensure<ConsentId>('ConsentId', text);
export const ensurePersonId = (text: string): PersonId => ensure<PersonId>('PersonId', text);
export const ensureViewId = (text: string): ViewId => ensure<ViewId>('ViewId', text);
