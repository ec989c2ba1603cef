import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { R4Definitions, R4Validator, R4Xml } from '@portolan/fhir-validator';
import { FileErasureRegister, MasterKeyDataKeys, sha256 } from '@portolan/keys';
import { openEdgeDatabase } from '@portolan/postgres';
import { readCountry } from '../config/read-country.js';
import { Answers } from '../edge/answers.js';
import { edgeHandlers } from '../edge/edge.handlers.js';
import { EdgeModule } from '../edge/edge.module.js';
import type { EdgeParts } from '../edge/edge.parts.js';
import { FhirModule } from '../edge/fhir/index.js';
import { edgeHttpAdapter } from '../edge/http-adapter.js';
import { IngestModule, IngestService, MllpServer } from '../edge/ingest/index.js';
import { startDemoOpenId } from '../edge/openid/demo-open-id.js';
import { OperatorModule } from '../edge/operator/index.js';
import { PersonModule } from '../edge/person/person.module.js';
import { ProblemModule } from '../edge/problem.filter.js';
import { RegulatorModule } from '../edge/regulator/regulator.module.js';
import { ViewSweeper } from '../edge/view-sweeper.js';
import { Deliveries } from '../link/deliveries.js';
import { Relay } from '../link/relay.js';
import { Retention } from '../link/retention.js';
import type { RoleLink } from '../link/role-link.js';
import type { RolePorts } from '../link/role.controller.js';
import type { Opened } from '../runtime/role-app.js';
import { databaseOf, verifiersOf, type NodeGround } from './node-ground.js';

/** How often views are looked through for a permit that ran out. */
const SWEEP_MS = 5_000;

/** The edge's rooms, each a module with one door. */
const rooms = [ProblemModule, IngestModule, OperatorModule, FhirModule, PersonModule, RegulatorModule];

/** Starts the edge: its HTTP side, its MLLP side, the message side, and what runs behind them. */
export async function startEdge(ground: NodeGround, link: RoleLink, server: MicroserviceOptions, opened: Opened): Promise<RolePorts> {
  const { config, logger } = ground;
  const { parts, ports, relay, retention } = await composeEdge(ground, link, opened);
  const provider = await startDemoOpenId(config);
  opened.add(() => provider.close());
  const app = await NestFactory.create<NestFastifyApplication>(EdgeModule.of(parts, ports, rooms), edgeHttpAdapter(), {
    logger,
    abortOnError: false,
  });
  opened.add(() => app.close());
  app.connectMicroservice<MicroserviceOptions>(server);
  await app.startAllMicroservices();
  await app.listen(config.http.port, config.http.host);
  const mllp = new MllpServer(app.get(IngestService), parts);
  await mllp.listen(config.mllp);
  opened.add(() => mllp.close());
  for (const worker of [relay, retention, new ViewSweeper(parts, SWEEP_MS)]) {
    worker.start();
    opened.add(() => worker.stop());
  }
  return ports;
}

/** Binds the edge's ports. No sealing, exchange or ledger key is read here. */
async function composeEdge(
  ground: NodeGround,
  link: RoleLink,
  opened: Opened,
): Promise<{ parts: EdgeParts; ports: RolePorts; relay: Relay; retention: Retention }> {
  const { config, folders, validators, clock, random, logger, checkpoint, telemetry } = ground;
  const { setting, pack } = await readCountry(config, validators);
  const dataKeys = await MasterKeyDataKeys.open(folders.master('edge'));
  const database = await openEdgeDatabase(
    { ...(await databaseOf(config, 'edge')), erasures: new FileErasureRegister(folders.erasures('edge')) },
    dataKeys,
  );
  opened.add(() => database.close());
  const { uow, wakeups } = database;
  const definitions = new R4Definitions();
  const parts: EdgeParts = {
    country: setting,
    pack,
    get partners() {
      return ground.partners.countries;
    },
    clock,
    random,
    sha256,
    validators,
    uow,
    wakeups,
    answers: new Answers({ uow, wakeups }),
    link,
    ...verifiersOf(ground),
    fhirValidator: new R4Validator(definitions),
    fhirXml: new R4Xml(definitions),
    telemetry: telemetry.telemetry,
    logger,
    mode: config.mode,
    fhirBase: `http://${config.http.host}:${config.http.port}/fhir`,
    tokenIssuer: config.openid.issuer,
    sources: config.sources,
  };
  const deliveries = new Deliveries('edge', uow, link, edgeHandlers(parts, checkpoint), (type) => {
    if (type === 'view.store') checkpoint.reach('view', 'after');
  });
  const { kept, takeOverAfterMs } = ground;
  const retention = new Retention({ us: 'edge', holder: random.uuid(), uow, link, leases: database.leases, logger, kept });
  const relay = new Relay(uow, link, logger, wakeups, takeOverAfterMs);
  return { parts, ports: { uow, deliveries, queries: {} }, relay, retention };
}
