import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Validators, type Actor, type BusinessIdentifier, type NodeConfig } from '@portolan/contracts';
import { Clock, ensurePersonId, type EdgeTx, type ExchangePorts, type ExchangeTx, type PersonId, type Role } from '@portolan/domain';
import { R4Definitions, R4Validator, R4Xml } from '@portolan/fhir-validator';
import { JwtAccessTokens, JwtProfessionalAssertions, jwksOf, signProfessionalAssertion } from '@portolan/jose';
import { addMasterKey, MasterKeyDataKeys, sha256, SystemRandom } from '@portolan/keys';
import { openEdgeDatabase, openExchangeDatabase, openRecordReader, testCluster } from '@portolan/postgres';
import { startTelemetry } from '@portolan/telemetry';
import { readCountry } from '../../../config/read-country.js';
import { Grounds } from '../../../exchange/grounds.js';
import { Deliveries, type Handlers } from '../../../link/deliveries.js';
import { InProcessClient, InProcessHub, InProcessServer } from '../../../link/in-process.js';
import { Relay } from '../../../link/relay.js';
import { RoleLink } from '../../../link/role-link.js';
import { RoleController, RolePorts } from '../../../link/role.controller.js';
import { noCheckpoint } from '../../../runtime/checkpoint.js';
import { NodeLogger } from '../../../runtime/logger.js';
import { Answers } from '../../answers.js';
import { Opened } from '../../../runtime/role-app.js';
import { edgeHandlers } from '../../edge.handlers.js';
import { EdgeModule } from '../../edge.module.js';
import type { EdgeParts } from '../../edge.parts.js';
import { ProblemModule } from '../../problem.filter.js';
import { RegulatorModule } from '../../regulator/regulator.module.js';
import { PersonModule } from '../person.module.js';
import { CLIENT, professionalAccount, startProvider, type TestProvider } from './demo-provider.js';

const COUNTRIES = join(import.meta.dirname, '../../../../../countries');
const PIN = 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1';
/** A URI, as IHE IUA names organisations. */
const ORGANISATION = { system: 'urn:ietf:rfc:3986', value: 'urn:demo:hospital-1', name: 'Demo hospital' };

const pin = (value: string): BusinessIdentifier => ({ system: PIN, value });
/** Persons of these tests; nobody of them exists. */
export const people = {
  mari: pin('47101010033'),
  juku: pin('37102020044'),
  nobody: pin('37103030055'),
  double: pin('37104040066'),
} as const;

export const peeter: Actor = {
  kind: 'professional',
  name: 'Dr Peeter Proov',
  id: { system: 'urn:portolan:demo:ee:professional', value: 'D00001' },
  role: 'doctor',
  organisation: { id: { system: ORGANISATION.system, value: ORGANISATION.value }, name: ORGANISATION.name },
};
const stranger: Actor = {
  ...peeter,
  name: 'Dr Liis Teine',
  organisation: { id: { ...peeter.organisation.id, value: 'urn:demo:hospital-2' }, name: 'Other' },
};

const accounts = [
  ...Object.entries(people).map(([id, person]) => ({ id, name: `${id} Näidis`, kind: 'person' as const, person })),
  professionalAccount('peeter', peeter),
  professionalAccount('stranger', stranger),
  { id: 'regulator', name: 'Järelevalve Näidis', kind: 'regulator' as const },
  { id: 'operator', name: 'Haldur Näidis', kind: 'operator' as const },
];

/** The system's clock, which a test may put forward. */
export class ShiftedClock extends Clock {
  shiftMs = 0;

  now(): number {
    return Date.now() + this.shiftMs;
  }
}

export interface PlayedNotary {
  /** Events of the country's log with their leaf hashes, in the order they came. */
  readonly leaves: { eventId: string; leafHash: string }[];
  /** How long it takes before it fetches what was delivered, milliseconds. */
  delayMs: number;
  queries: Record<string, (data: never) => Promise<unknown>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  json<T = Record<string, never>>(): T;
}

export interface Call {
  readonly token?: string;
  readonly body?: unknown;
  readonly raw?: string;
  readonly method?: string;
  /** Adds the hospital's statement about who acts. */
  readonly acting?: Actor;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What stays when a node is started again: keys, provider, clock. Its database is the process' test cluster. */
export class Ground {
  readonly clock = new ShiftedClock();
  private constructor(
    readonly folder: string,
    readonly provider: TestProvider,
  ) {}

  static async make(): Promise<Ground> {
    const folder = await mkdtemp(join(tmpdir(), 'portolan-person-'));
    await addMasterKey([join(folder, 'edge'), join(folder, 'exchange')]);
    return new Ground(folder, await startProvider(folder, accounts));
  }

