import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OrgId } from '@portolan/contracts';
import { findJson, keepJson } from '../../world/files.js';
import { FabricCommands } from './commands.js';
import { portsOf } from './configtx.js';
import { organisationFolders } from './folders.js';
import type { Ground } from './parts.js';
import { HOST } from './settings.js';

const run = promisify(execFile);

/** What the channel agrees on about a chaincode. */
export interface ChaincodeDefinition {
  readonly name: string;
  readonly version: string;
  /** Who endorses, in Fabric's policy language: `OutOf(2,'EE.peer','PT.peer','BE.peer')`. */
  readonly policy: string;
}

/** The owner and `others` more countries: the owner's own word is asked for by its implicit collection besides. */
export function endorsementPolicy(countries: readonly OrgId[], others: number): string {
  if (others < 0 || others >= countries.length) throw new Error(`${others} other countries of ${countries.length} cannot endorse`);
  return `OutOf(${others + 1},${countries.map((org) => `'${org}.peer'`).join(',')})`;
}

/**
 * A country's package: where its chaincode service listens and how it is known, and no code. Its id holds the package's hash, so it is made once and kept.
 * @returns the package's id
 */
export async function ensurePackage(ground: Ground, org: OrgId, name: string): Promise<string> {
  const home = organisationFolders(ground.folder, org).part('chaincode');
  const file = packageFile(ground, org, name);
  if (!existsSync(file)) {
    const work = await mkdtemp(join(home, 'package-'));
    await writeFile(join(work, 'connection.json'), JSON.stringify(await connectionOf(ground, org)));
    await writeFile(join(work, 'metadata.json'), JSON.stringify({ type: 'ccaas', label: name }));
    await run('tar', ['-czf', 'code.tar.gz', 'connection.json'], { cwd: work });
    await run('tar', ['-czf', 'package.tgz', 'metadata.json', 'code.tar.gz'], { cwd: work });
    await rename(join(work, 'package.tgz'), file);
    await rm(work, { recursive: true });
  }
  return (await new FabricCommands(ground, org).peer(['lifecycle', 'chaincode', 'calculatepackageid', file])).trim();
}

/** Peer and chaincode know each other by certificates of their organisation. */
async function connectionOf({ folder, plan }: Ground, org: OrgId): Promise<object> {
  const folders = organisationFolders(folder, org);
  const { certificate, key } = folders.tls('chaincode-client');
  return {
    address: `${HOST}:${portsOf(plan, org).chaincode}`,
    dial_timeout: '10s',
    tls_required: true,
    client_auth_required: true,
    client_key: await readFile(key, 'utf8'),
    client_cert: await readFile(certificate, 'utf8'),
    root_cert: await readFile(folders.tlsAuthority.certificate, 'utf8'),
  };
}

const packageFile = ({ folder }: Ground, org: OrgId, name: string): string =>
  join(organisationFolders(folder, org).part('chaincode'), `${name}.tgz`);

export async function ensureInstalled(ground: Ground, org: OrgId, name: string, packageId: string): Promise<void> {
  const commands = new FabricCommands(ground, org);
  const listed = await commands.peer(['lifecycle', 'chaincode', 'queryinstalled', '-O', 'json']);
  const { installed_chaincodes: installed = [] } = JSON.parse(listed) as { installed_chaincodes?: { package_id: string }[] };
  if (installed.some(({ package_id: id }) => id === packageId)) return;
  await commands.peer(['lifecycle', 'chaincode', 'install', packageFile(ground, org, name)]);
}

/**
 * Sees to it that the channel has this definition: approved by each country that has a package id here, committed by the first. What
 * differs from what is committed is the next sequence. Answers whether anything was committed.
 */
export async function ensureDefinition(
  ground: Ground,
  definition: ChaincodeDefinition,
  packageIds: ReadonlyMap<OrgId, string>,
): Promise<boolean> {
  const record = join(ground.folder, `definition-${definition.name}.json`);
  const [first] = packageIds.keys();
  if (first === undefined) throw new Error('a chaincode needs a country that runs it');
  const sequence = await committedSequence(new FabricCommands(ground, first), definition.name);
  const wanted = { ...definition, packageIds: Object.fromEntries(packageIds) };
  if (JSON.stringify(await findJson(record)) === JSON.stringify({ ...wanted, sequence })) return false;
  const next = { ...definition, sequence: sequence + 1 };
  const commands = new FabricCommands(ground, first);
  await Promise.all([...packageIds].map(([org, id]) => approve(ground, next, org, id, commands.toOrderer)));
  const countries = [...packageIds.keys()];
  await commands.peer([...lifecycle(ground, 'commit', next), ...commands.toOrderer, ...commands.endorsedBy(countries)]);
  await keepJson(record, { ...wanted, sequence: next.sequence });
  return true;
}

type Sequenced = ChaincodeDefinition & { readonly sequence: number };

const lifecycle = ({ plan }: Ground, act: string, { name, version, policy, sequence }: Sequenced): string[] => [
  ...['lifecycle', 'chaincode', act, '--channelID', plan.channel, '--name', name, '--version', version],
  ...['--sequence', String(sequence), '--signature-policy', policy],
];

async function committedSequence(commands: FabricCommands, name: string): Promise<number> {
  const listed = await commands.peer(['lifecycle', 'chaincode', 'querycommitted', '--channelID', commands.channel, '-O', 'json']);
  const { chaincode_definitions: definitions = [] } = JSON.parse(listed) as {
    chaincode_definitions?: { name: string; sequence: number }[];
  };
  return definitions.find((one) => one.name === name)?.sequence ?? 0;
}

/**
 * An approval that stands is not given again: Fabric refuses to define the same anew. All go to the first founder's orderer, which leads
 * a new channel: under BFT any other would wait before it forwards.
 */
async function approve(ground: Ground, definition: Sequenced, org: OrgId, packageId: string, toOrderer: readonly string[]): Promise<void> {
  const commands = new FabricCommands(ground, org);
  const told = await commands.peer([...lifecycle(ground, 'checkcommitreadiness', definition), '-O', 'json']);
  if ((JSON.parse(told) as { approvals: Record<OrgId, boolean> }).approvals[org] === true) return;
  await commands.peer([...lifecycle(ground, 'approveformyorg', definition), '--package-id', packageId, ...toOrderer]);
}
