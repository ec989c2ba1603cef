import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Validators, type Actor, type NodeConfig, type Purpose } from '@portolan/contracts';
import type { EdgeTx } from '@portolan/domain';
import { R4Definitions, R4Validator, R4Xml } from '@portolan/fhir-validator';
import {
  generateJwtKey,
  iuaExtension,
  JwtAccessTokens,
  JwtProfessionalAssertions,
  jwksOf,
  signJwt,
  signProfessionalAssertion,
  type JwtKey,
} from '@portolan/jose';
import { addMasterKey, MasterKeyDataKeys, sha256, SystemClock, SystemRandom } from '@portolan/keys';
import { openEdgeDatabase, testCluster } from '@portolan/postgres';
import { startTelemetry } from '@portolan/telemetry';
import { readCountry } from '../../../config/read-country.js';
import { Deliveries } from '../../../link/deliveries.js';
import { InProcessClient, InProcessHub, InProcessServer } from '../../../link/in-process.js';
import { Relay } from '../../../link/relay.js';
import { RoleLink } from '../../../link/role-link.js';
import { noCheckpoint } from '../../../runtime/checkpoint.js';
import { NodeLogger } from '../../../runtime/logger.js';
import { Answers } from '../../answers.js';
import { Opened } from '../../../runtime/role-app.js';
import { edgeHandlers } from '../../edge.handlers.js';
import { EdgeModule } from '../../edge.module.js';
import type { EdgeParts } from '../../edge.parts.js';
import { edgeHttpAdapter } from '../../http-adapter.js';
import { ProblemModule } from '../../problem.filter.js';
import { FhirModule } from '../index.js';
import { PlayedRole } from './played-role.js';

export const ISSUER = 'https://openid.test';
export const AUDIENCE = 'urn:portolan:node:ee';
export const CLIENT = 'hospital-ee';
export const BASE = 'http://ee.test/fhir';
export const PROFESSIONALS = 'urn:portolan:demo:ee:professional';
const COUNTRIES = join(import.meta.dirname, '../../../../../countries');

/** A professional of these tests; nobody of them exists. */
export const doctor = (value: string, name: string): Actor => ({
  kind: 'professional',
  name,
  id: { system: PROFESSIONALS, value },
  role: 'doctor',
  organisation: { id: { system: 'urn:ietf:rfc:3986', value: 'urn:demo:hospital-1' }, name: 'Demo hospital' },
});
export const peeter = doctor('D00001', 'Dr Peeter Proov');
export const other = doctor('D00002', 'Dr Liis Teine');

export interface FhirCallOptions {
  readonly method?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly actor?: Actor;
  readonly purpose?: Purpose;
  readonly personId?: string;
  readonly scope?: string;
  /** Leaves the statement about who acts away. */
  readonly anonymous?: true;
  /** Sends this as the bearer token; empty: none. */
  readonly token?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  json<T = Record<string, unknown>>(): T;
}

/** A running edge with the FHIR door over a real socket and a real database; exchange and notary are played over the real link. */
export class FhirNode {
  private constructor(
    readonly url: string,
    readonly parts: EdgeParts,
    readonly exchange: PlayedRole,
    readonly lines: readonly string[],
    private readonly keys: { provider: JwtKey; hospital: JwtKey },
    private readonly opened: Opened,
  ) {}

