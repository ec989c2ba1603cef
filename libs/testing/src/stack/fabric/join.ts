import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError, type OrgId } from '@portolan/contracts';
import {
  ChannelAdmin,
  changesInWords,
  consentersOf,
  hasOrganisation,
  withConsenter,
  withOrganisation,
  type ChannelConfig,
  type ConfigGroup,
  type ConfigUpdate,
  type OrganisationDefinition,
} from '@portolan/fabric-admin';
import { keep } from '../../world/files.js';
import { FabricCommands } from './commands.js';
import { joiningConfiguration, portsOf } from './configtx.js';
import { organisationFolders } from './folders.js';
import { ensureOrdererJoined, ordererStatus, peerHeight, type OrdererStatus } from './found.js';
import type { Ground } from './parts.js';
import type { FabricOrganisation } from './plan.js';
import { HOST, settings } from './settings.js';

/** What an organisation hands to the members that are to let it in. */
export async function definitionOf(ground: Ground, organisation: FabricOrganisation): Promise<OrganisationDefinition> {
  const { org, kind } = organisation;
  const ports = portsOf(ground.plan, org);
  const folder = join(organisationFolders(ground.folder, org).home, 'joining');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await keep(join(folder, 'configtx.yaml'), joiningConfiguration(ground.folder, organisation, ports));
  const printed = await new FabricCommands(ground, org).run('configtxgen', ['-configPath', folder, '-printOrg', org]);
  return {
    v: 1,
    org,
    entry: JSON.parse(printed) as ConfigGroup,
    orderer: { host: HOST, port: ports.orderer },
    ...(kind === 'country' ? { peer: { host: HOST, port: ports.peer } } : {}),
  };
}

/** Lets an organisation in where it is no member yet: a majority of `members` sign. Answers whether anything was changed. */
export async function ensureMember(ground: Ground, members: readonly OrgId[], definition: OrganisationDefinition): Promise<boolean> {
  return changed(ground, members, (config) => (hasOrganisation(config, definition.org) ? config : withOrganisation(config, definition)));
}

/** Has the organisation's orderer agree on blocks, too, where it does not yet; it has caught up before. */
export async function ensureConsenter(ground: Ground, members: readonly OrgId[], org: OrgId): Promise<boolean> {
  const folders = organisationFolders(ground.folder, org);
  const [identityPem, tlsPem] = await Promise.all([
    readFile(folders.identity('orderer').certificate, 'utf8'),
    readFile(folders.tls('orderer').certificate, 'utf8'),
  ]);
  const endpoint = { host: HOST, port: portsOf(ground.plan, org).orderer };
  const consenter = { org, endpoint, identityPem, serverTlsPem: tlsPem, clientTlsPem: tlsPem };
  return changed(ground, members, (config) => (consentersOf(config).includes(org) ? config : withConsenter(config, consenter)));
}

/** Starts as a follower from the newest configuration block, and waits until it has what a founder has. */
export async function ensureOrdererFollows(ground: Ground, members: readonly OrgId[], org: OrgId): Promise<void> {
  const block = join(organisationFolders(ground.folder, org).home, 'joining', 'config.block');
  await mkdir(join(block, '..'), { recursive: true, mode: 0o700 });
  await adminOf(ground, first(members)).fetchBlock(block);
  await ensureOrdererJoined(ground, org, block);
  await ordererCaughtUp(ground, members, org, ['follower', 'consenter']);
}

/** Until it holds what a founder holds, in one of these relations to the channel. */
async function ordererCaughtUp(
  ground: Ground,
  members: readonly OrgId[],
  org: OrgId,
  as: readonly OrdererStatus['consensusRelation'][],
): Promise<void> {
  const statusOf = (one: OrgId): ReturnType<typeof ordererStatus> => ordererStatus(new FabricCommands(ground, one));
  const has = hasWhatStood(
    async () => (await statusOf(first(members)))?.height,
    async () => {
      const own = await statusOf(org);
      return own?.status === 'active' && as.includes(own.consensusRelation) ? own.height : undefined;
    },
  );
  await caughtUp(`orderer of ${org}`, has);
}

export async function ensurePeerCaughtUp(ground: Ground, member: OrgId, org: OrgId): Promise<void> {
  const has = hasWhatStood(
    () => peerHeight(ground, member),
    () => peerHeight(ground, org),
  );
  await caughtUp(`peer of ${org}`, has);
}

/**
 * Whether the newcomer has every block that the member had a short while ago. Both at the same moment is too much to ask of a channel in use: an orderer
 * that follows looks for new blocks every 0.5 to 10 s (Fabric 3.1, `orderer/common/follower/options.go`), and meanwhile there are more.
 */
export function hasWhatStood(theirs: () => Promise<number | undefined>, own: () => Promise<number | undefined>): () => Promise<boolean> {
  let goal: { readonly height: number; readonly at: number } | undefined;
  return async () => {
    if (goal === undefined || performance.now() - goal.at > settings.levelWithinMs) {
      const height = await theirs();
      goal = height === undefined ? undefined : { height, at: performance.now() };
    }
    const has = await own();
    return goal !== undefined && has !== undefined && has >= goal.height;
  };
}

/** Until the organisation's orderer itself says that it agrees on blocks, and has those on which the others agreed: one that has not yet is none that may be counted on. */
export async function ensureConsents(ground: Ground, members: readonly OrgId[], org: OrgId): Promise<void> {
  await ordererCaughtUp(ground, members, org, ['consenter']);
}

async function caughtUp(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + settings.readyWithinMs;
  while (!(await isDone().catch(() => false))) {
    if (performance.now() > until) throw new PortolanError('channel.not-caught-up', what);
    await pause(200);
  }
}

/** Changes the channel's configuration, signed by as many members as a majority takes; the last of them hands it in. */
async function changed(ground: Ground, members: readonly OrgId[], alter: (config: ChannelConfig) => ChannelConfig): Promise<boolean> {
  const before = await adminOf(ground, first(members)).config();
  const update = await adminOf(ground, first(members)).update(before, alter(before));
  if (update === undefined) return false;
  const majority = members.slice(0, Math.floor(members.length / 2) + 1);
  const isInForce = async (): Promise<boolean> => {
    const config = await adminOf(ground, first(members)).config();
    return changesInWords(config, alter(config)).length === 0;
  };
  try {
    await adminOf(ground, majority.at(-1) ?? '').submit(await signedBy(ground, majority.slice(0, -1), update));
  } catch (error) {
    // Handed in before by whoever was cut off, it came into force meanwhile: then this one is out of date, and not needed.
    await pause(2_000);
    if (!(await isInForce())) throw error;
  }
  // Handed in is not in force: the next step asks the channel.
  await caughtUp(`channel ${ground.plan.channel}`, isInForce);
  return true;
}

async function signedBy(ground: Ground, members: readonly OrgId[], unsigned: ConfigUpdate): Promise<ConfigUpdate> {
  let update = unsigned;
  for (const org of members) update = await adminOf(ground, org).sign(update);
  return update;
}

/** Fabric's programs for one organisation. One without a peer of its own runs them all the same: signing and submitting ask no peer. */
export function adminOf(ground: Ground, org: OrgId): ChannelAdmin {
  const commands = new FabricCommands(ground, org);
  return new ChannelAdmin({
    channel: commands.channel,
    peer: (args) => commands.peer(args),
    configtxlator: (args) => commands.run('configtxlator', args),
    toOrderer: commands.toOrderer,
  });
}

const first = (members: readonly OrgId[]): OrgId => {
  const [one] = members;
  if (one === undefined) throw new Error('a channel has members');
  return one;
};
