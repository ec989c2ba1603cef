import { readFile } from 'node:fs/promises';
import { PortolanError, type LedgerGenesis } from '@portolan/contracts';
import { EmbeddedLedger, nodeTools, readGenesis, TlsOrdererLink } from '@portolan/embedded-ledger';
import { JoseSigner } from '@portolan/jose';
import { FileKeyVault, findPartnerIdentity, MasterKeyDataKeys, sha256 } from '@portolan/keys';
import { openNotaryDatabase } from '@portolan/postgres';
import type { RoleLink } from '../link/role-link.js';
import { NotaryRole } from '../notary/notary.role.js';
import type { Opened } from '../runtime/role-app.js';
import { databaseOf, type NodeGround } from './node-ground.js';

const HEAD_EVERY_MS = 500;

/** The channel's genesis, pinned in this node's own configuration. */
export async function genesisOf({ config, validators }: NodeGround): Promise<LedgerGenesis & { text: string; clockWindowMs: number }> {
  const text = await readFile(config.ledger.genesis, 'utf8').catch(() => {
    throw new PortolanError('config.unreadable', 'ledger genesis');
  });
  return readGenesis(text, nodeTools(validators));
}

/** Binds the notary's ports to the embedded ledger and its copy in this country's database. */
export async function composeNotary(ground: NodeGround, link: RoleLink, opened: Opened): Promise<NotaryRole> {
  const { config, folders, validators, clock, random, logger, checkpoint } = ground;
  const genesis = await genesisOf(ground);
  const dataKeys = await MasterKeyDataKeys.open(folders.master('notary'));
  const database = await openNotaryDatabase(await databaseOf(config, 'notary'), dataKeys);
  opened.add(() => database.close());
  const vault = new FileKeyVault({ folder: folders.keys('notary'), clock });
  const identity = await findPartnerIdentity(folders.orderer, vault);
  if (identity === undefined) throw new PortolanError('keys.none-live', 'notary/orderer');
  const tls = { key: identity.privateKeyPem, cert: identity.certificatePem, ca: [identity.authorityPem] };
  const ledger = await EmbeddedLedger.open({
    org: config.country,
    genesis: genesis.text,
    store: database.ledger,
    orderer: new TlsOrdererLink({ ...config.ledger.orderer, tls, validators }),
    signer: new JoseSigner(vault),
    clock,
    validators,
    onTrouble: (error) => logger.failure('ledger copy: trouble', error instanceof PortolanError ? error.code : 'ledger.unreachable', error),
    onDivergence: ({ org, block }) => logger.failure(`ledger copy: ${org} differs at block ${block}`, 'ledger.copy-differs'),
  });
  opened.add(() => ledger.close());
  const role = new NotaryRole({
    org: config.country,
    channelName: genesis.channel,
    uow: database.uow,
    link,
    ledger,
    leases: database.leases,
    wakeups: database.wakeups,
    clock,
    random,
    sha256,
    checkpoint,
    logger,
    clockWindowMs: genesis.clockWindowMs,
    headEveryMs: config.ledger.headEveryMs ?? HEAD_EVERY_MS,
    takeOverAfterMs: ground.takeOverAfterMs,
    ledgerState: async () => ({ height: await ledger.height(), divergences: await ledger.divergences() }),
    trustFile: () => ledger.trustFile(),
  });
  opened.add(() => role.close());
  return role;
}
