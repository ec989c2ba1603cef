import { join } from 'node:path';
import type { OrgId } from '@portolan/contracts';
import { findJson, keepJson } from '../../world/files.js';
import { freePorts } from '../../world/ports.js';

/** Who takes part. A country has orderer, peer and chaincode service; a regulator has an orderer alone. */
export interface FabricOrganisation {
  /** Also its MSP id. */
  readonly org: OrgId;
  readonly kind: 'country' | 'regulator';
}

/** `raft` is for clients that cannot speak to a BFT channel; a majority of its orderers must be honest as well as up. */
export type Consensus = 'bft' | 'raft';

/** One process of an organisation. */
export type PartName = 'orderer' | 'peer' | 'chaincode';

export interface OrganisationPorts {
  readonly orderer: number;
  readonly ordererAdmin: number;
  readonly ordererOperations: number;
  readonly peer: number;
  /** Where a peer waits for chaincode that it started itself; unused, but it always listens. */
  readonly peerChaincode: number;
  readonly peerOperations: number;
  readonly chaincode: number;
}

/** What a network is for as long as its folder is there: the channel's first block holds it. */
export interface NetworkPlan {
  readonly channel: string;
  readonly consensus: Consensus;
  /** The channel's founders, in the order of their orderers' ids. */
  readonly founders: readonly FabricOrganisation[];
  /** Those that joined the running channel later. */
  readonly joined: readonly FabricOrganisation[];
  readonly ports: Readonly<Record<OrgId, OrganisationPorts>>;
}

const portNames = ['orderer', 'ordererAdmin', 'ordererOperations', 'peer', 'peerChaincode', 'peerOperations', 'chaincode'] as const;

export const planFile = (folder: string): string => join(folder, 'network.json');
export const findPlan = (folder: string): Promise<NetworkPlan | undefined> => findJson<NetworkPlan>(planFile(folder));

export const partsOf = ({ kind }: FabricOrganisation): readonly PartName[] =>
  kind === 'country' ? ['orderer', 'peer', 'chaincode'] : ['orderer'];

export const membersOf = ({ founders, joined }: NetworkPlan): readonly FabricOrganisation[] => [...founders, ...joined];

export const countriesAmong = (organisations: readonly FabricOrganisation[]): OrgId[] =>
  organisations.filter(({ kind }) => kind === 'country').map(({ org }) => org);

export const countriesOf = (plan: NetworkPlan): OrgId[] => countriesAmong(membersOf(plan));

/**
 * The plan of a folder, made where there is none. Throws where the folder holds a network of other founders, another channel or another
 * consensus.
 */
export async function ensurePlan(folder: string, wanted: Pick<NetworkPlan, 'channel' | 'consensus' | 'founders'>): Promise<NetworkPlan> {
  const kept = await findPlan(folder);
  if (kept !== undefined) {
    const same = (['channel', 'consensus', 'founders'] as const).every((of) => JSON.stringify(kept[of]) === JSON.stringify(wanted[of]));
    if (!same) throw new Error(`${folder} holds another Fabric network\n  next: remove that folder, or name another one`);
    return kept;
  }
  const { channel, consensus, founders } = wanted;
  if (consensus === 'bft' && founders.length < 4) throw new Error('a BFT channel needs at least four orderers, one an organisation');
  const plan = { channel, consensus, founders, joined: [], ports: await portsFor(founders.map(({ org }) => org)) };
  await keepJson(planFile(folder), plan);
  return plan;
}

/** The plan with one organisation more, kept; the same where it is there. */
export async function planWith(folder: string, plan: NetworkPlan, organisation: FabricOrganisation): Promise<NetworkPlan> {
  const { org } = organisation;
  if (membersOf(plan).some((one) => one.org === org)) return plan;
  const ports = { ...plan.ports, ...(await portsFor([org])) };
  const wider = { ...plan, joined: [...plan.joined, organisation], ports };
  await keepJson(planFile(folder), wider);
  return wider;
}

export async function portsFor(orgs: readonly OrgId[]): Promise<Record<OrgId, OrganisationPorts>> {
  const free = await freePorts(orgs.length * portNames.length, 'fabric');
  return Object.fromEntries(
    orgs.map((org, i) => {
      const own = Object.fromEntries(portNames.map((name, j) => [name, free[i * portNames.length + j]]));
      return [org, own as Record<(typeof portNames)[number], number>];
    }),
  );
}
