import { MasterKeyDataKeys, sha256 } from '@portolan/keys';
import { openNotaryDatabase } from '@portolan/postgres';
import type { RoleLink } from '../link/role-link.js';
import { NotaryRole } from '../notary/notary.role.js';
import type { Opened } from '../runtime/role-app.js';
import { channelNameOf, openChannel } from './channel.compose.js';
import { databaseOf, type NodeGround } from './node-ground.js';

/** Two seconds of everything that happened are proved by one transaction; each costs as much as that of a batch. */
const HEAD_EVERY_MS = 2_000;

/** Binds the notary's ports to its database and to the channel that the configuration names. */
export async function composeNotary(ground: NodeGround, link: RoleLink, opened: Opened): Promise<NotaryRole> {
  const { config, folders, clock, random, logger, checkpoint } = ground;
  const dataKeys = await MasterKeyDataKeys.open(folders.master('notary'));
  const database = await openNotaryDatabase(await databaseOf(config, 'notary'), dataKeys);
  opened.add(() => database.close());
  const channel = await openChannel(ground, database);
  opened.add(() => channel.ledger.close());
  const role = new NotaryRole({
    org: config.country,
    channelName: await channelNameOf(ground),
    uow: database.uow,
    link,
    ledger: channel.ledger,
    leases: database.leases,
    wakeups: database.wakeups,
    clock,
    random,
    sha256,
    checkpoint,
    logger,
    clockWindowMs: channel.clockWindowMs,
    headEveryMs: config.ledger.headEveryMs ?? HEAD_EVERY_MS,
    ...(config.ledger.mostTogether === undefined ? {} : { mostTogether: config.ledger.mostTogether }),
    takeOverAfterMs: ground.takeOverAfterMs,
    kept: ground.kept,
    ledgerState: channel.state,
    trustFile: channel.trustFile,
  });
  opened.add(() => role.close());
  return role;
}
