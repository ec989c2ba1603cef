import { migrate } from '../connect/migrate.js';
import { edgeModel } from '../edge/edge.model.js';
import { exchangeModel } from '../exchange/exchange.model.js';
import { notaryModel } from '../notary/notary.model.js';
import { ordererModel } from '../orderer/orderer.model.js';
import type { CountryDatabase, OrdererDatabase } from './provision.js';

/**
 * Brings a country's three schemas to this program's version and sets the grants anew, as the database's owner. Does nothing where
 * nothing is missing; several callers wait for one another. Throws `store.unavailable`, `store.rejected`.
 */
export async function migrateCountry({ owner }: Pick<CountryDatabase, 'owner'>): Promise<void> {
  await migrate(owner, [edgeModel, exchangeModel, notaryModel]);
}

/** The same for the orderer's database. */
export async function migrateOrderer({ owner }: Pick<OrdererDatabase, 'owner'>): Promise<void> {
  await migrate(owner, [ordererModel]);
}
