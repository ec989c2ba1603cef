import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import type { Role, RoleTx, UnitOfWork } from '@portolan/domain';
import { addMasterKey, MasterKeyDataKeys } from '@portolan/keys';
import {
  adminQuery,
  openEdgeDatabase,
  openExchangeDatabase,
  openNotaryDatabase,
  testCluster,
  type CountryDatabase,
  type RoleDatabase,
} from '@portolan/postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NodeLogger } from '../runtime/logger.js';
import { Deliveries } from './deliveries.js';
import { Relay } from './relay.js';
import { DEFAULT_KEPT, Retention } from './retention.js';
import { RoleLink } from './role-link.js';

let home: string;
let country: CountryDatabase;
let databases: Readonly<Record<Role, RoleDatabase<RoleTx>>>;
let isAway = false;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'portolan-retention-'));
  await addMasterKey([home]);
  const keys = await MasterKeyDataKeys.open(home);
  country = await (await testCluster()).country('RT');
  const [edge, exchange, notary] = await Promise.all([
    openEdgeDatabase({ address: country.edge }, keys),
    openExchangeDatabase({ address: country.exchange, maxRefusals: 3 }, keys),
    openNotaryDatabase({ address: country.notary }, keys),
  ]);
  databases = { edge, exchange, notary };
});
afterAll(async () => {
  await Promise.all(Object.values(databases).map((one) => one.close()));
  await rm(home, { recursive: true, force: true });
});

const logger = new NodeLogger({ country: 'RT', role: 'notary' }, 'silent', () => undefined);
const handled: string[] = [];

/** How `us` asks the others: straight into their stores, as their controllers would. */
class DirectLink extends RoleLink {
  constructor(private readonly us: Role) {
    super(new Map(), 1_000);
  }

  override async ask<T>(role: Role, pattern: string, data: unknown): Promise<T> {
    if (isAway) throw new PortolanError('link.unreachable', `${role} ${pattern}`);
    const { outbox } = databases[role];
    const { id, ids, type } = data as { id: string; ids: string[]; type: string };
    if (pattern === 'outbox.undelivered') return (await outbox.undelivered(ids, this.us)) as T;
    if (pattern === 'outbox.body') return { body: await outbox.body(id, this.us) } as T;
    if (pattern !== 'deliver') throw new PortolanError('link.unknown-message', pattern);
    await notary().accept({ id, type }, this.us);
    return undefined as T;
  }
}

const uowOf = (role: Role): UnitOfWork<RoleTx> => databases[role].uow;
const notary = (): Deliveries<RoleTx> =>
  new Deliveries<RoleTx>('notary', uowOf('notary'), new DirectLink('notary'), {
    'log.append': async (_tx, { eventId }) => {
      if (eventId === POISON) throw new TypeError('a fault of ours');
      handled.push(eventId);
    },
  });
const POISON = randomUUID();

async function post(eventId: string): Promise<string> {
  const id = randomUUID();
  await uowOf('exchange').run(async (tx) => {
    const keyId = await tx.keys.create();
    await tx.outbox.add({ id, to: 'notary', type: 'log.append', key: id, keyId, body: { eventId, leafHash: 'ab'.repeat(32) } });
  });
  return id;
}
const retention = (us: Role): Retention =>
  new Retention({
    us,
    holder: randomUUID(),
    uow: uowOf(us),
    link: new DirectLink(us),
    leases: databases[us].leases,
    logger,
    kept: DEFAULT_KEPT,
  });
const knownIds = async (): Promise<readonly string[]> =>
  (await adminQuery<{ id: string }>(country.notary, 'SELECT id FROM notary.inbox')).map(({ id }) => id);
const monthsLater = async (): Promise<void> => {
  await adminQuery(country.owner, `UPDATE notary.inbox SET at = at - interval '60 days'`);
  await adminQuery(country.owner, `UPDATE exchange.outbox SET delivered_at = delivered_at - interval '60 days'`);
};
async function round(us: Role): Promise<void> {
  const worker = retention(us);
  await worker.round();
  await worker.stop();
}
async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what}: did not happen`);
}

it('an id is forgotten only when its message cannot come again, however long its sender was away', async () => {
  const [eventId, other] = [randomUUID(), randomUUID()];
  const [lost, settled] = [await post(eventId), await post(other)];
  // Both were handled; that the first was, its sender never heard, and then it was away for months.
  for (const id of [lost, settled]) await notary().accept({ id, type: 'log.append' }, 'exchange');
  await databases.exchange.outbox.delivered(settled);
  await monthsLater();
  await round('notary');
  expect(await knownIds()).toEqual([lost]);
  await notary().accept({ id: lost, type: 'log.append' }, 'exchange');
  expect(handled.filter((one) => one === eventId)).toHaveLength(1);
  // Nobody can be asked: everything stays known.
  await databases.exchange.outbox.delivered(lost);
  isAway = true;
  await expect(retention('notary').round()).rejects.toMatchObject({ code: 'link.unreachable' });
  isAway = false;
  expect(await knownIds()).toEqual([lost]);
  await adminQuery(country.owner, 'UPDATE notary.lease SET until = now()');
  await round('notary');
  expect(await knownIds()).toEqual([]);
  await monthsLater();
  await round('exchange');
  expect(await adminQuery(country.exchange, 'SELECT id FROM exchange.outbox WHERE id = ANY ($1)', [[lost, settled]])).toEqual([]);
});

it('removes more than one batch of each in a round', async () => {
  const old = `INSERT INTO notary.inbox SELECT gen_random_uuid(), now() - interval '40 days' FROM generate_series(1, 1234)`;
  await adminQuery(country.owner, old);
  await round('notary');
  expect(await knownIds()).toEqual([]);
});

it('a role that cannot be reached is waited for; what it refuses again and again is a dead letter, and can be revived', async () => {
  const [eventId, poisoned] = [randomUUID(), await post(POISON)];
  const id = await post(eventId);
  const { wakeups } = databases.exchange;
  const relay = new Relay(uowOf('exchange'), new DirectLink('exchange'), logger, wakeups, 60_000);
  isAway = true;
  relay.start();
  const attempts = async (): Promise<Record<string, { attempts: number; refusals: number; state: string }>> => {
    const sql = 'SELECT id, attempts, refusals, state FROM exchange.outbox WHERE id = ANY ($1)';
    const found = await adminQuery<{ id: string; attempts: number; refusals: number; state: string }>(country.exchange, sql, [
      [id, poisoned],
    ]);
    return Object.fromEntries(found.map(({ id: name, ...row }) => [name, row]));
  };
  const again = `UPDATE exchange.outbox SET next_at = now() WHERE state = 'waiting'`;
  await until('it was tried more often than a refused one may be', async () => {
    await adminQuery(country.owner, again);
    return ((await attempts())[id]?.attempts ?? 0) > 5;
  });
  expect(await attempts()).toMatchObject({ [id]: { state: 'waiting', refusals: 0 }, [poisoned]: { state: 'waiting', refusals: 0 } });
  isAway = false;
  await until('the poison is dead', async () => {
    await adminQuery(country.owner, again);
    return (await attempts())[poisoned]?.state === 'dead';
  });
  await until('the other arrived', async () => handled.includes(eventId));
  await relay.stop();
  expect(await databases.exchange.outbox.dead(10)).toMatchObject([{ id: poisoned, code: 'link.failed' }]);
  expect(await databases.exchange.outbox.revive(poisoned)).toBe(true);
});
