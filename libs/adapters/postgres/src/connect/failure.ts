import { PortolanError, type ErrorCode } from '@portolan/contracts';
import type { DataSource } from 'typeorm';

/** Serialization failure and deadlock: the transaction may simply be run again. */
const REPEATABLE = new Set(['40001', '40P01']);

/** The server has no statement of that name (any more), or its answer would have other columns than when it was named (prepared.ts). */
const NAMED_NO_MORE = new Set(['26000', '0A000']);

/** SQLSTATEs that mean "not now": shutdown, start-up, too many connections, a timeout of ours. */
const AWAY = /^(08...|57P0.|53...|57014|55P03|25P03)$/;

/** Errors of the socket, the pool and a transaction whose connection broke, which bear no SQLSTATE. */
const LOST =
  /^(ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)|Connection terminated|timeout exceeded|not queryable|Query runner already released/;

interface DatabaseError {
  readonly code?: unknown;
  readonly constraint?: unknown;
  readonly message?: unknown;
  readonly driverError?: unknown;
}

/** The driver's own error inside TypeORM's. */
function driverError(failure: unknown): DatabaseError {
  const outer = (typeof failure === 'object' && failure !== null ? failure : {}) as DatabaseError;
  return typeof outer.driverError === 'object' && outer.driverError !== null ? outer.driverError : outer;
}

const stateOf = ({ code }: DatabaseError): string | undefined =>
  typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;

export const isNamedNoMore = (failure: unknown): boolean => NAMED_NO_MORE.has(stateOf(driverError(failure)) ?? '');

export const isRepeatable = (failure: unknown): boolean => REPEATABLE.has(stateOf(driverError(failure)) ?? '') || isNamedNoMore(failure);

/**
 * A failure of the database as the house's error. It names the state code and the constraint, and neither quotes nor keeps the
 * driver's error: that one holds statement, parameters and key values (design, invariant 12). Other failures pass unchanged.
 */
export function storeFailure(failure: unknown, where: string): unknown {
  if (failure instanceof PortolanError) return failure;
  const error = driverError(failure);
  const state = stateOf(error);
  if (state === undefined) return isLost(error) ? new PortolanError('store.unavailable', where) : failure;
  const constraint = typeof error.constraint === 'string' ? ` ${error.constraint}` : '';
  return new PortolanError(codeOf(state), where, `SQLSTATE ${state}${constraint}`);
}

function codeOf(state: string): ErrorCode {
  if (AWAY.test(state)) return 'store.unavailable';
  return state === '23505' || REPEATABLE.has(state) ? 'store.conflict' : 'store.rejected';
}

function isLost({ code, message }: DatabaseError): boolean {
  return LOST.test(typeof code === 'string' ? code : '') || LOST.test(typeof message === 'string' ? message : '');
}

/** Asks the database for a sign of life. Throws `store.unavailable`. */
export async function ping(source: DataSource, schema: string): Promise<void> {
  try {
    await source.query('SELECT 1');
  } catch (failure) {
    throw storeFailure(failure, `database, schema ${schema}`);
  }
}
