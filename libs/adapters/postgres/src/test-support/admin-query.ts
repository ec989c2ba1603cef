import { Client } from 'pg';
import { clientOptions, type DatabaseAddress } from '../connect/address.js';

/**
 * One statement as whoever `address` names, over a connection of its own; for tests that look from outside. Rows as `pg` gives them:
 * bigint as text, bytea as bytes, timestamps as Date.
 */
export async function adminQuery<Row>(address: DatabaseAddress, sql: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
  const client = new Client({ ...clientOptions(address), application_name: 'portolan-test-admin' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql, [...parameters])).rows as Row[];
  } finally {
    await client.end();
  }
}
