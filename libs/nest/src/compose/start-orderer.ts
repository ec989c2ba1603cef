import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PortolanError, Validators, type OrdererConfig } from '@portolan/contracts';
import { EmbeddedOrderer, OrdererDoor } from '@portolan/embedded-ledger';
import { JoseSigner } from '@portolan/jose';
import { FileKeyVault, ordererFolders, readTlsIdentity, SystemClock } from '@portolan/keys';
import { openOrdererDatabase } from '@portolan/postgres';
import { NodeLogger, type LogSink } from '../runtime/logger.js';
import { Opened } from '../runtime/role-app.js';

/** Starts the one orderer of an embedded ledger: the regulator's organisation. For trying out; a product's ledger is Fabric. */
export async function startOrderer(config: OrdererConfig, sink: LogSink): Promise<{ close(): Promise<void> }> {
  const opened = new Opened();
  const logger = new NodeLogger({ country: config.org, role: 'orderer' }, config.logging.level, sink);
  const onTrouble = (error: unknown): void =>
    logger.failure('orderer: trouble', error instanceof PortolanError ? error.code : 'orderer.busy', error);
  const clock = new SystemClock();
  const validators = new Validators();
  const folders = ordererFolders(config.home);
  try {
    const { host, port, name } = config.database;
    const password = (await readFile(join(config.home, 'orderer', 'database.secret'), 'utf8')).trim();
    const database = await openOrdererDatabase({
      address: { host, port, database: name, user: `${config.org.toLowerCase()}_orderer`, password },
      applicationName: 'portolan-orderer',
    });
    opened.add(() => database.close());
    const genesis = await readFile(config.genesis, 'utf8');
    const signer = new JoseSigner(new FileKeyVault({ folder: folders.keys, clock }));
    const orderer = await EmbeddedOrderer.start({
      genesis,
      store: database.store,
      copy: database.copy,
      signer,
      clock,
      validators,
      onTrouble,
    });
    opened.add(() => orderer.close());
    const { privateKeyPem: key, certificatePem: cert, authorityPem } = await readTlsIdentity(folders.door);
    const door = await OrdererDoor.listen({ ...config.door, tls: { key, cert, ca: [authorityPem] }, orderer, validators, onTrouble });
    opened.add(() => door.close());
    return { close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
