import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { OrgId, PublicJwk } from '@portolan/contracts';
import type { ChannelAdmin } from '@portolan/fabric-admin';
import { findJson, keepJson } from '../../world/files.js';
import { endorsementPolicy, ensureDefinition, ensureInstalled, ensurePackage } from './chaincode.js';
import { FabricCommands } from './commands.js';
import { portsOf } from './configtx.js';
import type { FabricEngine } from './engine.js';
import { networkFiles, organisationFolders, type KeyFiles, type MemberName } from './folders.js';
import { adminOf, definitionOf, ensureConsenter, ensureConsents, ensureMember, ensureOrdererFollows, ensurePeerCaughtUp } from './join.js';
import {
  ensureGenesis,
  ensureOrdererJoined,
  ensurePeerJoined,
  ordererStatus,
  peerHeight,
  writeSharedFiles,
  type OrdererStatus,
} from './found.js';
import { certify, ensureMaterial } from './material.js';
import type { Part } from './part.js';
import { chaincodePart, ordererPart, peerPart, type Ground } from './parts.js';
import {
  countriesAmong,
  countriesOf,
  ensurePlan,
  findPlan,
  planWith,
  membersOf,
  partsOf,
  type Consensus,
  type FabricOrganisation,
  type NetworkPlan,
  type PartName,
} from './plan.js';
import { HOST, settings } from './settings.js';

/** The chaincode that each country runs beside its peer. */
export interface FabricChaincode {
  readonly name: string;
  readonly version: string;
  /** How many countries endorse beside the owner. */
  readonly others: number;
  /** Program and arguments; its environment is what `apps/contract` reads: package id, address, files of TLS. */
  readonly command: readonly string[];
}

export interface FabricOptions {
  /** Folder of this network alone; made where missing. What is in it is taken up again. */
  readonly folder: string;
  readonly engine: FabricEngine;
  readonly channel: string;
  readonly organisations: readonly FabricOrganisation[];
  /** `bft` where absent. */
  readonly consensus?: Consensus;
  readonly chaincode: FabricChaincode;
  /** True: the processes end with this one, unless that is killed. False: they live on, for the next start to take up. */
  readonly endsWithUs?: boolean;
  /** Told one line a step. */
  readonly say?: (line: string) => void;
}

/** What others need to speak with an organisation's part of the network. */
export interface OrganisationAccess {
  readonly mspId: OrgId;
  /** `host:port`, TLS by `tlsAuthorityPem`. A regulator has none. */
  readonly peer: string | undefined;
  readonly orderer: string;
  /** Plain HTTP on loopback: `/healthz`, `/metrics`. */
  readonly operations: { readonly peer: string | undefined; readonly orderer: string };
  readonly tlsAuthorityFile: string;
  readonly tlsAuthorityPem: string;
  readonly identities: Readonly<Record<MemberName, KeyFiles>>;
  /** Certificates by which its endorsements and blocks are verified. */
  readonly peerCertificatePem: string | undefined;
  readonly ordererCertificatePem: string;
}

export interface PartStatus {
  readonly org: OrgId;
  readonly part: PartName;
  readonly pid: number | undefined;
  readonly logFile: string;
}

/** What a later process needs to take the network up. */
interface Kept {
  readonly engine: FabricEngine;
  readonly chaincode: FabricChaincode;
  readonly packageIds: Readonly<Record<OrgId, string>>;
  /** Of organisations that run another one than `chaincode.command`. */
  readonly commands: Readonly<Record<OrgId, readonly string[]>>;
}

const keptFile = (folder: string): string => join(folder, 'stack.json');

/**
 * A Fabric channel on loopback, without containers: for each country orderer, peer and chaincode service, for a regulator an orderer. For
 * demonstration and tests: all organisations' keys lie in one folder.
 */
export class FabricStack {
  private readonly onExit = (): void => this.allParts().forEach((part) => part.killNow());

  private constructor(
    private readonly folder: string,
    private plan: NetworkPlan,
    private kept: Kept,
  ) {}

