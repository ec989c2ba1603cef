import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { OrgId } from '@portolan/contracts';
import { keep } from '../../world/files.js';
import { FabricCommands } from './commands.js';
import { foundingConfiguration, PROFILE } from './configtx.js';
import { networkFiles } from './folders.js';
import type { Ground } from './parts.js';
import type { NetworkPlan } from './plan.js';

/** The peer's three questions to whoever brings chaincode to life; ours is a service that runs already, so nothing is built. */
const builder: Readonly<Record<'detect' | 'build' | 'release', string>> = {
  detect: `#!/bin/sh
# detect SOURCE METADATA: ours, where the package says that the chaincode is a service
exec grep -q '"type" *: *"ccaas"' "$2/metadata.json"
`,
  build: `#!/bin/sh
# build SOURCE METADATA OUTPUT
exec cp "$1/connection.json" "$3/connection.json"
`,
  release: `#!/bin/sh
# release OUTPUT RELEASE: where the peer looks for the service's address
set -e
mkdir -p "$2/chaincode/server"
cp "$1/connection.json" "$2/chaincode/server/connection.json"
`,
};

const DOCKER = 'endpoint: unix:///var/run/docker.sock';

/** Files that all processes on this machine share: Fabric's sample configuration, less its container engine, and the builder. */
export async function writeSharedFiles({ folder, engine }: Ground): Promise<void> {
  const files = networkFiles(folder);
  const core = await readFile(join(engine.config, 'core.yaml'), 'utf8');
  if (!core.includes(DOCKER)) throw new Error(`core.yaml of Fabric ${engine.version} names no container engine where it was expected`);
  // An empty variable would not override it, and health checks would ask for the engine.
  await keep(join(files.config, 'core.yaml'), core.replace(DOCKER, 'endpoint:'));
  await keep(join(files.config, 'orderer.yaml'), await readFile(join(engine.config, 'orderer.yaml'), 'utf8'));
  for (const [name, text] of Object.entries(builder)) {
    const file = join(files.builder, 'bin', name);
    await keep(file, text);
    await chmod(file, 0o700);
  }
}

/** The channel's first block, which every orderer and peer joins with. */
export async function ensureGenesis(ground: Ground, plan: NetworkPlan): Promise<string> {
  const { genesis } = networkFiles(ground.folder);
  if (existsSync(genesis)) return genesis;
  const founding = join(ground.folder, 'founding');
  await mkdir(founding, { recursive: true, mode: 0o700 });
  await keep(join(founding, 'configtx.yaml'), foundingConfiguration(ground.folder, plan));
  const [first] = plan.founders;
  const commands = new FabricCommands(ground, first?.org ?? '');
  const draft = `${genesis}.new`;
  await commands.run('configtxgen', ['-configPath', founding, '-profile', PROFILE, '-channelID', plan.channel, '-outputBlock', draft]);
  await rename(draft, genesis);
  return genesis;
}

/** Has an organisation's orderer take part in the channel. Answers whether it did not yet. */
export async function ensureOrdererJoined(ground: Ground, org: OrgId, block: string): Promise<boolean> {
  const commands = new FabricCommands(ground, org);
  if ((await ordererStatus(commands)) !== undefined) return false;
  const told = await commands.osnadmin(['join', '--channelID', commands.channel, '--config-block', block]);
  if (!told.includes('Status: 201')) throw new Error(`the orderer of ${org} did not join ${commands.channel}: ${told.trim()}`);
  return true;
}

export interface OrdererStatus {
  readonly status: 'active' | 'inactive' | 'onboarding' | 'failed';
  readonly consensusRelation: 'consenter' | 'follower' | 'config-tracker' | 'other';
  /** Blocks it has. */
  readonly height: number;
}

/** How an orderer takes part in the channel; undefined where it does not. */
export async function ordererStatus(commands: FabricCommands): Promise<OrdererStatus | undefined> {
  const told = await commands.osnadmin(['list', '--channelID', commands.channel]);
  if (told.includes('Status: 404')) return undefined;
  if (!told.includes('Status: 200')) throw new Error(`the orderer of ${commands.org} does not tell of ${commands.channel}: ${told.trim()}`);
  return JSON.parse(told.slice(told.indexOf('{'))) as OrdererStatus;
}

/** Has an organisation's peer take part in the channel. Answers whether it did not yet. */
export async function ensurePeerJoined(ground: Ground, org: OrgId, block: string): Promise<boolean> {
  const commands = new FabricCommands(ground, org);
  const listed = await commands.peer(['channel', 'list']);
  if (listed.split('\n').includes(commands.channel)) return false;
  await commands.peer(['channel', 'join', '-b', block]);
  return true;
}

/** Blocks that an organisation's peer has of the channel. */
export async function peerHeight(ground: Ground, org: OrgId): Promise<number> {
  const commands = new FabricCommands(ground, org);
  const told = await commands.peer(['channel', 'getinfo', '-c', commands.channel]);
  return (JSON.parse(told.slice(told.indexOf('{'))) as { height: number }).height;
}
