import { Client } from 'pg';
import { clientOptions, type DatabaseAddress } from '../connect/address.js';

/** Plain SQL over one kept connection. Rows as `pg` gives them: bigint as text, bytea as bytes, timestamps as Date. */
export interface AdminConnection {
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** A connection as whoever `address` names, for tests that look from outside and benchmarks that compare with SQL alone. */
export async function openAdmin(address: DatabaseAddress): Promise<AdminConnection> {
  const client = new Client({ ...clientOptions(address), application_name: 'portolan-test-admin' });
  client.on('error', () => undefined);
  await client.connect();
  return {
    query: async <Row>(sql: string, parameters: readonly unknown[] = []) => (await client.query(sql, [...parameters])).rows as Row[],
    close: async () => client.end(),
  };
}

/** One statement over a connection of its own. */
export async function adminQuery<Row>(address: DatabaseAddress, sql: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
  const admin = await openAdmin(address);
  try {
    return await admin.query<Row>(sql, parameters);
  } finally {
    await admin.close();
  }
}
