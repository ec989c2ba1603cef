import { Agent, request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { PortolanError, type CountryCode } from '@portolan/contracts';
import type { PartnerMessage } from '@portolan/domain';
import { Backoff } from './backoff.js';
import { KeyOrder } from './key-order.js';
import { codeOf, ID_HEADER, KEY_HEADER, MESSAGES_PATH } from './protocol.js';

/** One partner's inbox, and our identity there. */
export interface PartnerEndpoint {
  readonly host: string;
  readonly port: number;
  /** The partner's authority, as the registry has it: only its certificates are believed. */
  readonly authorityPem: string;
  /** What the partner issued for our registered TLS key. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface LinkLimits {
  readonly maxConnections: number;
  /** Messages to one partner that wait or are on their way. */
  readonly maxWaiting: number;
  readonly messageMs: number;
  readonly backoffFirstMs: number;
  readonly backoffMostMs: number;
}

const MAX_ANSWER_BYTES = 1_024;
/** Statuses that say "not now". */
const LATER: readonly number[] = [408, 425, 429];

/** The kept connections to one partner. */
export class PartnerConnection {
  private readonly agent: Agent;
  private readonly order = new KeyOrder();
  private readonly backoff: Backoff;
  private waiting = 0;
  private isRetired = false;

  constructor(
    private readonly country: CountryCode,
    private readonly endpoint: PartnerEndpoint,
    private readonly limits: LinkLimits,
  ) {
    this.backoff = new Backoff(limits.backoffFirstMs, limits.backoffMostMs, () => performance.now());
    this.agent = new Agent({
      keepAlive: true,
      maxSockets: limits.maxConnections,
      maxCachedSessions: 0,
      ca: endpoint.authorityPem,
      cert: endpoint.certificatePem,
      key: endpoint.privateKeyPem,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: true,
    });
  }

  isTo(endpoint: PartnerEndpoint): boolean {
    return (Object.keys(endpoint) as (keyof PartnerEndpoint)[]).every((name) => endpoint[name] === this.endpoint[name]);
  }

  async send(message: PartnerMessage): Promise<void> {
    if (this.waiting >= this.limits.maxWaiting) throw this.unreachable('too many messages wait');
    this.waiting += 1;
    try {
      await this.order.run(message.key, () => this.deliver(message));
    } finally {
      this.waiting -= 1;
      if (this.isRetired && this.waiting === 0) this.close();
    }
  }

  /** Ends when what is on its way has arrived. */
  retire(): void {
    this.isRetired = true;
    if (this.waiting === 0) this.close();
  }

  close(): void {
    this.agent.destroy();
  }

  private async deliver(message: PartnerMessage): Promise<void> {
    if (this.backoff.isWaiting) throw this.unreachable('waiting before the next attempt');
    let answer: Answer;
    try {
      answer = await this.post(message);
    } catch (error) {
      this.backoff.failed();
      throw this.failure(error);
    }
    this.backoff.succeeded();
    if (answer.status === 204) return;
    const detail = answer.code ?? `HTTP ${answer.status}`;
    if (answer.status >= 500 || LATER.includes(answer.status)) throw this.unreachable(detail);
    throw new PortolanError('exchange.partner-refused', this.country, detail);
  }

  /** A kept connection may have been closed by the partner at this very moment: that alone is tried again at once. */
  private async post(message: PartnerMessage): Promise<Answer> {
    try {
      return await post(this.options(message), message.body);
    } catch (error) {
      if (error instanceof StaleConnection) return post(this.options(message), message.body);
      throw error;
    }
  }

  private options({ id, key, body }: PartnerMessage): RequestOptions {
    return {
      agent: this.agent,
      host: this.endpoint.host,
      port: this.endpoint.port,
      method: 'POST',
      path: MESSAGES_PATH,
      headers: { [ID_HEADER]: id, [KEY_HEADER]: key, 'content-type': 'application/octet-stream', 'content-length': body.length },
      signal: AbortSignal.timeout(this.limits.messageMs),
    };
  }

  private failure(error: unknown): PortolanError {
    const code = codeOfError(error);
    return isOfTls(code) ? new PortolanError('exchange.partner-refused', this.country, code) : this.unreachable(code);
  }

  private unreachable(detail: string): PortolanError {
    return new PortolanError('exchange.partner-unreachable', this.country, detail);
  }
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
}

class StaleConnection extends Error {}

async function post(options: RequestOptions, body: Uint8Array): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(options, resolve);
    outgoing.once('error', (error) => {
      const isStale = outgoing.reusedSocket && codeOfError(error) === 'ECONNRESET';
      reject(isStale ? new StaleConnection('ECONNRESET') : error);
    });
    outgoing.end(body);
  });
  return { status: response.statusCode ?? 0, code: codeOf(await boundedText(response)) };
}

async function boundedText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) {
    text += piece as string;
    if (text.length > MAX_ANSWER_BYTES) break;
  }
  return text;
}

function codeOfError(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

/** OpenSSL's verdicts about certificates, ours or the partner's. */
function isOfTls(code: string): boolean {
  return /^(ERR_SSL_|ERR_TLS_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_|HOSTNAME_|PATH_LENGTH_)/.test(code);
}
