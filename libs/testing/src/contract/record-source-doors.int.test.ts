import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeConfig } from '@portolan/contracts';
import type { Person, PersonId, RecordReader, RecordSource } from '@portolan/domain';
import { SystemClock, SystemRandom, type TlsIdentity } from '@portolan/keys';
import { recordSourceOf } from '@portolan/nest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { days, keyPair, newAuthority, serverIdentity, type KeyPair } from '../stack/certificates.js';
import { erika } from '../world/demo-people.js';
import { FolderFhirService } from '../world/fhir-service.js';
import { repository } from '../world/repository.js';

const person = '00000000-0000-4000-8000-000000000001' as PersonId;
const known: Person = { id: person, identifiers: [erika.identifier], birthDate: erika.birthDate, family: 'Beispiel', given: 'Erika' };
const people: RecordReader = {
  person: async () => known,
  personsByTraits: async () => [],
  resources: async () => [],
  shared: async () => [],
};
const pem = ({ privateKeyPem, certificatePem, authorityPem }: TlsIdentity): { key: string; cert: string; ca: string } => ({
  key: privateKeyPem,
  cert: certificatePem,
  ca: authorityPem,
});

/** An authorization server that gives a token for an assertion signed by the one registered key (RFC 7523 §3), and for no other. */
class TokenServer {
  readonly given = new Set<string>();
  private constructor(private readonly server: Server) {}

  static async start(client: KeyPair): Promise<TokenServer> {
    const server = createServer();
    const tokens = new TokenServer(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const form = new URLSearchParams(Buffer.concat(chunks).toString());
        if (!tokens.proves(form.get('client_assertion') ?? '', client)) {
          response.writeHead(400).end('{"error":"invalid_client"}');
          return;
        }
        const token = `token-${tokens.given.size + 1}`;
        tokens.given.add(token);
        response.end(JSON.stringify({ access_token: token, token_type: 'bearer', expires_in: 300, scope: form.get('scope') }));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return tokens;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/token`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private proves(assertion: string, { publicJwk, kid }: KeyPair): boolean {
    const [head = '', body = '', signature = ''] = assertion.split('.');
    const key = createPublicKey({ key: { ...publicJwk }, format: 'jwk' });
    const signed = { key, dsaEncoding: 'ieee-p1363' as const };
    if (!verify('sha256', Buffer.from(`${head}.${body}`), signed, Buffer.from(signature, 'base64url'))) return false;
    const read = (part: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    const { iss, sub, aud, exp } = read(body);
    const inTime = typeof exp === 'number' && exp * 1_000 > Date.now() && exp * 1_000 < Date.now() + 300_000;
    return read(head)['kid'] === kid && iss === 'portolan-de' && sub === 'portolan-de' && aud === this.url && inTime;
  }
}

describe('the doors of a source, from the configuration and the files of the exchange', () => {
  const client = keyPair();
  let home: string;
  let service: FolderFhirService;
  let tokens: TokenServer;
  let ours: TlsIdentity;
  let strangers: TlsIdentity;
  const folder = (): string => join(home, 'exchange/sources/records-de');

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'portolan-source-'));
    await mkdir(folder(), { recursive: true });
    const [hospital, other] = [await newAuthority('DE', 'a hospital'), await newAuthority('DE', 'somebody else')];
    ours = await serverIdentity(hospital, 'portolan-de');
    // Comes from elsewhere, and trusts the hospital all the same: the hospital alone can refuse it.
    strangers = { ...(await serverIdentity(other, 'portolan-de')), authorityPem: ours.authorityPem };
    tokens = await TokenServer.start(client);
    service = await FolderFhirService.start(join(repository, 'libs/testing/demo/fhir-service/de'), {
      host: '127.0.0.1',
      port: 0,
      tls: pem(await serverIdentity(hospital, 'fhir', ['127.0.0.1'], days(-1, 30))),
      admits: ({ authorization = '' }) => tokens.given.has(authorization.replace(/^Bearer /, '')),
    });
  });
  afterAll(async () => {
    await service.close();
    tokens.close();
    await rm(home, { recursive: true, force: true });
  });

  async function sourceWith(identity: TlsIdentity, key: KeyPair): Promise<RecordSource> {
    await writeFile(join(folder(), 'key.pem'), identity.privateKeyPem);
    await writeFile(join(folder(), 'certificate.pem'), identity.certificatePem);
    await writeFile(join(folder(), 'authority.pem'), identity.authorityPem);
    const jwk = { ...createPrivateKey(key.privateKeyPem).export({ format: 'jwk' }), kid: key.kid };
    await writeFile(join(folder(), 'client.jwk.json'), JSON.stringify(jwk));
    const organisation: NodeConfig['sources'][number]['organisation'] = { system: 'urn:x', value: '1', name: 'A hospital' };
    const fetch = { baseUrl: service.baseUrl, client: { clientId: 'portolan-de', tokenUrl: tokens.url } };
    const config = { country: 'DE', home, mode: 'demo' as const, sources: [{ name: 'records-de', organisation, fetch }] };
    return recordSourceOf({ config, clock: new SystemClock(), random: new SystemRandom(), logger: { failure: () => undefined } }, people);
  }
  const gather = async (source: RecordSource): Promise<number> => (await source.gather({ person, categories: ['laboratory'] })).length;

  it('open to its certificate and a token for its signed assertion', async () => {
    expect(await gather(await sourceWith(ours, client))).toBe(4);
    expect(tokens.given.size).toBeGreaterThan(0);
  });

  it("stay shut to a certificate of another authority's", async () => {
    await expect(sourceWith(strangers, client).then(gather)).rejects.toThrow('source.unreachable');
  });

  it('are not entered where the service is not of the pinned authority', async () => {
    const elsewhere = await newAuthority('DE', 'a third');
    await expect(sourceWith({ ...ours, authorityPem: elsewhere.certificatePem }, client).then(gather)).rejects.toThrow(
      'source.unreachable',
    );
  });

  it('stay shut to an assertion of another key', async () => {
    await expect(sourceWith(ours, keyPair()).then(gather)).rejects.toThrow('source.refused');
  });
});
