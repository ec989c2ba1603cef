import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Validators, type CountryCode, type NodeConfig } from '@portolan/contracts';
import type { EdgeTx, PrincipalKind, Role, UnitOfWork } from '@portolan/domain';
import { R4Definitions, R4Validator, R4Xml } from '@portolan/fhir-validator';
import { generateJwtKey, JwtAccessTokens, JwtProfessionalAssertions, jwksOf, signJwt } from '@portolan/jose';
import { addMasterKey, MasterKeyDataKeys, sha256, SystemClock, SystemRandom } from '@portolan/keys';
import { openEdgeDatabase, testCluster } from '@portolan/postgres';
import { startTelemetry } from '@portolan/telemetry';
import { readCountry } from '../../config/read-country.js';
import { InProcessClient, InProcessHub, InProcessServer } from '../../link/in-process.js';
import { RoleLink } from '../../link/role-link.js';
import type { Query } from '../../link/role.controller.js';
import { NodeLogger } from '../../runtime/logger.js';
import { Answers } from '../answers.js';
import { EdgeModule } from '../edge.module.js';
import type { EdgeParts, SendingSystem } from '../edge.parts.js';
import { IngestModule, IngestService, MllpServer, type MllpServerLimits } from '../ingest/index.js';
import { OperatorModule } from '../operator/index.js';
import { ProblemModule } from '../problem.filter.js';

const ISSUER = 'https://login.example';
const AUDIENCE = 'https://node.example';

export interface TestEdge {
  readonly home: string;
  readonly parts: EdgeParts;
  readonly uow: UnitOfWork<EdgeTx>;
  readonly ingest: IngestService;
  readonly mllp: { readonly host: string; readonly port: number };
  readonly http: string;
  /** Every log line so far. */
  readonly log: readonly string[];
  /** How the exchange asks this edge. */
  readonly asExchange: RoleLink;
  token(kind: PrincipalKind, clientId?: string): Promise<string>;
  close(): Promise<void>;
}

export interface TestEdgeOptions {
  /** Names of systems of one hospital, or systems of others. */
  readonly sources?: readonly (string | SendingSystem)[];
  /** Folder of the countries, where it is not the clone's own. */
  readonly countries?: string;
  readonly limits?: Partial<MllpServerLimits>;
  /** Wraps the unit of work, to make it fail. */
  readonly faulty?: (uow: UnitOfWork<EdgeTx>) => UnitOfWork<EdgeTx>;
  /** Another edge of the same country: the two are copies, with one master key. */
  readonly copyOf?: TestEdge;
  /** What the other roles answer; without, they are not reachable. */
  readonly queries?: Partial<Record<Role, Readonly<Record<string, Query>>>>;
}

