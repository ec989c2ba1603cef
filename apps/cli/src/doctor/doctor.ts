import type { NodeConfig } from '@portolan/contracts';
import { readNodeConfig } from '@portolan/nest';
import { demoFolder, everyConfig, findConfig } from '../files/find-config.js';
import type { NodeFlags } from '../files/node-options.js';
import { operatorOf } from '../operator/operator-of.js';
import { exits, type Exit, type Terminal } from '../terminal.js';
import { countryFindings } from './country.checks.js';
import { databaseFindings } from './database.checks.js';
import { bad, good, looked, type Finding } from './finding.js';
import { folderFindings } from './folder.checks.js';
import { healthFindings } from './health.checks.js';
import { certificateFindings, keyFindings } from './key.checks.js';
import { nodeVersionFinding } from './machine.checks.js';
import { ordererFindings } from './orderer.checks.js';
import { peerFindings } from './peer.checks.js';
import { isNode, portFindings } from './port.checks.js';
import { wayFindings } from './way.checks.js';

export interface DoctorFlags extends NodeFlags {
  readonly token?: string;
  readonly json: boolean;
}

/** `portolan doctor`: looks at everything, stops at nothing, changes nothing. */
export async function doctor(flags: DoctorFlags, terminal: Terminal): Promise<Exit> {
  const findings: Finding[] = [nodeVersionFinding(process.versions.node)];
  for (const file of await configFiles(flags, terminal)) findings.push(...(await nodeFindings(file, flags.token, terminal)));
  if (findings.length === 1) findings.push(noConfiguration(flags, terminal));
  const ok = findings.every((finding) => finding.ok);
  if (flags.json) terminal.out(JSON.stringify({ ok, findings }));
  else for (const line of report(findings)) terminal.out(line);
  return ok ? exits.ok : exits.failed;
}

async function configFiles(flags: DoctorFlags, terminal: Terminal): Promise<readonly string[]> {
  const named = flags.config ?? flags.country;
  return named === undefined ? everyConfig(demoFolder(flags, terminal)) : [await findConfig(flags, terminal)];
}

function noConfiguration(flags: DoctorFlags, terminal: Terminal): Finding {
  const next = 'Start portolan demo once, or name a node by --config FILE';
  return bad('configuration', `none under ${demoFolder(flags, terminal)}`, next);
}

async function nodeFindings(file: string, token: string | undefined, terminal: Terminal): Promise<readonly Finding[]> {
  let config: NodeConfig | undefined;
  const read = await looked(`configuration ${file}`, 'Correct the file', async () => {
    config = await readNodeConfig(file);
    return good(`${config.country} configuration`, file);
  });
  if (config === undefined) return read;
  terminal.note(`looking at ${config.country} …`);
  const runs = await isNode(config);
  const parts = await Promise.all([
    countryFindings(config),
    folderFindings(config),
    keyFindings(config),
    certificateFindings(config),
    databaseFindings(config),
    portFindings(config, runs),
    ordererFindings(config),
    peerFindings(config),
    wayFindings(config),
    runs ? healthFindings(config.country, operatorOf(config, token)) : [],
  ]);
  return [...read, ...parts.flat()];
}

function report(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const wrong = findings.filter(({ ok }) => !ok).length;
  return [
    ...findings.flatMap(({ check, ok, what, next }) => [
      `${ok ? 'ok   ' : 'WRONG'}  ${check.padEnd(width)}  ${what}`,
      ...(ok ? [] : [`${' '.repeat(width + 9)}next: ${next}`]),
    ]),
    wrong === 0 ? `${findings.length} checks, nothing wrong` : `${findings.length} checks, ${wrong} wrong`,
  ];
}
