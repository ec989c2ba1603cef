import type { NodeConfig } from '@portolan/contracts';
import { roles, type Role } from '@portolan/domain';
import { CountryFolders } from '@portolan/keys';
import { tcpTransport, togetherTransport } from '../link/transport.js';
import { NodeLogger, type LogSink } from '../runtime/logger.js';
import { Opened, type RoleApp } from '../runtime/role-app.js';
import { startRole } from './start-role.js';

/** A running node, or one role of it as its own process. */
export interface RunningNode {
  readonly roles: readonly Role[];
  close(): Promise<void>;
}

/**
 * Starts what this process is to run of a country: all three roles together, or one of them apart. Where the configuration came from a file,
 * partners follow it while the node runs.
 */
export async function startNode(config: NodeConfig, only: Role | undefined, sink: LogSink, configFile?: string): Promise<RunningNode> {
  const logOf = (role: Role): NodeLogger => new NodeLogger({ country: config.country, role }, config.logging.level, sink);
  const transport =
    config.transport.kind === 'together' ? togetherTransport() : tcpTransport(config, new CountryFolders(config.home), logOf);
  // The notary first and the edge last: who is asked is there before who asks.
  const wanted = only === undefined ? [...roles].reverse() : [only];
  const opened = new Opened();
  try {
    for (const role of wanted) {
      const app: RoleApp = await startRole(role, config, transport, sink, configFile);
      opened.add(() => app.close());
    }
  } catch (error) {
    await opened.close();
    throw error;
  }
  return { roles: wanted, close: () => opened.close() };
}
