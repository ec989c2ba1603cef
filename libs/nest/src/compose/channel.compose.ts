import { readFile } from 'node:fs/promises';
import { PortolanError, type LedgerGenesis, type NodeEmbeddedLedger, type NodeFabricLedger, type OrgId } from '@portolan/contracts';
import type { Ledger } from '@portolan/domain';
import { EmbeddedLedger, nodeTools, readGenesis, TlsOrdererLink } from '@portolan/embedded-ledger';
import type { ChannelClient } from '@portolan/fabric-channel';
import { FileKeyVault, findPartnerIdentity } from '@portolan/keys';
import type { NotaryDatabase } from '@portolan/postgres';
import { fabricClient } from './fabric-client.js';
import { fabricIdentity, ledgerSigner } from './ledger-keys.js';
import type { NodeGround } from './node-ground.js';

/** The channel as a notary is given it, whichever ledger it is. */
export interface OpenedChannel {
  readonly ledger: Ledger;
  /** How far a transaction's time may be from the channel's own. */
  readonly clockWindowMs: number;
  /** How far our own copy is, and whose copies differ from it. */
  readonly state: () => Promise<Readonly<Record<string, unknown>>>;
  /** What a receipt is verified against offline. */
  readonly trustFile: () => Promise<unknown>;
}

/** `peer.authentication.timewindow` of every peer of a channel of ours. */
const FABRIC_CLOCK_WINDOW_MS = 120_000;

/** Name of the channel that the configuration pins. */
export async function channelNameOf(ground: NodeGround): Promise<string> {
  const { ledger } = ground.config;
  return ledger.kind === 'fabric' ? ledger.channel : (await genesisOf(ground, ledger)).channel;
}

/** Our own copy of the channel: the embedded ledger's in our database, or our own Fabric peer's. */
export function openChannel(ground: NodeGround, database: NotaryDatabase): Promise<OpenedChannel> {
  const { ledger } = ground.config;
  return ledger.kind === 'fabric' ? openFabric(ground, ledger, database) : openEmbedded(ground, ledger, database);
}

/** The channel's genesis, pinned in this node's own configuration. */
async function genesisOf(
  { validators }: NodeGround,
  { genesis }: NodeEmbeddedLedger,
): Promise<LedgerGenesis & { text: string; clockWindowMs: number }> {
  const text = await readFile(genesis, 'utf8').catch(() => {
    throw new PortolanError('config.unreadable', 'ledger genesis');
  });
  return readGenesis(text, nodeTools(validators));
}

async function openEmbedded(ground: NodeGround, settings: NodeEmbeddedLedger, database: NotaryDatabase): Promise<OpenedChannel> {
  const { config, folders, validators, clock, logger } = ground;
  const genesis = await genesisOf(ground, settings);
  const vault = new FileKeyVault({ folder: folders.keys('notary'), clock });
  const identity = await findPartnerIdentity(folders.orderer, vault);
  if (identity === undefined) throw new PortolanError('keys.none-live', 'notary/orderer');
  const tls = { key: identity.privateKeyPem, cert: identity.certificatePem, ca: [identity.authorityPem] };
  const ledger = await EmbeddedLedger.open({
    org: config.country,
    genesis: genesis.text,
    store: database.ledger,
    orderer: new TlsOrdererLink({ ...settings.orderer, tls, validators }),
    signer: ledgerSigner(ground, vault),
    clock,
    validators,
    onTrouble: (error) => logger.failure('ledger copy: trouble', error instanceof PortolanError ? error.code : 'ledger.unreachable', error),
    onDivergence: ({ org, block }) => logger.failure(`ledger copy: ${org} differs at block ${block}`, 'ledger.copy-differs'),
  });
  return {
    ledger,
    clockWindowMs: genesis.clockWindowMs,
    state: async () => ({ height: await ledger.height(), divergences: await ledger.divergences() }),
    trustFile: () => ledger.trustFile(),
  };
}

/** Our own peer as the notary reaches it; `keys.none-live` where its organisation issued no certificate for our ledger key. */
export async function connectFabric(
  ground: Pick<NodeGround, 'config' | 'folders' | 'clock'>,
  settings: NodeFabricLedger,
): Promise<ChannelClient> {
  const { peer, peerName, client = 'fabric-gateway' } = settings;
  const identity = await fabricIdentity(ground);
  if (identity === undefined) throw new PortolanError('keys.none-live', 'notary/fabric');
  return fabricClient(client, {
    ...placeOf(ground.config.country, settings),
    peer: {
      address: `${peer.host}:${peer.port}`,
      tls: { ca: identity.authorityPem, ...(peerName === undefined ? {} : { serverName: peerName }) },
    },
    identity: { certificate: identity.certificatePem, sign: identity.sign },
  });
}

const placeOf = (
  org: OrgId,
  { channel, chaincode = 'portolan' }: NodeFabricLedger,
): { org: OrgId; channel: string; chaincode: string } => ({
  org,
  channel,
  chaincode,
});

async function openFabric(ground: NodeGround, settings: NodeFabricLedger, database: NotaryDatabase): Promise<OpenedChannel> {
  const { config, clock, logger } = ground;
  const { otherEndorsers, client: sdk = 'fabric-gateway' } = settings;
  // Fabric's messages take long to load, and a node on the embedded ledger needs none of them.
  const { FabricLedger } = await import('@portolan/fabric-channel');
  const ledger = await FabricLedger.open({
    ...placeOf(config.country, settings),
    ...(otherEndorsers === undefined ? {} : { otherEndorsers }),
    client: await connectFabric(ground, settings),
    store: database.fabric,
    clock,
    onTrouble: (error) => logger.failure('our peer: trouble', error instanceof PortolanError ? error.code : 'ledger.unreachable', error),
  });
  return {
    ledger,
    clockWindowMs: FABRIC_CLOCK_WINDOW_MS,
    state: async () => ({ client: sdk, ...(await ledger.state()), divergences: [] }),
    trustFile: () => ledger.trustFile(),
  };
}
