import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { PortolanError, type CountryCode, type Kid } from '@portolan/contracts';
import { InboxListener, isMessageName, MESSAGE_MAX_BYTES, type PartnerKeyIsLive, type PartnerMessage } from '@portolan/domain';
import { LiveKeys } from './live-keys.js';
import { partnerOf, PartnerSockets, type Partner } from './partner-socket.js';
import { ID_HEADER, KEY_HEADER, MESSAGES_PATH, refusal } from './protocol.js';

export interface InboxLimits {
  /** Connections in all, also those still in their handshake. */
  readonly maxConnections: number;
  readonly maxConnectionsPerPartner: number;
  /** TLS handshake, and request headers. */
  readonly openingMs: number;
  /** A whole message. */
  readonly messageMs: number;
  /** A connection without a message. */
  readonly idleMs: number;
  /** How long an answer of the registry about a key is believed; less than a second. */
  readonly rememberMs: number;
  /** How often the door's own identity is read again. */
  readonly rereadMs: number;
}

/** The door's own end of TLS. */
export interface InboxIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** This country's own authority, and no other. */
  readonly authorityPem: string;
}

export interface EmbeddedInboxConfig extends InboxIdentity {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits?: Partial<InboxLimits>;
  /** The identity as it is now: a renewed certificate is shown to whoever connects next, and no connection ends for it. */
  readonly reread?: () => Promise<InboxIdentity>;
  /** Whether our own authority revoked the key or the certificate that a partner shows, whatever the channel says of the key. */
  readonly isRefused?: (partner: { country: CountryCode; kid: Kid; serial: string }) => Promise<boolean>;
  /** Told where a new identity cannot be used; the one before stays. */
  readonly onTrouble?: (error: unknown) => void;
}

const DEFAULTS: InboxLimits = {
  maxConnections: 256,
  maxConnectionsPerPartner: 16,
  openingMs: 5_000,
  messageMs: 30_000,
  idleMs: 60_000,
  rememberMs: 500,
  rereadMs: 2_000,
};
const MAX_HEADER_BYTES = 8_192;
/** Also of a renewed identity. */
const CONTEXT = { minVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET } as const;

type Accept = (from: CountryCode, message: PartnerMessage) => Promise<void>;

/**
 * The inbox a country hosts, over mutual TLS 1.3 (protocol.ts). Sessions are never resumed, so each connection shows its certificate
 * anew. One message at a time on a connection: the next is read when this one is stored, and whoever pipelines is cut off.
 */
export class EmbeddedInboxListener extends InboxListener {
  private readonly limits: InboxLimits;
  private readonly sockets: PartnerSockets;
  private readonly busy = new WeakSet<Socket>();
  private running: { server: Server; live: LiveKeys; accept: Accept } | undefined;
  private rereading: NodeJS.Timeout | undefined;

  constructor(private readonly config: EmbeddedInboxConfig) {
    super();
    this.limits = { ...DEFAULTS, ...config.limits };
    this.sockets = new PartnerSockets(this.limits.maxConnectionsPerPartner);
  }

