import { PortolanError, type NodeConfig } from '@portolan/contracts';
import { readNodeConfig } from '@portolan/nest/config';
import { findConfig } from '../files/find-config.js';
import type { OperatorFlags } from '../files/node-options.js';
import type { Terminal } from '../terminal.js';
import { OperatorApi } from './operator-api.js';

/** Account of the operator at each country's demonstration provider. */
const OPERATOR = 'operator';

/** The operator's way into the node that a command names. */
export async function operatorAt(flags: OperatorFlags, terminal: Terminal): Promise<OperatorApi> {
  return operatorOf(await readNodeConfig(await findConfig(flags, terminal)), flags.token);
}

/** The operator's way into a node: by the token that was given, or in a demonstration by a login of its own at the first call. */
export function operatorOf(config: NodeConfig, given: string | undefined): OperatorApi {
  let token: Promise<string> | undefined;
  return new OperatorApi(
    `http://${config.http.host}:${config.http.port}`,
    () => (token ??= given === undefined ? demoToken(config) : Promise.resolve(given)),
  );
}

async function demoToken({ mode, country, openid }: NodeConfig): Promise<string> {
  if (mode !== 'demo') throw new PortolanError('cli.token-missing', country);
  const { demoLogin } = await import('@portolan/testing/client');
  return demoLogin(openid.issuer, OPERATOR);
}
