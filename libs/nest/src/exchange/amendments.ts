import type { ExchangeNotice } from '@portolan/contracts';
import {
  custodianData,
  DATA_CATEGORIES,
  type ExchangePorts,
  type ExchangeTx,
  type PersonId,
  type RoleMessages,
  type Transfer,
} from '@portolan/domain';
import { sendNotice } from './notices.js';

/** Entries of one person that are looked through, and of one notice. */
const MAX_ENTRIES = 20_000;
const MAX_ITEMS = 200;

type Items = ExchangeNotice['items'];
type Change = NonNullable<Items[number]['change']>;

/** Which entries of a record changed, how, and why. */
interface Amendment {
  readonly change: Change;
  readonly reason: string;
}

/** An entry changed that had been released: each receiver whose permit is still live is told which. */
export async function tellReceivers(
  tx: ExchangeTx,
  { person, type, id, change, reason }: RoleMessages['resource.changed'],
  ports: ExchangePorts,
): Promise<void> {
  await tellOf(tx, person, (entry) => entry.type === type && entry.id === id, { change, reason }, ports);
}

/** More is known of a person than was released of her: each receiver whose permit is still live is told by her Patients. */
export async function tellJoined(tx: ExchangeTx, person: PersonId, ports: ExchangePorts): Promise<void> {
  const what = { change: 'merged', reason: 'its source joined it to another record of the person' } as const;
  await tellOf(tx, person, ({ type }) => type === 'Patient', what, ports);
}

/** Entries that were released as somebody's and are another person's: each receiver whose permit is still live is told which. */
export async function takeBack(
  tx: ExchangeTx,
  { survivor, prior, reason }: RoleMessages['person.parted'],
  ports: ExchangePorts,
): Promise<void> {
  for (const [person, other] of [
    [survivor, prior],
    [prior, survivor],
  ] as const) {
    const entries = await ports.people.resources(other, DATA_CATEGORIES, MAX_ENTRIES);
    const wrong = new Set(entries.map(({ type, id }) => `${type}/${id}`));
    await tellOf(tx, person, ({ type, id }) => wrong.has(`${type}/${id}`), { change: 'cancelled', reason }, ports);
  }
}

async function tellOf(
  tx: ExchangeTx,
  person: PersonId,
  which: (entry: { readonly type: string; readonly id: string }) => boolean,
  { change, reason }: Amendment,
  ports: ExchangePorts,
): Promise<void> {
  for (const permit of (await tx.permits.ofPerson(person)).filter(({ state }) => state !== 'ended')) {
    const transfer = (await tx.transfers.get(permit.transferId)) as Transfer | undefined;
    if (transfer === undefined) continue;
    const released = (custodianData(transfer).manifest ?? []).filter(which);
    const items = released.map(({ type, releasedAs }) => ({ type, id: releasedAs, change }));
    for (let from = 0; from < items.length; from += MAX_ITEMS) {
      const some = items.slice(from, from + MAX_ITEMS) as Items;
      await sendNotice(tx, transfer, { kind: 'amended', permitId: permit.id, reason, items: some }, ports);
    }
  }
}
