import { randomUUID } from 'node:crypto';
import type { PersonId, TransferId } from '@portolan/domain';
import { Client } from 'pg';
import { clientOptions, type DatabaseAddress } from '../connect/address.js';

export const uuid = (): string => randomUUID();
export const personId = (): PersonId => randomUUID() as PersonId;
export const transferId = (): TransferId => randomUUID() as TransferId;

/** Rows of one statement, asked outside all stores: what really stands in the tables. */
export async function ask<Row extends object>(address: DatabaseAddress, sql: string, parameters: unknown[] = []): Promise<Row[]> {
  const client = new Client(clientOptions(address));
  await client.connect();
  try {
    return (await client.query<Row>(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}
