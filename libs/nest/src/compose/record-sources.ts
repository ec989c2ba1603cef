import { webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBounded, PortolanError, type NodeConfig, type SourceFetch } from '@portolan/contracts';
import type { RecordReader, RecordSource } from '@portolan/domain';
import { FhirRecordSource, type BackendClient, type ServiceTls } from '@portolan/fhir-source';
import { R4Validator } from '@portolan/fhir-validator';
import { signClientAssertion, type JwtKey } from '@portolan/jose';
import { findTlsIdentity, sha256 } from '@portolan/keys';
import { CombinedRecordSource } from '../exchange/combined-record-source.js';
import { StoreRecordSource } from '../exchange/store-record-source.js';
import type { NodeGround } from './node-ground.js';

/** What of a node its sources stand on. */
export interface SourceGround extends Pick<NodeGround, 'clock' | 'random'> {
  readonly config: Pick<NodeConfig, 'country' | 'home' | 'mode' | 'sources'>;
  readonly logger: Pick<NodeGround['logger'], 'failure'>;
}

type Source = NodeConfig['sources'][number];
type Fetched = Source & { readonly fetch: SourceFetch };
const isFetched = (source: Source): source is Fetched => source.fetch !== undefined;

const ASSERTION_SECONDS = 60;
const KEY_MAX_CHARS = 10_000;

/** Each source of a country is stored or fetched, as the configuration says (`store` or `fetch`; design, section 4). */
export async function recordSourceOf(ground: SourceGround, people: RecordReader): Promise<RecordSource> {
  const { config, clock, logger } = ground;
  const store = new StoreRecordSource(people, config.country);
  const fetched = config.sources.filter(isFetched);
  if (fetched.length === 0) return store;
  const validator = new R4Validator();
  const services = await Promise.all(fetched.map((source) => serviceOf(source, ground, people, validator)));
  return new CombinedRecordSource(store, services, clock, logger);
}

async function serviceOf(
  { name, fetch }: Fetched,
  { config, clock, random }: SourceGround,
  people: RecordReader,
  validator: R4Validator,
): Promise<RecordSource> {
  demandSecure(config, name, [fetch.baseUrl, ...(fetch.client === undefined ? [] : [fetch.client.tokenUrl])]);
  const folder = join(config.home, 'exchange', 'sources', encodeURIComponent(name));
  const tls = await findTlsIdentity(folder);
  return new FhirRecordSource({
    name,
    baseUrl: fetch.baseUrl,
    custodian: config.country,
    people,
    validator,
    now: () => clock.now(),
    sha256,
    ...(tls === undefined ? {} : { tls: { ca: tls.authorityPem, key: tls.privateKeyPem, cert: tls.certificatePem } satisfies ServiceTls }),
    ...(fetch.client === undefined ? {} : { client: await clientOf(fetch.client, folder, { clock, random }) }),
  });
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Records travel over TLS; in a demonstration over plain HTTP too, and on loopback alone. Throws `config.demo-only`, `config.invalid`. */
export function demandSecure({ mode }: Pick<NodeConfig, 'mode'>, name: string, urls: readonly string[]): void {
  const insecure = urls.map((url) => new URL(url)).filter(({ protocol }) => protocol !== 'https:');
  if (insecure.length === 0) return;
  const where = `sources/${name}/fetch`;
  if (mode !== 'demo') throw new PortolanError('config.demo-only', where, 'http');
  const beyond = insecure.some(({ protocol, hostname }) => protocol !== 'http:' || !LOOPBACK.test(hostname));
  if (beyond) throw new PortolanError('config.invalid', where, 'http beyond loopback');
}

/** The node as a SMART backend service of the source; its key is a file of the exchange's alone. */
async function clientOf(
  { clientId, tokenUrl, scope }: NonNullable<SourceFetch['client']>,
  folder: string,
  { clock, random }: Pick<NodeGround, 'clock' | 'random'>,
): Promise<BackendClient> {
  const key = await readKey(join(folder, 'client.jwk.json'));
  return {
    tokenUrl,
    scope: scope ?? 'system/*.read',
    assertion: (audience) =>
      signClientAssertion(clientId, audience, key, { nowMs: clock.now(), lifetimeSeconds: ASSERTION_SECONDS, jti: random.uuid() }),
  };
}

async function readKey(file: string): Promise<JwtKey> {
  const where = 'exchange/sources/client.jwk.json';
  const text = await readFile(file, 'utf8').catch(() => {
    throw new PortolanError('config.unreadable', where);
  });
  const jwk = parseBounded(text, KEY_MAX_CHARS, 'config.invalid', where) as webcrypto.JsonWebKey & { kid?: string };
  try {
    const privateKey = await webcrypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    const { kty = 'EC', crv = 'P-256', x = '', y = '' } = jwk;
    return { kid: jwk.kid ?? '', alg: 'ES256', privateKey, publicJwk: { kty, crv, x, y } };
  } catch {
    throw new PortolanError('config.invalid', where);
  }
}