/** The ingest and operator rooms of a country's edge on a real database, real sockets and real tokens; the other roles only answer queries. */
export async function testEdge(country: CountryCode, options: TestEdgeOptions = {}): Promise<TestEdge> {
  const home = options.copyOf?.home ?? (await mkdtemp(join(tmpdir(), 'portolan-edge-')));
  if (options.copyOf === undefined) await addMasterKey([home]);
  const cluster = await testCluster();
  const { edge: address } = await cluster.country(country);
  const database = await openEdgeDatabase(
    { address, applicationName: 'test-edge', poolSize: 8, maxRefusals: 3 },
    await MasterKeyDataKeys.open(home),
  );
  const key = await generateJwtKey('test');
  const log: string[] = [];
  const parts = await partsOf(country, options, { database, key, log });
  const app = await NestFactory.create<NestFastifyApplication>(
    EdgeModule.of(parts, { uow: parts.uow, deliveries: { accept: async () => undefined, told: async () => undefined }, queries: {} }, [
      ProblemModule,
      IngestModule,
      OperatorModule,
    ]),
    new FastifyAdapter({ bodyLimit: 1_500_000, forceCloseConnections: true }),
    { logger: parts.logger, abortOnError: false },
  );
  const hub = new InProcessHub();
  app.connectMicroservice<MicroserviceOptions>({ strategy: new InProcessServer(hub, 'edge') });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const ingest = app.get(IngestService);
  const limits = { maxFrameBytes: 1_200_000, frameMs: 10_000, idleMs: 20_000, maxConnections: 20, graceMs: 5_000, ...options.limits };
  const mllp = new MllpServer(ingest, parts, limits);
  const port = await mllp.listen({ host: '127.0.0.1', port: 0 });
  return {
    home,
    parts,
    uow: database.uow,
    ingest,
    mllp: { host: '127.0.0.1', port },
    http: await app.getUrl(),
    log,
    asExchange: new RoleLink(new Map([['edge', new InProcessClient(hub, 'exchange', 'edge')]]), 5_000),
    token: (kind, clientId = 'client') => tokenOf(kind, clientId, key),
    async close() {
      await mllp.close();
      await app.close();
      await database.close();
      if (options.copyOf === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}

type Ground = {
  readonly database: Awaited<ReturnType<typeof openEdgeDatabase>>;
  readonly key: Awaited<ReturnType<typeof generateJwtKey>>;
  readonly log: string[];
};

async function partsOf(country: CountryCode, options: TestEdgeOptions, { database, key, log }: Ground): Promise<EdgeParts> {
  const clock = new SystemClock();
  const validators = new Validators();
  const countries = options.countries ?? join(import.meta.dirname, '../../../../countries');
  const custodian = { name: `Test record of ${country}`, identifier: { system: 'urn:portolan:demo', value: 'custodian' } };
  const { setting, pack } = await readCountry({ country, home: countries, countries, custodian } as NodeConfig, validators);
  const definitions = new R4Definitions();
  const organisation = { system: 'urn:portolan:demo:organisation', value: 'hospital', name: 'Näidishaigla' };
  const { telemetry } = await startTelemetry(country, 'edge', { kind: 'none' });
  return {
    country: setting,
    pack,
    partners: [],
    clock,
    random: new SystemRandom(),
    sha256,
    validators,
    uow: options.faulty?.(database.uow) ?? database.uow,
    wakeups: database.wakeups,
    answers: new Answers(database),
    link: await linkTo(options.queries ?? {}),
    tokens: new JwtAccessTokens({
      issuers: [{ issuer: ISSUER, keys: { keys: jwksOf([key]) }, kinds: ['system', 'person', 'operator'], providerSystem: 'urn:test' }],
      audience: AUDIENCE,
      clock,
    }),
    professionals: new JwtProfessionalAssertions({ clients: [], audience: AUDIENCE, clock }),
    fhirValidator: new R4Validator(definitions),
    fhirXml: new R4Xml(definitions),
    telemetry,
    logger: new NodeLogger({ country, role: 'edge' }, 'info', (line) => log.push(line)),
    mode: 'demo',
    tokenIssuer: ISSUER,
    fhirBase: 'http://127.0.0.1/fhir',
    sources: (options.sources ?? []).map((source) => (typeof source === 'string' ? { name: source, organisation } : source)),
  };
}

/** The other roles as servers of the in-process transport that answer the given queries. */
async function linkTo(queries: NonNullable<TestEdgeOptions['queries']>): Promise<RoleLink> {
  const hub = new InProcessHub();
  for (const role of ['exchange', 'notary'] as const) {
    const answers = queries[role];
    if (answers === undefined) continue;
    const server = new InProcessServer(hub, role);
    server.addHandler('query', async ({ name, data }: { name: string; data: unknown }) => ({
      answer: await answers[name]?.(data as never, 'edge'),
    }));
    await new Promise<void>((resolve) => server.listen(resolve));
  }
  const roles = ['exchange', 'notary'] as const;
  return new RoleLink(new Map(roles.map((role) => [role, new InProcessClient(hub, 'edge', role)])), 5_000);
}

function tokenOf(kind: PrincipalKind, clientId: string, key: Ground['key']): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const subject = kind === 'system' ? clientId : 'operator-1';
  const person = kind === 'person' ? { ptl_person: { system: 'urn:test', value: '1' } } : {};
  const claims = {
    iss: ISSUER,
    sub: subject,
    aud: AUDIENCE,
    client_id: clientId,
    iat,
    exp: iat + 300,
    jti: crypto.randomUUID(),
    ptl_kind: kind,
    ...person,
  };
  return signJwt(claims, key, 'at+jwt');
}
