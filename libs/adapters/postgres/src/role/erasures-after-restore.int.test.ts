import { ErasureRegister, type EdgeTx, type ExchangeTx, type Person, type PersonId } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RoleDatabase } from '../connect/role-database.js';
import { openEdgeDatabase } from '../edge/open-edge-database.js';
import { openRecordReader } from '../edge/record-reader.js';
import { openExchangeDatabase } from '../exchange/open-exchange-database.js';
import type { CountryDatabase } from '../provision/provision.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { ask, personId } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';

class MemoryRegister extends ErasureRegister {
  readonly persons: PersonId[] = [];

  override note(person: PersonId): Promise<void> {
    this.persons.push(person);
    return Promise.resolve();
  }

  override all(): Promise<readonly PersonId[]> {
    return Promise.resolve(this.persons);
  }
}

describe('a database restored from a backup of before an erasure', () => {
  const keys = new AesDataKeys();
  const registers = { edge: new MemoryRegister(), exchange: new MemoryRegister() };
  const [mari, jaan] = [personId(), personId()];
  let country: CountryDatabase;
  let edge: RoleDatabase<EdgeTx>;
  let exchange: RoleDatabase<ExchangeTx>;

  async function open(): Promise<void> {
    edge = await openEdgeDatabase({ address: country.edge, erasures: registers.edge }, keys);
    exchange = await openExchangeDatabase({ address: country.exchange, erasures: registers.exchange }, keys);
  }
  async function close(): Promise<void> {
    await Promise.all([edge.close(), exchange.close()]);
  }
  async function admin(sql: string): Promise<void> {
    await ask((await testCluster()).admin, sql);
  }

  const named = (id: PersonId): Person => ({
    id,
    identifiers: [{ system: 'urn:oid:1.2.3', value: id }],
    birthDate: '1980-02-29',
    family: 'Proov',
    given: 'Mall',
  });
  const found = (id: PersonId): Promise<Person | undefined> => edge.uow.run(({ persons }) => persons.get(id));

  beforeAll(async () => {
    country = await (await testCluster()).country('RO');
    await open();
    for (const person of [mari, jaan]) {
      await edge.uow.run(async (tx) => {
        await tx.keys.forPerson(person);
        await tx.persons.save(named(person));
      });
      await exchange.uow.run(({ keys: store }) => store.forPerson(person));
    }
    await close();
    // The whole database, as a base backup or a dump has it.
    await admin('CREATE DATABASE backup_of_ro TEMPLATE portolan_ro');
    await open();
  });
  afterAll(() => close());

  it('reads nothing of her: each role erases her again before it serves', async () => {
    await edge.uow.run(async (tx) => {
      await tx.keys.erase(mari);
      await tx.persons.erase(mari);
    });
    await exchange.uow.run(({ keys: store }) => store.erase(mari));
    await close();
    await admin('DROP DATABASE portolan_ro');
    await admin('ALTER DATABASE backup_of_ro RENAME TO portolan_ro');
    const [before] = await ask<{ erased_at: Date | null }>(country.edge, 'SELECT erased_at FROM edge.key_owner WHERE person = $1', [mari]);
    expect(before).toEqual({ erased_at: null });

    // The exchange may be up before the edge has erased her again: it reads nothing of her meanwhile.
    const early = await openRecordReader({ address: country.exchange, erasures: registers.exchange }, keys);
    expect(await early.reader.person(mari)).toBeUndefined();
    expect((await early.reader.person(jaan))?.id).toBe(jaan);
    await early.close();

    await open();
    expect(await found(mari)).toBeUndefined();
    for (const [address, schema] of [
      [country.edge, 'edge'],
      [country.exchange, 'exchange'],
    ] as const)
      expect(await ask(address, `SELECT 1 FROM ${schema}.data_key WHERE person = $1 AND wrapped IS NOT NULL`, [mari])).toEqual([]);
    await expect(edge.uow.run(({ keys: store }) => store.forPerson(mari))).rejects.toMatchObject({ code: 'store.person-erased' });
    await expect(exchange.uow.run(({ keys: store }) => store.forPerson(mari))).rejects.toMatchObject({ code: 'store.person-erased' });
  });

  it('has everybody else as before', async () => {
    expect(await found(jaan)).toEqual(named(jaan));
    expect(await edge.uow.run(({ keys: store }) => store.forPerson(jaan))).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('does nothing to who is erased already', async () => {
    const erasedAt = (): Promise<object[]> => ask(country.edge, 'SELECT erased_at FROM edge.key_owner WHERE person = $1', [mari]);
    const before = await erasedAt();
    await close();
    await open();
    expect(await erasedAt()).toEqual(before);
  });
});
