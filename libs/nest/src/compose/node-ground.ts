import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PortolanError, Validators, type NodeConfig } from '@portolan/contracts';
import { Checkpoint, type AccessTokens, type Clock, type ProfessionalAssertions, type Random, type Role } from '@portolan/domain';
import { JwtAccessTokens, JwtProfessionalAssertions } from '@portolan/jose';
import { CountryFolders, SystemClock, SystemRandom } from '@portolan/keys';
import type { RoleDatabaseConfig } from '@portolan/postgres';
import { startTelemetry, type RunningTelemetry } from '@portolan/telemetry';
import { DEFAULT_KEPT, type Kept } from '../link/retention.js';
import { PartnerList } from '../runtime/partner-list.js';
import { FileCheckpoint, noCheckpoint } from '../runtime/checkpoint.js';
import { NodeLogger, type LogSink } from '../runtime/logger.js';

/** What every role of a node stands on, made once a role. */
export interface NodeGround {
  readonly config: NodeConfig;
  /** As the configuration file has them now. */
  readonly partners: PartnerList;
  readonly folders: CountryFolders;
  readonly validators: Validators;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: NodeLogger;
  readonly checkpoint: Checkpoint;
  readonly telemetry: RunningTelemetry;
  /** How long work that a copy of a role took stays its own; then another takes it up. */
  readonly takeOverAfterMs: number;
  /** How long rows are kept that have served. */
  readonly kept: Kept;
}

const TAKE_OVER_AFTER_MS = 20_000;
const DAY_MS = 86_400_000;

export async function nodeGround(config: NodeConfig, role: Role, sink: LogSink, configFile?: string): Promise<NodeGround> {
  const logger = new NodeLogger({ country: config.country, role }, config.logging.level, sink);
  return {
    config,
    partners: new PartnerList(config, configFile, logger),
    folders: new CountryFolders(config.home),
    validators: new Validators(),
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger,
    checkpoint: config.checkpointFile === undefined ? noCheckpoint : new FileCheckpoint(config.checkpointFile),
    telemetry: await startTelemetry(config.country, role, config.telemetry),
    takeOverAfterMs: config.takeOverAfterMs ?? TAKE_OVER_AFTER_MS,
    kept: keptOf(config),
  };
}

function keptOf({ retention }: NodeConfig): Kept {
  const { inboxDays, deliveredDays } = retention ?? {};
  return {
    inboxMs: inboxDays === undefined ? DEFAULT_KEPT.inboxMs : inboxDays * DAY_MS,
    deliveredMs: deliveredDays === undefined ? DEFAULT_KEPT.deliveredMs : deliveredDays * DAY_MS,
  };
}

/** Where a role finds its schema: address from the configuration, password from the role's own folder. */
export async function databaseOf(config: NodeConfig, role: Role): Promise<RoleDatabaseConfig> {
  const { host, port, name, poolSize } = config.database;
  const password = await readFile(join(config.home, role, 'database.secret'), 'utf8').catch(() => {
    throw new PortolanError('config.unreadable', `${role}/database.secret`);
  });
  const user = `${config.country.toLowerCase()}_${role}`;
  const address = { host, port, database: name, user, password: password.trim() };
  return { address, applicationName: `portolan-${config.country.toLowerCase()}-${role}`, ...(poolSize === undefined ? {} : { poolSize }) };
}

/** Verifiers of access tokens and of statements about who acts; edge and exchange each have their own. */
export function verifiersOf({ config, clock }: NodeGround): { tokens: AccessTokens; professionals: ProfessionalAssertions } {
  const { issuer, audience, jwksUri, providerSystem } = config.openid;
  const kinds = ['system', 'clinician-app', 'person', 'regulator', 'operator'] as const;
  return {
    tokens: new JwtAccessTokens({ issuers: [{ issuer, keys: { url: jwksUri }, kinds, providerSystem }], audience, clock }),
    professionals: new JwtProfessionalAssertions({
      clients: config.clients.map(({ clientId, jwks, providerSystem: system }) => ({
        clientId,
        keys: { keys: jwks },
        providerSystem: system,
      })),
      audience,
      clock,
    }),
  };
}
