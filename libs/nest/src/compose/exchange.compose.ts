import { availableParallelism } from 'node:os';
import { JoseSigner, SealingPool } from '@portolan/jose';
import { FileErasureRegister, FileKeyVault, MasterKeyDataKeys, sha256 } from '@portolan/keys';
import { openExchangeDatabase, openRecordReader } from '@portolan/postgres';
import { readCountry } from '../config/read-country.js';
import { ExchangeRole } from '../exchange/exchange.role.js';
import { RemoteChannel } from '../exchange/remote-channel.js';
import type { RoleLink } from '../link/role-link.js';
import { Opened } from '../runtime/role-app.js';
import { databaseOf, verifiersOf, type NodeGround } from './node-ground.js';
import { inboxOf, kafkaClientsOf, partnerLinkOf } from './partner-doors.js';
import { recordSourceOf } from './record-sources.js';

/** Each keeps some megabytes, and starts with the first part that is large. */
const mostSealingThreads = 4;

/** Binds the exchange's ports to what the configuration names: the embedded column or the real one (design, section 6). */
export async function composeExchange(ground: NodeGround, link: RoleLink, channelName: string, opened: Opened): Promise<ExchangeRole> {
  const { config, folders, validators, clock, random, logger, checkpoint, telemetry } = ground;
  const { setting } = await readCountry(config, validators);
  const dataKeys = await MasterKeyDataKeys.open(folders.master('exchange'));
  const erasures = new FileErasureRegister(folders.erasures('exchange'));
  const databaseConfig = { ...(await databaseOf(config, 'exchange')), erasures };
  const database = await openExchangeDatabase(databaseConfig, dataKeys);
  opened.add(() => database.close());
  const people = await openRecordReader(databaseConfig, dataKeys);
  opened.add(() => people.close());
  const vault = new FileKeyVault({ folder: folders.keys('exchange'), clock });
  const sealing = new SealingPool({ threads: Math.min(availableParallelism(), mostSealingThreads) });
  opened.add(() => sealing.close());
  const channel = new RemoteChannel(link, channelName);
  const doors = { ...ground, kafkaClients: await kafkaClientsOf(config) };
  const role = new ExchangeRole({
    ports: {
      country: setting,
      get partners() {
        return ground.partners.countries;
      },
      clock,
      random,
      sha256,
      validators,
      sealer: sealing.sealer(vault),
      signer: new JoseSigner(vault),
      channel,
      people: people.reader,
      records: await recordSourceOf(ground, people.reader),
      ...verifiersOf(ground),
      uow: database.uow,
    },
    link,
    inbox: await inboxOf(doors, channel),
    partnerLink: partnerLinkOf(doors, vault),
    wakeups: database.wakeups,
    checkpoint,
    telemetry: telemetry.telemetry,
    logger,
    takeOverAfterMs: ground.takeOverAfterMs,
    leases: database.leases,
    kept: ground.kept,
  });
  opened.add(() => role.close());
  return role;
}