  /**
   * Starts on an empty folder, or on what is there; processes that still run are taken up. Answers when every peer can name endorsers for
   * the chaincode. Throws with the last lines of the log where a process does not get ready.
   */
  static async start(options: FabricOptions): Promise<FabricStack> {
    const { folder, channel, consensus = 'bft', organisations: founders, engine, chaincode, say = () => undefined } = options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const plan = await ensurePlan(folder, { channel, consensus, founders });
    const before = await findJson<Kept>(keptFile(folder));
    const stack = new FabricStack(folder, plan, { packageIds: {}, commands: {}, ...before, engine, chaincode });
    if (options.endsWithUs === true) process.once('exit', stack.onExit);
    await stack.found(say);
    return stack;
  }

  /** The network of a folder as it stands, running or not, without starting anything; undefined where there is none. */
  static async find(folder: string): Promise<FabricStack | undefined> {
    const [plan, kept] = [await findPlan(folder), await findJson<Kept>(keptFile(folder))];
    return plan === undefined || kept === undefined ? undefined : new FabricStack(folder, plan, kept);
  }

  get channel(): string {
    return this.plan.channel;
  }

  get chaincode(): FabricChaincode {
    return this.kept.chaincode;
  }

  get organisations(): readonly FabricOrganisation[] {
    return membersOf(this.plan);
  }

  /** Those of the channel's first block. */
  get founders(): readonly FabricOrganisation[] {
    return this.plan.founders;
  }

  get genesisFile(): string {
    return networkFiles(this.folder).genesis;
  }

  /** Folder in which the block files of a country's peer lie. */
  blocksOf(org: OrgId): string {
    return join(organisationFolders(this.folder, org).part('peer'), 'ledger/ledgersData/chains/chains', this.channel);
  }

  async access(org: OrgId): Promise<OrganisationAccess> {
    const [folders, ports] = [organisationFolders(this.folder, org), portsOf(this.plan, org)];
    const hasPeer = this.partNames(org).includes('peer');
    return {
      mspId: org,
      peer: hasPeer ? `${HOST}:${ports.peer}` : undefined,
      orderer: `${HOST}:${ports.orderer}`,
      operations: {
        peer: hasPeer ? `http://${HOST}:${ports.peerOperations}` : undefined,
        orderer: `http://${HOST}:${ports.ordererOperations}`,
      },
      tlsAuthorityFile: folders.tlsAuthority.certificate,
      tlsAuthorityPem: await readFile(folders.tlsAuthority.certificate, 'utf8'),
      identities: { notary: folders.identity('notary'), governance: folders.identity('governance'), admin: folders.identity('admin') },
      peerCertificatePem: hasPeer ? await readFile(folders.identity('peer').certificate, 'utf8') : undefined,
      ordererCertificatePem: await readFile(folders.identity('orderer').certificate, 'utf8'),
    };
  }

  /** As `certify` of the organisation's material: a certificate for a key that a node holds. PEM. */
  certify(org: OrgId, name: MemberName, publicJwk: PublicJwk): Promise<string> {
    return certify(this.folder, org, name, publicJwk);
  }

  /** Fabric's own programs, run for an organisation. */
  commands(org: OrgId): FabricCommands {
    return new FabricCommands(this.ground, org);
  }

  /** Changes of the channel's configuration, as an administrator of this organisation makes, signs and hands them in. */
  admin(org: OrgId): ChannelAdmin {
    return adminOf(this.ground, org);
  }

  status(): PartStatus[] {
    return this.organisations.flatMap(({ org }) =>
      this.partNames(org).map((part) => {
        const { pid, logFile } = this.part(org, part);
        return { org, part, pid, logFile };
      }),
    );
  }

