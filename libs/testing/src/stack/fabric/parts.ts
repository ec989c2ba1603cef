import { connect } from 'node:net';
import { get } from 'node:http';
import { join } from 'node:path';
import type { OrgId } from '@portolan/contracts';
import { portsOf } from './configtx.js';
import type { FabricEngine } from './engine.js';
import { networkFiles, organisationFolders } from './folders.js';
import { Part } from './part.js';
import type { NetworkPlan } from './plan.js';
import { HOST, settings } from './settings.js';

/** What the processes of one network have in common. */
export interface Ground {
  readonly folder: string;
  readonly engine: FabricEngine;
  readonly plan: Pick<NetworkPlan, 'channel' | 'ports'>;
}

const address = (port: number): string => `${HOST}:${port}`;
/** Nothing of the starter's environment: a variable that somebody has set for another Fabric would alter ours. */
const bare = { PATH: '/usr/local/bin:/usr/bin:/bin', FABRIC_LOGGING_SPEC: 'warn:gossip.privdata=error', GOMAXPROCS: '2' };

export function ordererPart({ folder, engine, plan }: Ground, org: OrgId): Part {
  const [folders, ports] = [organisationFolders(folder, org), portsOf(plan, org)];
  const home = folders.part('orderer');
  const tls = folders.tls('orderer');
  const { certificate: authority } = folders.tlsAuthority;
  const environment = {
    ...bare,
    FABRIC_CFG_PATH: networkFiles(folder).config,
    ORDERER_GENERAL_LISTENADDRESS: HOST,
    ORDERER_GENERAL_LISTENPORT: String(ports.orderer),
    ORDERER_GENERAL_LOCALMSPID: org,
    ORDERER_GENERAL_LOCALMSPDIR: folders.localMsp('orderer'),
    ORDERER_GENERAL_TLS_ENABLED: 'true',
    ORDERER_GENERAL_TLS_CERTIFICATE: tls.certificate,
    ORDERER_GENERAL_TLS_PRIVATEKEY: tls.key,
    ORDERER_GENERAL_TLS_ROOTCAS: `[${authority}]`,
    ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE: tls.certificate,
    ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY: tls.key,
    ORDERER_GENERAL_BOOTSTRAPMETHOD: 'none',
    ORDERER_GENERAL_AUTHENTICATION_TIMEWINDOW: settings.timeWindow,
    ORDERER_FILELEDGER_LOCATION: join(home, 'ledger'),
    ORDERER_CONSENSUS_WALDIR: join(home, 'consensus/wal'),
    ORDERER_CONSENSUS_SNAPDIR: join(home, 'consensus/snapshots'),
    ORDERER_CHANNELPARTICIPATION_ENABLED: 'true',
    ORDERER_ADMIN_LISTENADDRESS: address(ports.ordererAdmin),
    ORDERER_ADMIN_TLS_ENABLED: 'true',
    ORDERER_ADMIN_TLS_CERTIFICATE: tls.certificate,
    ORDERER_ADMIN_TLS_PRIVATEKEY: tls.key,
    ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED: 'true',
    ORDERER_ADMIN_TLS_CLIENTROOTCAS: `[${authority}]`,
    ORDERER_OPERATIONS_LISTENADDRESS: address(ports.ordererOperations),
  };
  return new Part({
    name: `orderer ${org}`,
    command: join(engine.bin, 'orderer'),
    args: [],
    environment,
    cwd: folders.home,
    noteFile: join(home, 'process.json'),
    logFile: join(home, 'orderer.log'),
    ports: [ports.orderer, ports.ordererAdmin, ports.ordererOperations],
    isReady: async () =>
      (await Promise.all([isHealthy(ports.ordererOperations), isOpen(ports.orderer), isOpen(ports.ordererAdmin)])).every(Boolean),
  });
}