  async close(): Promise<void> {
    await this.provider.close();
    await rm(this.folder, { recursive: true });
  }
}

/**
 * The edge's person and regulator rooms on a real database, real sockets and the real demo provider. The exchange beside it keeps
 * grounds in its own schema by its own rules and verifies every token again; the notary only takes leaves and answers what a test says.
 */
export class PersonNode {
  readonly changed: unknown[] = [];
  evidence: object = {};
  readonly notary: PlayedNotary = { leaves: [], delayMs: 0, queries: {} };
  private readonly opened = new Opened();

  private constructor(
    readonly ground: Ground,
    readonly parts: EdgeParts,
    readonly lines: string[],
  ) {}

  url = '';

  static async start(ground: Ground): Promise<PersonNode> {
    const lines: string[] = [];
    const opened: (() => Promise<void>)[] = [];
    const hub = new InProcessHub();
    const parts = await partsOf(ground, hub, lines, opened);
    const node = new PersonNode(ground, parts, lines);
    for (const close of opened) node.opened.add(close);
    await node.playExchange(hub);
    await node.playNotary(hub);
    await node.listen(hub);
    return node;
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  run<T>(work: (tx: EdgeTx) => Promise<T>): Promise<T> {
    return this.parts.uow.run(work);
  }

  async person(identifiers: readonly BusinessIdentifier[], name = 'Mari'): Promise<PersonId> {
    const id = ensurePersonId(randomUUID());
    await this.run(async (tx) => {
      await tx.keys.forPerson(id);
      await tx.persons.save({ id, identifiers, birthDate: '1971-01-01', family: 'Näidis', given: name });
    });
    return id;
  }

  async call(path: string, { token, body, raw, method, acting, headers }: Call = {}): Promise<Answer> {
    const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${this.url}${path}`, {
      method: method ?? (text === undefined ? 'GET' : 'POST'),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...(acting === undefined ? {} : { 'portolan-acting-professional': await this.statement(acting) }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, text: answer, json: <T>() => JSON.parse(answer) as T };
  }

  post(path: string, token: string, body?: unknown, acting?: Actor): Promise<Answer> {
    return this.call(path, { method: 'POST', token, ...(body === undefined ? {} : { body }), ...(acting === undefined ? {} : { acting }) });
  }

  statement(actor: Actor): Promise<string> {
    const times = { nowMs: this.ground.clock.now(), lifetimeSeconds: 240, jti: randomUUID() };
    const { hospital, audience } = this.ground.provider;
    return signProfessionalAssertion(CLIENT, audience, { actor, purpose: 'TREAT' }, hospital, times);
  }

  private async playExchange(hub: InProcessHub): Promise<void> {
    const keys = await MasterKeyDataKeys.open(join(this.ground.folder, 'exchange'));
    const { exchange: address } = await (await testCluster()).country('EE');
    const database = await openExchangeDatabase({ address, poolSize: 4 }, keys);
    this.opened.add(() => database.close());
    const people = await openRecordReader({ address }, keys);
    this.opened.add(() => people.close());
    const { country, clock, random, validators, tokens, logger } = this.parts;
    // What grounds need of the exchange's ports; nothing is asked of, sealed for or read on the channel here.
    const grounds = new Grounds({
      country,
      clock,
      random,
      sha256,
      validators,
      tokens,
      people: people.reader,
      uow: database.uow,
    } as ExchangePorts);
    const link = linkOf(hub, 'exchange');
    const handlers: Handlers<ExchangeTx> = {
      'consent.give': (tx, body, id) => grounds.give(tx, body, id),
      'consent.withdraw': (tx, body) => grounds.withdraw(tx, body),
      'restriction.set': (tx, body) => grounds.restrict(tx, body),
      'restriction.lift': (tx, body) => grounds.lift(tx, body),
      'resource.changed': async (_tx, body) => void this.changed.push(body),
      'person.erase': async (tx, { person }) => tx.keys.erase(person),
    };
    const queries = {
      'grounds.of': { from: ['edge' as const], answer: ({ person }: { person: PersonId }) => grounds.of(person) },
      'transfer.evidence': { from: ['edge' as const], answer: () => Promise.resolve(this.evidence) },
    };
    const deliveries = new Deliveries('exchange', database.uow, link, handlers);
    await this.serve(hub, 'exchange', { uow: database.uow, deliveries, queries });
    const relay = new Relay(database.uow, link, logger, database.wakeups, 15_000);
    relay.start();
    this.opened.add(() => relay.stop());
  }

  private async playNotary(hub: InProcessHub): Promise<void> {
    const server = new InProcessServer(hub, 'notary');
    const link = linkOf(hub, 'notary');
    server.addHandler('deliver', async ({ id, type }: { id: string; type: string }, { caller }: { caller: Role }) => {
      if (this.notary.delayMs > 0) await pause(this.notary.delayMs);
      const answer = await link.ask<{ body?: unknown }>(caller, 'outbox.body', { id });
      if (type === 'log.append' && answer.body !== undefined) this.notary.leaves.push(answer.body as PlayedNotary['leaves'][number]);
      return { done: true };
    });
    server.addHandler('query', async ({ name, data }: { name: string; data: unknown }) => ({
      answer: await this.notary.queries[name]?.(data as never),
    }));
    server.listen(() => undefined);
    this.opened.add(async () => server.close());
  }

  private async serve(hub: InProcessHub, role: Role, ports: RolePorts): Promise<void> {
    const strategy = new InProcessServer(hub, role);
    const app = await NestFactory.createMicroservice(PlayedModule.of(ports), { strategy, logger: this.parts.logger, abortOnError: false });
    await app.listen();
    this.opened.add(() => app.close());
  }

  private async listen(hub: InProcessHub): Promise<void> {
    const { uow, link, logger, wakeups } = this.parts;
    const deliveries = new Deliveries('edge', uow, link, edgeHandlers(this.parts, noCheckpoint));
    const rooms = [ProblemModule, PersonModule, RegulatorModule];
    const adapter = new FastifyAdapter({ forceCloseConnections: true });
    const module = EdgeModule.of(this.parts, { uow, deliveries, queries: {} }, rooms);
    const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger, abortOnError: false });
    this.opened.add(() => app.close());
    app.connectMicroservice({ strategy: new InProcessServer(hub, 'edge') });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    this.url = await app.getUrl();
    const relay = new Relay(uow, link, logger, wakeups, 15_000);
    relay.start();
    this.opened.add(() => relay.stop());
  }
}

@Module({})
class PlayedModule {
  static of(ports: RolePorts): DynamicModule {
    return { module: PlayedModule, controllers: [RoleController], providers: [{ provide: RolePorts, useValue: ports }] };
  }
}

const linkOf = (hub: InProcessHub, us: Role): RoleLink =>
  new RoleLink(new Map((['edge', 'exchange', 'notary'] as const).map((role) => [role, new InProcessClient(hub, us, role)])), 5_000);

async function partsOf(ground: Ground, hub: InProcessHub, lines: string[], opened: (() => Promise<void>)[]): Promise<EdgeParts> {
  const { provider, folder, clock } = ground;
  const { edge: address } = await (await testCluster()).country('EE');
  const database = await openEdgeDatabase({ address, poolSize: 6 }, await MasterKeyDataKeys.open(join(folder, 'edge')));
  opened.push(() => database.close());
  const validators = new Validators();
  const custodian = { name: 'Demo health record', identifier: { system: ORGANISATION.system, value: 'urn:demo:custodian' } };
  const { setting, pack } = await readCountry(
    { country: 'EE', home: COUNTRIES, countries: COUNTRIES, custodian } as NodeConfig,
    validators,
  );
  const telemetry = await startTelemetry('EE', 'edge', { kind: 'none' });
  opened.push(() => telemetry.close());
  const { issuer, audience, jwksUri, hospital } = provider;
  const definitions = new R4Definitions();
  const providerSystem = peeter.id.system;
  const kinds = ['system', 'clinician-app', 'person', 'regulator', 'operator'] as const;
  return {
    country: setting,
    pack,
    partners: ['PT', 'BE'],
    clock,
    random: new SystemRandom(),
    sha256,
    validators,
    uow: database.uow,
    wakeups: database.wakeups,
    answers: new Answers(database),
    link: linkOf(hub, 'edge'),
    tokens: new JwtAccessTokens({ issuers: [{ issuer, keys: { url: jwksUri }, kinds, providerSystem }], audience, clock }),
    professionals: new JwtProfessionalAssertions({
      clients: [{ clientId: CLIENT, keys: { keys: jwksOf([hospital]) }, providerSystem }],
      audience,
      clock,
    }),
    fhirValidator: new R4Validator(definitions),
    fhirXml: new R4Xml(definitions),
    telemetry: telemetry.telemetry,
    logger: new NodeLogger({ country: 'EE', role: 'edge' }, 'info', (line) => lines.push(line)),
    mode: 'demo',
    tokenIssuer: issuer,
    fhirBase: 'http://ee.test/fhir',
    sources: [{ name: CLIENT, organisation: ORGANISATION }],
  };
}
