import { parseBounded, PortolanError, type ErrorCode, type ReasonBody, type SchemaName, type Validators } from '@portolan/contracts';
import { isUuid } from '@portolan/domain';

const MAX_BODY_CHARS = 64_000;

/** The body of a call as its contract has it, `{}` where none came. Throws `person.body-invalid`, which names the field. */
export function bodyOf<T>(validators: Validators, schema: SchemaName, body: unknown): T {
  const where = `body ${schema}`;
  const value = body instanceof Uint8Array || typeof body === 'string' ? parsed(body, where) : (body ?? {});
  return validators.check<T>(schema, value, 'person.body-invalid', where);
}

function parsed(body: Uint8Array | string, where: string): unknown {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  return parseBounded(text, MAX_BODY_CHARS, 'person.body-invalid', where);
}

/** Why somebody decides as they do: the one thing that such a call brings. Throws `person.body-invalid`. */
export function reasonOf(validators: Validators, body: unknown): string {
  return bodyOf<ReasonBody>(validators, 'reason-body', body).reason;
}

/** An id from an address; what has no id's form is as unknown as an id that nobody has. */
export function idOf(text: string, unknown: ErrorCode): string {
  if (!isUuid(text)) throw new PortolanError(unknown, 'the address');
  return text;
}

/** Id of the last row of the page before; undefined for the first page. Throws `person.place-invalid`. */
export function placeAfter(after: unknown): string | undefined {
  if (after === undefined || (typeof after === 'string' && isUuid(after))) return after;
  throw new PortolanError('person.place-invalid', 'parameter after');
}

const DEFAULT_PAGE = 50;
const MAX_PAGE = 500;

export interface FeedPlace {
  /** Sequence number after which to go on, "0" for all. */
  readonly after: string;
  readonly limit: number;
}

/** Where in her feed a person reads on. Throws `person.place-invalid`. */
export function feedPlace(after: unknown, limit: unknown): FeedPlace {
  const count = limit === undefined ? DEFAULT_PAGE : typeof limit === 'string' && /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > MAX_PAGE) throw new PortolanError('person.place-invalid', 'parameter limit');
  if (after === undefined || after === '') return { after: '0', limit: count };
  if (typeof after !== 'string' || !/^\d{1,18}$/.test(after)) throw new PortolanError('person.place-invalid', 'parameter after');
  return { after, limit: count };
}