  /** How far each orderer and peer is: what is asked first where a channel does not go on. One that does not answer tells why. */
  async levels(): Promise<readonly { org: OrgId; orderer: OrdererStatus | string | undefined; peer: number | string | undefined }[]> {
    return Promise.all(
      this.organisations.map(async ({ org }) => ({
        org,
        orderer: await ordererStatus(this.commands(org)).catch(String),
        peer: this.countries.includes(org) ? await peerHeight(this.ground, org).catch(String) : undefined,
      })),
    );
  }

  /** Ends all processes in order: chaincode and peers before orderers. */
  async stop(): Promise<void> {
    process.removeListener('exit', this.onExit);
    for (const name of ['chaincode', 'peer', 'orderer'] as const) await Promise.all(this.partsCalled(name).map((part) => part.stop()));
  }

  /** SIGKILL, as a crash would be; for fault tests. */
  kill(org: OrgId, part: PartName): Promise<void> {
    return this.part(org, part).kill();
  }

  /** Stops a process where it stands, or lets it go on; for fault tests. */
  freeze(org: OrgId, part: PartName, isFrozen: boolean): void {
    this.part(org, part).freeze(isFrozen);
  }

  /** Starts a process that was killed or stopped, and waits until it serves. */
  async restart(org: OrgId, part: PartName): Promise<void> {
    await this.part(org, part).stop();
    await this.part(org, part).start();
  }

  /** Has a country run another chaincode than agreed, as one that cheats would; undefined: the agreed one again. */
  async replaceChaincode(org: OrgId, command: readonly string[] | undefined): Promise<void> {
    const { [org]: _before, ...others } = this.kept.commands;
    await this.keep({ commands: command === undefined ? others : { ...others, [org]: command } });
    await this.part(org, 'chaincode').start();
  }

  /**
   * Adds a country to the running channel, while its traffic goes on: a majority of the members sign its entry, its peer catches up, its
   * chaincode is approved, and its orderer agrees on blocks from when it has caught up. Each step asks the channel whether it is done, so a joining
   * that was cut off is completed by another call.
   */
  async join(organisation: FabricOrganisation, say: (line: string) => void = () => undefined): Promise<void> {
    this.plan = await planWith(this.folder, this.plan, organisation);
    await this.found(say);
  }

  private membersBefore(org: OrgId): OrgId[] {
    const names = this.organisations.map((one) => one.org);
    return names.slice(0, names.indexOf(org));
  }

  private async found(say: (line: string) => void): Promise<void> {
    const orgs = this.organisations.map(({ org }) => org);
    say('fabric: keys and certificates');
    await Promise.all(this.organisations.map((one) => ensureMaterial(this.folder, one)));
    await writeSharedFiles(this.ground);
    const genesis = await ensureGenesis(this.ground, this.plan);
    say(`fabric: ${orgs.length} orderers and ${this.countries.length} peers`);
    await Promise.all([...this.partsCalled('orderer'), ...this.partsCalled('peer')].map((part) => part.start()));
    say(`fabric: channel ${this.channel}`);
    const { founders, joined } = this.plan;
    await Promise.all(founders.map(({ org }) => ensureOrdererJoined(this.ground, org, genesis)));
    await Promise.all(countriesAmong(founders).map((org) => ensurePeerJoined(this.ground, org, genesis)));
    for (const one of joined) await this.letIn(one, genesis, say);
    say(`fabric: chaincode ${this.chaincode.name}`);
    await this.runChaincode();
    await Promise.all(this.countries.map((org) => this.seesEndorsers(org, say)));
    for (const one of joined) await this.letOrder(one, say);
  }

  /** A member by the word of a majority, with a peer that has read the channel from its first block on. */
  private async letIn(organisation: FabricOrganisation, genesis: string, say: (line: string) => void): Promise<void> {
    const { org } = organisation;
    const members = this.membersBefore(org);
    if (await ensureMember(this.ground, members, await definitionOf(this.ground, organisation)))
      say(`fabric: a majority of ${members.join(', ')} signed the entry of ${org}`);
    if (!partsOf(organisation).includes('peer')) return;
    await ensurePeerJoined(this.ground, org, genesis);
    await ensurePeerCaughtUp(this.ground, members[0] ?? org, org);
  }

