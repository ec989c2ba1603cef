import {
  isErrorCode,
  parseBounded,
  PortolanError,
  type ErrorCode,
  type PostedAttestations,
  type PublicJwk,
  type Validators,
} from '@portolan/contracts';
import { thumbprint } from '@portolan/verify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { limits } from '../chain/limits.js';
import type { OrdererLink } from '../chain/orderer-link.js';
import { sha256 } from '../chain/tools.js';
import type { EmbeddedOrderer } from './embedded-orderer.js';

export interface OrdererDoorOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM: PKCS#8 key, certificate chain, and every CA that may have issued a client's certificate. */
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: readonly string[] };
  readonly orderer: EmbeddedOrderer;
  readonly validators: Validators;
  readonly onTrouble?: (error: unknown) => void;
}

interface Call {
  readonly link: OrdererLink;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly until: AbortSignal;
}

type Route = (call: Call, validators: Validators) => Promise<unknown>;

const routes: Readonly<Record<string, Route>> = {
  'POST /tx': async ({ link, body }) => {
    await link.submit(body);
    return {};
  },
  'POST /attestations': async ({ link, body }, validators) => {
    const { attestations } = validators.check<PostedAttestations>(
      'posted-attestations',
      parseBounded(body, limits.transactionChars, 'orderer.request-malformed', 'body'),
      'orderer.request-malformed',
      'body',
    );
    await link.attest(attestations);
    return {};
  },
  'GET /blocks': async ({ link, query, until }) => ({
    v: 1,
    blocks: await link.blocks(countIn(query, 'from'), countIn(query, 'wait'), until),
  }),
  'GET /attestations': async ({ link, query, until }) => ({
    v: 1,
    attestations: await link.attestations(countIn(query, 'after'), countIn(query, 'wait'), until),
  }),
};

/**
 * The orderer's door: HTTPS with mutual TLS 1.3. A CA of the list lets a client in; who it is says its key alone, which must be
 * a live TLS key that one organisation registered on the channel. It is asked again at every request, so an ended key stays out.
 */
export class OrdererDoor {
  private constructor(
    private readonly server: Server,
    private readonly options: OrdererDoorOptions,
  ) {}

  static async listen(options: OrdererDoorOptions): Promise<OrdererDoor> {
    const { key, cert, ca } = options.tls;
    const server = createServer({ key, cert, ca: [...ca], requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' });
    server.maxConnections = 256;
    server.headersTimeout = 10_000;
    server.requestTimeout = 30_000;
    server.keepAliveTimeout = 60_000;
    const door = new OrdererDoor(server, options);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void door.answer(request, response));
    server.on('tlsClientError', (error) => options.onTrouble?.(error));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, options.host, resolve);
    });
    return door;
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.server.address() as AddressInfo;
    return { host: address, port };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'https://orderer');
      const route = routes[`${request.method ?? ''} ${pathname}`];
      if (route === undefined) throw new PortolanError('orderer.request-malformed', 'path');
      const link = await this.linkOf(request.socket);
      const body = await bodyOf(request);
      reply(response, 200, await route({ link, query: searchParams, body, until: gone.signal }, this.options.validators));
    } catch (error) {
      this.refuse(response, error);
    }
  }

  private async linkOf(socket: Socket): Promise<OrdererLink> {
    const key = clientKey(socket);
    const org = key === undefined ? undefined : await this.options.orderer.orgOfTlsKey(thumbprint(key, sha256));
    if (org === undefined) throw new PortolanError('orderer.client-unknown', 'client certificate');
    return this.options.orderer.linkFor(org);
  }

  private refuse(response: ServerResponse, error: unknown): void {
    // A caller that hung up is no trouble of ours.
    if (response.destroyed) return;
    if (!(error instanceof PortolanError)) this.options.onTrouble?.(error);
    const told = error instanceof PortolanError ? error : new PortolanError('ledger.unreachable', 'orderer');
    reply(response, told.entry.http, { code: told.code, where: told.where });
  }
}

/** The error that an answer of the door stands for; undefined where it is none. */
export function errorIn(answer: unknown): { code: ErrorCode; where: string } | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { code, where } = answer as Record<string, unknown>;
  if (typeof code !== 'string' || !isErrorCode(code)) return undefined;
  return { code, where: typeof where === 'string' ? where.slice(0, 200) : 'orderer' };
}

function clientKey(socket: Socket): PublicJwk | undefined {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (certificate?.publicKey.asymmetricKeyType !== 'ec') return undefined;
  const { kty, crv, x, y } = certificate.publicKey.export({ format: 'jwk' }) as PublicJwk;
  return (crv as string) === 'P-256' ? { kty, crv, x, y } : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limits.transactionChars) throw new PortolanError('orderer.too-large', 'body');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function countIn(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '0';
  if (!/^[0-9]{1,15}$/.test(text)) throw new PortolanError('orderer.request-malformed', name);
  return Number(text);
}

function reply(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}