  static async start(over: (parts: EdgeParts) => Partial<EdgeParts> = () => ({})): Promise<FhirNode> {
    const opened = new Opened();
    const keys = { provider: await generateJwtKey('provider'), hospital: await generateJwtKey('hospital') };
    const hub = new InProcessHub();
    const lines: string[] = [];
    const made = await partsOf(hub, keys, lines, opened);
    const parts = Object.assign(made, over(made));
    const exchange = await PlayedRole.start(hub, 'exchange');
    opened.add(() => exchange.close());
    const notary = await PlayedRole.start(hub, 'notary');
    opened.add(() => notary.close());
    const url = await listen(parts, hub, opened);
    return new FhirNode(url, parts, exchange, lines, keys, opened);
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  run<T>(work: (tx: EdgeTx) => Promise<T>): Promise<T> {
    return this.parts.uow.run(work);
  }

  async call(path: string, options: FhirCallOptions = {}): Promise<Reply> {
    const { body, type, headers } = options;
    const response = await fetch(path.startsWith('http') ? path : `${this.url}${path}`, {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(await this.credentials(options)),
        ...(body === undefined ? {} : { 'content-type': type ?? 'application/fhir+json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T };
  }

  post(path: string, resource: unknown, options: FhirCallOptions = {}): Promise<Reply> {
    return this.call(path, { ...options, body: JSON.stringify(resource) });
  }

  /** The hospital's access token; `claims` replace or, where undefined, remove what stands in it. */
  token(claims: Readonly<Record<string, unknown>> = {}, key: JwtKey = this.keys.provider): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    const all = {
      iss: ISSUER,
      sub: CLIENT,
      client_id: CLIENT,
      aud: AUDIENCE,
      iat,
      exp: iat + 300,
      jti: randomUUID(),
      scope: 'system/*.read system/*.write',
    };
    return signJwt(JSON.parse(JSON.stringify({ ...all, ...claims })) as Record<string, unknown>, key, 'at+jwt');
  }

  /** A statement of the hospital about who acts. */
  statement({
    actor = peeter,
    purpose = 'TREAT',
    personId,
  }: Pick<FhirCallOptions, 'actor' | 'purpose' | 'personId'> = {}): Promise<string> {
    const times = { nowMs: Date.now(), lifetimeSeconds: 240, jti: randomUUID() };
    return signProfessionalAssertion(
      CLIENT,
      AUDIENCE,
      { actor, purpose, ...(personId === undefined ? {} : { personId }) },
      this.keys.hospital,
      times,
    );
  }

  private async credentials(options: FhirCallOptions): Promise<Record<string, string>> {
    const token = options.token ?? (await this.token(options.scope === undefined ? {} : { scope: options.scope }));
    return {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(options.anonymous === true ? {} : { 'portolan-acting-professional': await this.statement(options) }),
    };
  }
}

/** A token of an application that a professional logged in to: it carries itself who acts. */
export const clinicianClaims = (actor: Actor, purpose: Purpose): Record<string, unknown> => ({
  sub: 'account-1',
  client_id: 'ward-app',
  ptl_kind: 'clinician-app',
  scope: 'user/*.read',
  ...iuaExtension({ actor, purpose }),
});

async function partsOf(
  hub: InProcessHub,
  keys: { provider: JwtKey; hospital: JwtKey },
  lines: string[],
  opened: Opened,
): Promise<EdgeParts> {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-fhir-'));
  opened.add(() => rm(folder, { recursive: true }));
  await addMasterKey([join(folder, 'master')]);
  const { edge } = await (await testCluster()).country('EE');
  const database = await openEdgeDatabase({ address: edge }, await MasterKeyDataKeys.open(join(folder, 'master')));
  opened.add(() => database.close());
  const validators = new Validators();
  const custodian = { name: 'Demo health record', identifier: { system: 'urn:portolan:demo:ee:organisation', value: 'custodian' } };
  const { setting, pack } = await readCountry(
    { country: 'EE', home: COUNTRIES, countries: COUNTRIES, custodian } as NodeConfig,
    validators,
  );
  const telemetry = await startTelemetry('EE', 'edge', { kind: 'none' });
  opened.add(() => telemetry.close());
  const clock = new SystemClock();
  const definitions = new R4Definitions();
  const clients = new Map((['exchange', 'notary'] as const).map((role) => [role, new InProcessClient(hub, 'edge', role)]));
  const kinds = ['system', 'clinician-app', 'person', 'regulator', 'operator'] as const;
  return {
    country: setting,
    pack,
    partners: ['PT'],
    clock,
    random: new SystemRandom(),
    sha256,
    validators,
    uow: database.uow,
    wakeups: database.wakeups,
    answers: new Answers(database),
    link: new RoleLink(clients, 5_000),
    tokens: new JwtAccessTokens({
      issuers: [{ issuer: ISSUER, keys: { keys: jwksOf([keys.provider]) }, kinds, providerSystem: PROFESSIONALS }],
      audience: AUDIENCE,
      clock,
    }),
    professionals: new JwtProfessionalAssertions({
      clients: [{ clientId: CLIENT, keys: { keys: jwksOf([keys.hospital]) }, providerSystem: PROFESSIONALS }],
      audience: AUDIENCE,
      clock,
    }),
    fhirValidator: new R4Validator(definitions),
    fhirXml: new R4Xml(definitions),
    telemetry: telemetry.telemetry,
    logger: new NodeLogger({ country: 'EE', role: 'edge' }, 'info', (line) => lines.push(line)),
    mode: 'demo',
    fhirBase: BASE,
    tokenIssuer: ISSUER,
    sources: [{ name: CLIENT, organisation: { system: 'urn:portolan:demo:ee:organisation', value: 'hospital-1', name: 'Demo hospital' } }],
  };
}

async function listen(parts: EdgeParts, hub: InProcessHub, opened: Opened): Promise<string> {
  const { uow, link, logger, wakeups } = parts;
  const deliveries = new Deliveries('edge', uow, link, edgeHandlers(parts, noCheckpoint));
  const rooms = [ProblemModule, FhirModule];
  const app = await NestFactory.create<NestFastifyApplication>(
    EdgeModule.of(parts, { uow, deliveries, queries: {} }, rooms),
    edgeHttpAdapter(),
    {
      logger,
      abortOnError: false,
    },
  );
  opened.add(() => app.close());
  app.connectMicroservice({ strategy: new InProcessServer(hub, 'edge') });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const relay = new Relay(uow, link, logger, wakeups, 15_000);
  relay.start();
  opened.add(() => relay.stop());
  return app.getUrl();
}