  private async letOrder({ org }: FabricOrganisation, say: (line: string) => void): Promise<void> {
    const members = this.membersBefore(org);
    await ensureOrdererFollows(this.ground, members, org);
    if (await ensureConsenter(this.ground, members, org)) say(`fabric: the orderer of ${org} agrees on blocks from now on`);
    await ensureConsents(this.ground, members, org);
  }

  private async runChaincode(): Promise<void> {
    const { name, version, others } = this.chaincode;
    const { countries, ground } = this;
    const packageIds = new Map<OrgId, string>();
    await Promise.all(countries.map(async (org) => mkdir(organisationFolders(this.folder, org).part('chaincode'), { recursive: true })));
    for (const org of countries) packageIds.set(org, this.kept.packageIds[org] ?? (await ensurePackage(ground, org, name)));
    await this.keep({ packageIds: Object.fromEntries(packageIds) });
    await Promise.all(this.partsCalled('chaincode').map((part) => part.start()));
    await Promise.all([...packageIds].map(([org, id]) => ensureInstalled(ground, org, name, id)));
    await ensureDefinition(ground, { name, version, policy: endorsementPolicy(countries, others) }, packageIds);
  }

  /**
   * Peers hear of each other by gossip, some time after they joined: until then a client finds no endorsers. One that still has not after a third of
   * the time is started again, once: after a change of the channel's orderers a peer was seen that read no further blocks until then.
   */
  private async seesEndorsers(org: OrgId, say: (line: string) => void): Promise<void> {
    const began = performance.now();
    let startedAgain = false;
    for (;;) {
      const missing = await this.endorsersMissing(org);
      if (missing === undefined) return;
      const waited = performance.now() - began;
      if (waited > settings.readyWithinMs) {
        const words = await this.part(org, 'peer').lastLogLines();
        throw new Error(`the peer of ${org} finds no endorsers: ${missing}; its log ends with:\n${words}`);
      }
      if (!startedAgain && waited > settings.readyWithinMs / 3) {
        startedAgain = true;
        say(`fabric: the peer of ${org} finds no endorsers yet, and is started again`);
        await this.restart(org, 'peer');
      }
      await pause(200);
    }
  }

  private async endorsersMissing(org: OrgId): Promise<string | undefined> {
    const told = await this.commands(org)
      .discover(['endorsers', '--chaincode', this.chaincode.name])
      .catch((error: unknown) => String(error));
    const unseen = this.countries.filter((country) => !told.includes(`"MSPID": "${country}"`));
    return unseen.length === 0 ? undefined : `${unseen.join(', ')} unseen: ${told.slice(-300)}`;
  }

  private get ground(): Ground {
    return { folder: this.folder, engine: this.kept.engine, plan: this.plan };
  }

  private get countries(): OrgId[] {
    return countriesOf(this.plan);
  }

  private async keep(change: Partial<Kept>): Promise<void> {
    this.kept = { ...this.kept, ...change };
    await keepJson(keptFile(this.folder), this.kept);
  }

  private partNames(org: OrgId): readonly PartName[] {
    const found = this.organisations.find((one) => one.org === org);
    return found === undefined ? [] : partsOf(found);
  }

  private partsCalled(name: PartName): Part[] {
    return this.organisations.filter((one) => partsOf(one).includes(name)).map(({ org }) => this.part(org, name));
  }

  private allParts(): Part[] {
    return (['chaincode', 'peer', 'orderer'] as const).flatMap((name) => this.partsCalled(name));
  }

  private part(org: OrgId, name: PartName): Part {
    if (!this.partNames(org).includes(name)) throw new Error(`${org} has no ${name}`);
    if (name === 'orderer') return ordererPart(this.ground, org);
    if (name === 'peer') return peerPart(this.ground, org);
    return chaincodePart(this.ground, org, this.kept.packageIds[org] ?? '', this.kept.commands[org] ?? this.chaincode.command);
  }
}