export function peerPart({ folder, engine, plan }: Ground, org: OrgId): Part {
  const [folders, ports] = [organisationFolders(folder, org), portsOf(plan, org)];
  const home = folders.part('peer');
  const files = networkFiles(folder);
  const { gossip } = settings;
  const tls = folders.tls('peer');
  const environment = {
    ...bare,
    FABRIC_CFG_PATH: files.config,
    CORE_PEER_ID: `peer-${org.toLowerCase()}`,
    CORE_PEER_NETWORKID: plan.channel,
    CORE_PEER_LISTENADDRESS: address(ports.peer),
    CORE_PEER_ADDRESS: address(ports.peer),
    CORE_PEER_CHAINCODELISTENADDRESS: address(ports.peerChaincode),
    CORE_PEER_LOCALMSPID: org,
    CORE_PEER_MSPCONFIGPATH: folders.localMsp('peer'),
    CORE_PEER_FILESYSTEMPATH: join(home, 'ledger'),
    CORE_LEDGER_SNAPSHOTS_ROOTDIR: join(home, 'snapshots'),
    CORE_PEER_TLS_ENABLED: 'true',
    CORE_PEER_TLS_CERT_FILE: tls.certificate,
    CORE_PEER_TLS_KEY_FILE: tls.key,
    CORE_PEER_TLS_ROOTCERT_FILE: folders.tlsAuthority.certificate,
    CORE_PEER_GOSSIP_BOOTSTRAP: address(ports.peer),
    CORE_PEER_GOSSIP_ENDPOINT: address(ports.peer),
    CORE_PEER_GOSSIP_EXTERNALENDPOINT: address(ports.peer),
    CORE_PEER_GOSSIP_RECONNECTINTERVAL: gossip.reconnectInterval,
    CORE_PEER_GOSSIP_ALIVETIMEINTERVAL: gossip.aliveTimeInterval,
    CORE_PEER_GOSSIP_ALIVEEXPIRATIONTIMEOUT: gossip.aliveExpirationTimeout,
    CORE_PEER_GOSSIP_PUBLISHSTATEINFOINTERVAL: gossip.publishStateInfoInterval,
    CORE_PEER_GOSSIP_REQUESTSTATEINFOINTERVAL: gossip.requestStateInfoInterval,
    CORE_PEER_GOSSIP_PVTDATA_PULLRETRYTHRESHOLD: gossip.pullRetryThreshold,
    CORE_PEER_DELIVERYCLIENT_BLOCKCENSORSHIPTIMEOUTKEY: settings.blockCensorshipTimeout,
    CORE_PEER_AUTHENTICATION_TIMEWINDOW: settings.timeWindow,
    CORE_CHAINCODE_EXTERNALBUILDERS: JSON.stringify([{ name: 'ccaas', path: files.builder }]),
    CORE_CHAINCODE_EXECUTETIMEOUT: settings.chaincodeExecuteTimeout,
    CORE_OPERATIONS_LISTENADDRESS: address(ports.peerOperations),
  };
  return new Part({
    name: `peer ${org}`,
    command: join(engine.bin, 'peer'),
    args: ['node', 'start'],
    environment,
    cwd: folders.home,
    noteFile: join(home, 'process.json'),
    logFile: join(home, 'peer.log'),
    ports: [ports.peer, ports.peerChaincode, ports.peerOperations],
    isReady: async () => (await Promise.all([isHealthy(ports.peerOperations), isOpen(ports.peer)])).every(Boolean),
  });
}

/** The chaincode beside a country's peer, as an external service. `command` is run with the environment that `apps/contract` reads. */
export function chaincodePart({ folder, plan }: Ground, org: OrgId, packageId: string, command: readonly string[]): Part {
  const [folders, ports] = [organisationFolders(folder, org), portsOf(plan, org)];
  const home = folders.part('chaincode');
  const [program = process.execPath, ...args] = command;
  return new Part({
    name: `chaincode ${org}`,
    command: program,
    args,
    environment: {
      PATH: bare.PATH,
      CHAINCODE_ID: packageId,
      CHAINCODE_SERVER_ADDRESS: address(ports.chaincode),
      CHAINCODE_TLS_KEY_FILE: folders.tls('chaincode').key,
      CHAINCODE_TLS_CERT_FILE: folders.tls('chaincode').certificate,
      CHAINCODE_TLS_CLIENT_CACERT_FILE: folders.tlsAuthority.certificate,
    },
    cwd: folders.home,
    noteFile: join(home, 'process.json'),
    logFile: join(home, 'chaincode.log'),
    ports: [ports.chaincode],
    isReady: () => isOpen(ports.chaincode),
  });
}

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: HOST, port, path: '/healthz', timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
