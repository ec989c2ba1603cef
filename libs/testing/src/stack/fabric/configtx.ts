import type { OrgId } from '@portolan/contracts';
import { organisationFolders } from './folders.js';
import type { FabricOrganisation, NetworkPlan, OrganisationPorts } from './plan.js';
import { HOST, settings } from './settings.js';

/** The name of the one profile, for `configtxgen -profile`. */
export const PROFILE = 'Founding';

const signature = (rule: string) => ({ Type: 'Signature', Rule: rule });
const implicit = (rule: string) => ({ Type: 'ImplicitMeta', Rule: rule });

/** An organisation as the channel's configuration has it, for the founding and for `configtxgen -printOrg`. */
export function organisationEntry(network: string, { org, kind }: FabricOrganisation, ports: OrganisationPorts): object {
  return {
    Name: org,
    ID: org,
    MSPDir: organisationFolders(network, org).msp,
    Policies: {
      Readers: signature(`OR('${org}.member')`),
      Writers: signature(`OR('${org}.member')`),
      Admins: signature(`OR('${org}.admin')`),
      Endorsement: signature(`OR('${org}.peer')`),
    },
    OrdererEndpoints: [`${HOST}:${ports.orderer}`],
    ...(kind === 'country' ? { AnchorPeers: [{ Host: HOST, Port: ports.peer }] } : {}),
  };
}

/** `configtx.yaml` of one organisation, for `configtxgen -printOrg`. */
export function joiningConfiguration(network: string, organisation: FabricOrganisation, ports: OrganisationPorts): string {
  return JSON.stringify({ Organizations: [organisationEntry(network, organisation, ports)] }, null, 2);
}

/** An orderer among those that agree on blocks. */
function consenterEntry(network: string, org: OrgId, ports: OrganisationPorts): object {
  return { ...endpointOf(network, org, ports), MSPID: org, Identity: organisationFolders(network, org).identity('orderer').certificate };
}

function endpointOf(network: string, org: OrgId, { orderer }: OrganisationPorts): object {
  const { certificate } = organisationFolders(network, org).tls('orderer');
  return { Host: HOST, Port: orderer, ClientTLSCert: certificate, ServerTLSCert: certificate };
}

/** `configtx.yaml` of the channel's founding, as JSON, which is YAML. */
export function foundingConfiguration(network: string, plan: NetworkPlan): string {
  const organisations = plan.founders.map((one) => organisationEntry(network, one, portsOf(plan, one.org)));
  const profile = {
    Policies: { Readers: implicit('ANY Readers'), Writers: implicit('ANY Writers'), Admins: implicit('MAJORITY Admins') },
    Capabilities: { V3_0: true },
    Orderer: { ...orderingOf(network, plan), Organizations: organisations },
    Application: {
      Capabilities: { V2_5: true },
      // A regulator without a peer counts among the organisations: four of them take three countries.
      Policies: {
        Readers: implicit('ANY Readers'),
        Writers: implicit('ANY Writers'),
        Admins: implicit('MAJORITY Admins'),
        Endorsement: implicit('MAJORITY Endorsement'),
        LifecycleEndorsement: implicit('MAJORITY Endorsement'),
      },
      Organizations: organisations,
    },
  };
  return JSON.stringify({ Profiles: { [PROFILE]: profile } }, null, 2);
}

export function portsOf({ ports }: Pick<NetworkPlan, 'ports'>, org: OrgId): OrganisationPorts {
  const own = ports[org];
  if (own === undefined) throw new Error(`no ports were kept for ${org}`);
  return own;
}

function orderingOf(network: string, plan: NetworkPlan): object {
  const { batch } = settings;
  return {
    BatchTimeout: batch.timeout,
    BatchSize: {
      MaxMessageCount: batch.maxMessageCount,
      AbsoluteMaxBytes: batch.absoluteMaxBytes,
      PreferredMaxBytes: batch.preferredMaxBytes,
    },
    Capabilities: { V2_0: true },
    Policies: {
      Readers: implicit('ANY Readers'),
      Writers: implicit('ANY Writers'),
      Admins: implicit('MAJORITY Admins'),
      BlockValidation: implicit('ANY Writers'),
    },
    ...(plan.consensus === 'bft' ? bftOf(network, plan) : raftOf(network, plan)),
  };
}

function bftOf(network: string, plan: NetworkPlan): object {
  const { bft, batch } = settings;
  return {
    OrdererType: 'BFT',
    ConsenterMapping: plan.founders.map(({ org }, i) => ({ ID: i + 1, ...consenterEntry(network, org, portsOf(plan, org)) })),
    SmartBFT: {
      RequestBatchMaxInterval: batch.timeout,
      RequestForwardTimeout: bft.requestForwardTimeout,
      RequestComplainTimeout: bft.requestComplainTimeout,
      RequestAutoRemoveTimeout: bft.requestAutoRemoveTimeout,
      ViewChangeResendInterval: bft.viewChangeResendInterval,
      ViewChangeTimeout: bft.viewChangeTimeout,
      LeaderHeartbeatTimeout: bft.leaderHeartbeatTimeout,
      LeaderHeartbeatCount: bft.leaderHeartbeatCount,
      CollectTimeout: bft.collectTimeout,
      IncomingMessageBufferSize: bft.incomingMessageBufferSize,
      RequestPoolSize: bft.requestPoolSize,
      SyncOnStart: bft.syncOnStart,
    },
  };
}

function raftOf(network: string, plan: NetworkPlan): object {
  const { raft } = settings;
  return {
    OrdererType: 'etcdraft',
    EtcdRaft: {
      Consenters: plan.founders.map(({ org }) => endpointOf(network, org, portsOf(plan, org))),
      Options: {
        TickInterval: raft.tickInterval,
        ElectionTick: raft.electionTick,
        HeartbeatTick: raft.heartbeatTick,
        MaxInflightBlocks: raft.maxInflightBlocks,
        SnapshotIntervalSize: raft.snapshotIntervalSize,
      },
    },
  };
}