  async listen(accept: Accept, isLive: PartnerKeyIsLive): Promise<{ host: string; port: number }> {
    const server = this.server();
    const live = new LiveKeys(isLive, this.limits.rememberMs);
    this.running = { server, live, accept };
    server.on('secureConnection', (socket: TLSSocket) => this.admit(socket, live));
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    server.on('clientError', (_error, socket) => socket.destroy());
    server.on('request', (request, response) => void this.receive(request, response, live, accept));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.config.port, this.config.host, resolve);
    });
    this.rereadFrom(server);
    return { host: this.config.host, port: (server.address() as AddressInfo).port };
  }

  drop(country: CountryCode, kid: Kid): void {
    this.running?.live.drop(country, kid);
    this.sockets.drop(country, kid);
  }

  async close(): Promise<void> {
    clearInterval(this.rereading);
    const server = this.running?.server;
    this.running = undefined;
    if (server?.listening !== true) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  private rereadFrom(server: Server): void {
    const { reread } = this.config;
    if (reread === undefined) return;
    let shown = this.config.certificatePem;
    this.rereading = setInterval(() => {
      reread()
        .then(({ certificatePem, privateKeyPem, authorityPem }) => {
          if (certificatePem === shown) return;
          server.setSecureContext({ ...CONTEXT, cert: certificatePem, key: privateKeyPem, ca: authorityPem });
          shown = certificatePem;
        })
        .catch((error: unknown) => this.config.onTrouble?.(error));
    }, this.limits.rereadMs);
    this.rereading.unref();
  }

  private server(): Server {
    const { openingMs, messageMs, idleMs, maxConnections } = this.limits;
    const server = createServer({
      cert: this.config.certificatePem,
      key: this.config.privateKeyPem,
      ca: this.config.authorityPem,
      requestCert: true,
      rejectUnauthorized: true,
      ...CONTEXT,
      handshakeTimeout: openingMs,
      headersTimeout: openingMs,
      requestTimeout: messageMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: Math.ceil(openingMs / 4),
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
    });
    server.maxConnections = maxConnections;
    return server;
  }

  private admit(socket: TLSSocket, live: LiveKeys): void {
    socket.on('error', () => socket.destroy());
    const partner = partnerOf(socket);
    if (partner === undefined || !this.sockets.admit(socket, partner)) {
      socket.destroy();
      return;
    }
    // Where the registry cannot be read the connection may stay: each message asks again.
    this.mayStay(partner, live).then(
      (may) => may || socket.destroy(),
      () => undefined,
    );
  }

  private async mayStay(partner: Partner, live: LiveKeys): Promise<boolean> {
    if (Date.now() >= partner.validUntil || (await this.config.isRefused?.(partner)) === true) return false;
    return live.check(partner.country, partner.kid);
  }

  private async receive(request: IncomingMessage, response: ServerResponse, live: LiveKeys, accept: Accept): Promise<void> {
    const { socket } = request;
    const partner = this.sockets.of(socket);
    if (partner === undefined || this.busy.has(socket)) {
      socket.destroy();
      return;
    }
    this.busy.add(socket);
    try {
      const message = await readMessage(request);
      // Asked when the message is whole: however slowly it came, it counts at the moment it would be stored.
      if (!(await this.mayStay(partner, live))) throw new PortolanError('exchange.certificate-refused', partner.country);
      await accept(partner.country, message);
      response.writeHead(204).end();
    } catch (error) {
      refuse(response, error);
    } finally {
      this.busy.delete(socket);
    }
  }
}

async function readMessage(request: IncomingMessage): Promise<PartnerMessage> {
  const { [ID_HEADER]: id, [KEY_HEADER]: key } = request.headers;
  const isPost = request.method === 'POST' && request.url === MESSAGES_PATH;
  if (!isPost || !isMessageName(id) || !isMessageName(key)) throw new PortolanError('exchange.message-malformed', 'inbox');
  if (Number(request.headers['content-length'] ?? 0) > MESSAGE_MAX_BYTES) throw tooLarge(id);
  return { id, key, body: await readBody(request, id) };
}

async function readBody(request: IncomingMessage, id: string): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request) {
    size += (piece as Buffer).length;
    if (size > MESSAGE_MAX_BYTES) throw tooLarge(id);
    pieces.push(piece as Buffer);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

const tooLarge = (id: string): PortolanError => new PortolanError('exchange.message-too-large', `message ${id}`);

/**
 * Codes about the connection and its message are told; all that went wrong on this side is one 503, and the sender keeps the message.
 * After a refusal the connection ends, and with it what might still be coming.
 */
function refuse(response: ServerResponse, error: unknown): void {
  const told = error instanceof PortolanError && !error.retriable && error.code.startsWith('exchange.') ? error : undefined;
  if (response.destroyed || response.headersSent) return;
  if (told === undefined) {
    response.writeHead(503, { 'content-type': 'application/json' }).end(refusal('exchange.busy'));
    return;
  }
  response.writeHead(told.entry.http, { 'content-type': 'application/json', connection: 'close' }).end(refusal(told.code), () => {
    response.socket?.destroySoon();
  });
}
