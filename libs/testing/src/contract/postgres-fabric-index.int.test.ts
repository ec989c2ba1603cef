import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addMasterKey, MasterKeyDataKeys } from '@portolan/keys';
import { adminQuery, openNotaryDatabase, testCluster, type NotaryDatabase } from '@portolan/postgres';
import { afterAll, beforeAll } from 'vitest';
import { fabricIndexContract } from './fabric-index.contract.js';

let folder: string;
let database: NotaryDatabase;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-index-'));
  const { notary } = await (await testCluster()).country('LT');
  await addMasterKey([folder]);
  database = await openNotaryDatabase({ address: notary }, await MasterKeyDataKeys.open(folder));
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

fabricIndexContract('in PostgreSQL', async () => {
  await database.fabric.clear();
  // The notary itself may not remove a refusal.
  const { admin } = await testCluster();
  const { notary } = await (await testCluster()).country('LT');
  await adminQuery({ ...admin, database: notary.database }, 'DELETE FROM notary.fabric_refusal');
  return database.fabric;
});
