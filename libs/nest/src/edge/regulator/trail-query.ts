import { canonicalJson, PortolanError, type TrailQuery, type Validators } from '@portolan/contracts';
import type { Sha256, TrailFilter, TrailPlace } from '@portolan/domain';
import { base64url, bytesOfBase64url, sha256Hex, utf8 } from '@portolan/verify';

export interface TrailQuestion {
  readonly filter: TrailFilter;
  readonly limit: number;
  readonly behind?: TrailPlace;
}

const DEFAULT_LIMIT = 100;

/** The query string of `GET /regulator/trail`. Throws `trail.query-invalid`, also for a cursor of another query. */
export function trailQuestion(query: unknown, { validators, sha256 }: { validators: Validators; sha256: Sha256 }): TrailQuestion {
  const asked = validators.check<TrailQuery>('trail-query', query, 'trail.query-invalid', 'GET /regulator/trail');
  const { from, to, transfer: transferId, limit, cursor, ...same } = asked;
  const filter: TrailFilter = { ...same, ...time('from', from), ...time('to', to), ...(transferId === undefined ? {} : { transferId }) };
  const behind = cursor === undefined ? undefined : placeOf(cursor, filter, sha256);
  return { filter, limit: limit === undefined ? DEFAULT_LIMIT : Number(limit), ...(behind === undefined ? {} : { behind }) };
}

function time<Name extends 'from' | 'to'>(name: Name, text: string | undefined): Partial<Record<Name, string>> {
  if (text === undefined) return {};
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw invalid(`/${name} is no time`);
  return { [name]: new Date(ms).toISOString() } as Record<Name, string>;
}

/** Opaque to the client; it bears a print of its query, so that pages of two queries are never put together. */
export const cursorOf = ({ upTo, at, block, position }: TrailPlace, filter: TrailFilter, sha256: Sha256): string =>
  base64url(utf8(`${upTo}.${Date.parse(at)}.${block}.${position}.${print(filter, sha256)}`));

function placeOf(cursor: string, filter: TrailFilter, sha256: Sha256): TrailPlace {
  const [, upTo, at, block, position, of] = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.(\d{1,9})\.([0-9a-f]{12})$/.exec(decoded(cursor)) ?? [];
  if (of === undefined || of !== print(filter, sha256)) throw invalid('/cursor is of another query');
  return { upTo: Number(upTo), at: new Date(Number(at)).toISOString(), block: Number(block), position: Number(position) };
}

function decoded(cursor: string): string {
  try {
    return new TextDecoder().decode(bytesOfBase64url(cursor));
  } catch {
    return '';
  }
}

const print = (filter: TrailFilter, sha256: Sha256): string => sha256Hex(canonicalJson(filter), sha256).slice(0, 12);

const invalid = (detail: string): PortolanError => new PortolanError('trail.query-invalid', 'GET /regulator/trail', detail);
